"""Java programs, compiled and run in the sandbox: many in one JVM, each with its own time limit.

The harness, in Java, lies next to this module; it is compiled once in a process.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
import threading
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from rftgym.errors import InfrastructureError
from rftgym.sandbox import Job, Limits, commands
from rftgym_transpile.programs import RESULTS, Program, Ran, Workshop, no_toolchain, written

CURE = "apt-get install openjdk-17-jdk-headless (a JDK, 17 or later)"
HARNESS = Path(__file__).parent / "harness"
MEBIBYTE = 1 << 20
START_SECONDS, COMPILE_SECONDS = 50.0, 3.0
COMPILER_SECONDS = 120
"""For the harness itself, once in a process."""
FLAGS = (
    "-Xshare:auto",
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-XX:-UsePerfData",
    "-Xmx256m",
    "-XX:ReservedCodeCacheSize=64m",
    "-XX:CompressedClassSpaceSize=64m",
    "-XX:MaxMetaspaceSize=192m",
    "-Dfile.encoding=UTF-8",
    "-Duser.language=en",
    "-Duser.country=US",
    "-Duser.timezone=UTC",
)
_compiling = threading.Lock()
_compiled: dict[str, bytes] = {}


def find_java() -> Path | None:
    """The home of the JDK whose compiler is on ``PATH``; None where there is none."""
    compiler = shutil.which("javac")
    home = Path(compiler).resolve().parent.parent if compiler else None
    return home if home is not None and (home / "bin" / "java").is_file() else None


class Jvm:
    """Runs Java programs; thread-safe. Starts its sandbox when first used.

    Args:
        settings: of `rftgym_transpile.programs.Workshop`.
    Raises:
        UsageError: no JDK is installed.
    """

    def __init__(self, **settings: Any) -> None:
        home = find_java()
        if home is None:
            raise no_toolchain("Java", CURE)
        self._home = home
        self._workshop = Workshop(_linked_to(home), **settings)

    def run(self, programs: Sequence[Program]) -> list[Ran]:
        """What becomes of each program. One that never ends, or ends the JVM, costs itself only.

        Raises:
            InfrastructureError: the JVM cannot be run at all.
        """
        return self._workshop.run_all(programs, self._job)

    def close(self) -> None:
        """End the sandbox; a second call does nothing."""
        self._workshop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _job(self, programs: Sequence[Program], seconds: float) -> Job:
        seconds += START_SECONDS + COMPILE_SECONDS * len(programs)
        limits = Limits(wall_seconds=seconds, cpu_seconds=seconds, memory_bytes=1024 * MEBIBYTE, processes=64)
        return commands.command(
            [str(self._home / "bin" / "java"), *FLAGS, "-cp", "harness.jar", "Harness"],
            files={"harness.jar": harness(self._home), "programs.json": written(programs)},
            outputs=[RESULTS],
            # The launcher looks for its libraries through /proc, which jobs do not have.
            environment={"LD_LIBRARY_PATH": f"{self._home}/lib:{self._home}/lib/server"},
            limits=limits,
        )


def _linked_to(home: Path) -> list[str]:
    """Folders outside the home that it cannot do without: Debian keeps a JDK's configuration in /etc."""
    targets = {path.resolve().parent for path in (home / "conf").rglob("*") if path.is_symlink()}
    roots = {Path(*target.parts[:3]) for target in targets if target.parts[1:2] == ("etc",)}
    return sorted(str(root) for root in roots if root.is_dir())


def harness(home: Path) -> bytes:
    """The compiled harness as a jar.

    Raises:
        InfrastructureError: the compiler does not take our own sources.
    """
    with _compiling:
        if str(home) not in _compiled:
            _compiled[str(home)] = _compile(home)
        return _compiled[str(home)]


def _compile(home: Path) -> bytes:
    """Run the compiler in a folder of its own, where a crash may leave its reports."""
    with tempfile.TemporaryDirectory() as folder:
        sources = [str(path) for path in sorted(HARNESS.glob("*.java"))]
        reports = [f"-J-XX:{name}={folder}/{name}.log" for name in ("ErrorFile", "ReplayDataFile")]
        modest = ["-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC", "-J-XX:-UsePerfData", "-J-Xmx256m"]
        compiler = str(home / "bin" / "javac")
        command = [compiler, *modest, *reports, "-encoding", "UTF-8", "-d", folder, *sources]
        try:
            done = subprocess.run(
                command, check=False, capture_output=True, timeout=COMPILER_SECONDS, cwd=folder
            )
        except (OSError, subprocess.SubprocessError) as error:
            why = (
                f"longer than {COMPILER_SECONDS} s" if isinstance(error, subprocess.TimeoutExpired) else error
            )
            raise InfrastructureError(f"{compiler} does not run: {why}") from error
        if done.returncode != 0:
            said = " ".join((done.stderr + done.stdout).decode(errors="replace").split())[:300]
            how = f"signal {-done.returncode}" if done.returncode < 0 else f"exit code {done.returncode}"
            raise InfrastructureError(
                f"{compiler} fails with {how} (too little memory, or a broken JDK? {CURE}): {said}"
            )
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as jar:
            for path in sorted(Path(folder).glob("*.class")):
                jar.writestr(path.name, path.read_bytes())
        return packed.getvalue()
