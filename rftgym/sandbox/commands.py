"""Running one program in a sandbox: files in, files and what it printed out.

result = commands.finished(sandbox.run(commands.command(["/usr/bin/sort", "in"], files={"in": b"2 1"})))
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from rftgym.errors import InfrastructureError, UsageError
from rftgym.sandbox.contract import MEBIBYTE, Blob, Job, Limits, Outcome

STDOUT, STDERR = ".stdout", ".stderr"
CAPTURED_BYTES = 1 << 16
SCRATCH_BYTES = 64 * MEBIBYTE


@dataclass(frozen=True, slots=True)
class Result:
    """What a program did.

    Attributes:
        exit_code: negative: the number of the signal that killed it.
        stdout: at most the first ``captured_bytes``; so is ``stderr``.
        files: those of the wanted outputs that it wrote.
    """

    exit_code: int
    stdout: bytes
    stderr: bytes
    files: dict[str, bytes]


def command(
    argv: Sequence[str],
    *,
    files: Mapping[str, Blob] | None = None,
    outputs: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    captured_bytes: int = CAPTURED_BYTES,
) -> Job:
    """The job of running a program in a folder of its own, which is gone afterwards.

    Args:
        argv: the program, by its path or to be found on ``PATH``, and its arguments. The sandbox must be able to read
            it: it lies with the system's or the interpreter's files, or was named as readable.
        files: put there before; names are relative paths.
        outputs: read back afterwards.
        environment: variables besides the sandbox's.
        limits: ``allow_exec`` and ``programs`` are set here, and ``scratch_bytes`` where it is 0.
    Raises:
        UsageError: there is no such program, or a name leads out of the folder.
    """
    program = shutil.which(argv[0]) if argv else None
    if program is None:
        raise UsageError(f"no such program: {argv[0] if argv else 'an empty command'}")
    given = files or {}
    for name in (*given, *outputs):
        _check_name(name)
    limits = limits or Limits()
    limits = dataclasses.replace(
        limits,
        allow_exec=True,
        programs=(str(Path(program).resolve()),),
        scratch_bytes=limits.scratch_bytes or SCRATCH_BYTES,
    )
    header = {
        "argv": [program, *argv[1:]],
        "files": list(given),
        "outputs": list(outputs),
        "environment": dict(environment or {}),
        "captured": captured_bytes,
    }
    return Job("rftgym.sandbox.commands:run", header, tuple(given.values()), limits)


def _check_name(name: str) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts or name in (STDOUT, STDERR):
        raise UsageError(f"{name!r} is not a name of a file in the program's folder")


def finished(outcome: Outcome) -> Result:
    """Read what :func:`run` answered.

    Raises:
        InfrastructureError: the program's fate is not known, since the job ended otherwise; ``outcome.status`` tells.
    """
    header, blobs = outcome.header, outcome.blobs
    names, code = header.get("outputs"), header.get("exit_code")
    shaped = isinstance(names, list) and isinstance(code, int) and len(blobs) == len(names) + 2
    if outcome.status != "ok" or not shaped:
        raise InfrastructureError(f"the program could not be run: {outcome.status}: {outcome.message}")
    assert isinstance(names, list) and isinstance(code, int)  # noqa: S101 - for the type checker
    return Result(code, blobs[0], blobs[1], dict(zip(map(str, names), blobs[2:], strict=True)))


def run(header: Mapping[str, Any], blobs: Sequence[memoryview]) -> tuple[dict[str, Any], list[bytes]]:
    """Run a program; called in the sandbox, in an empty folder."""
    for name, blob in zip(header["files"], blobs, strict=True):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(blob)
    with Path(STDOUT).open("wb") as out, Path(STDERR).open("wb") as err:
        done = subprocess.run(
            header["argv"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env={**os.environ, **header["environment"]},
            check=False,
        )
    said = [_beginning(Path(name), header["captured"]) for name in (STDOUT, STDERR)]
    found = [name for name in header["outputs"] if Path(name).is_file()]
    return {"exit_code": done.returncode, "outputs": found}, said + [
        Path(name).read_bytes() for name in found
    ]


def _beginning(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        return file.read(most)
