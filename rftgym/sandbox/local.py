"""The default sandbox: jobs are forks of a prepared process, fenced in by what the Linux kernel offers to everybody."""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from rftgym.errors import InfrastructureError, RftgymError, UsageError
from rftgym.sandbox import namespaces
from rftgym.sandbox.connection import CURES, Connection, Launch
from rftgym.sandbox.contract import Job, Layer, Outcome, Sandbox

# What the numerical libraries read when they are imported: one thread, for a fork takes only one along. Sets of text
# have one order in every job, so that what leans on it is judged the same way twice.
ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "HOME": "/nonexistent",
    "PYTHONHASHSEED": "0",
}
LAYERS = tuple(CURES)


class LocalSandbox(Sandbox):
    """Runs jobs on this machine, each in a process of its own that is forked from a prepared one, the zygote.

    Args:
        preload: "module:function", called in the zygote once, before any job; or "module", which is only imported.
            What jobs need has to be imported here: a job can read nothing but the interpreter's and the system's
            libraries, ``readable``, ``path``, and the packages that are named here.
        readable: files and folders that jobs may read besides.
        path: folders of modules to be found before all others; readable.
        environment: the jobs' environment variables, next to a few harmless ones; nothing is inherited.
        workers: jobs that run at a time; default: one per core. Further ones wait for their turn.
        allow_unsafe: work even where the kernel offers neither namespaces nor system-call filters.
        without: layers to leave off, to find out what they do: "namespaces", "own root", "separate user", "landlock",
            "seccomp".
    Raises:
        RftgymError: this machine is below the floor and ``allow_unsafe`` isn't set, or it cannot be started at all.
    """

    def __init__(
        self,
        preload: Sequence[str] = (),
        *,
        readable: Sequence[str | Path] = (),
        path: Sequence[str | Path] = (),
        environment: Mapping[str, str] | None = None,
        workers: int | None = None,
        allow_unsafe: bool = False,
        without: Collection[str] = (),
    ) -> None:
        if unknown := set(without) - set(LAYERS):
            raise UsageError(f"no such layers: {', '.join(sorted(unknown))}; there are {', '.join(LAYERS)}")
        for each in (*readable, *path):
            if str(Path(each).absolute()) in namespaces.NEVER_VISIBLE or not Path(each).exists():
                raise UsageError(
                    f"{each} cannot be shown to jobs: it is no such file or folder, or far too large a one"
                )
        shown, first = ([str(Path(each).absolute()) for each in paths] for paths in (readable, path))
        self._settings = _settings(preload, shown, first, without)
        self._environment = {**ENVIRONMENT, **(environment or {})}
        self._allow_unsafe = allow_unsafe
        self._slots = threading.BoundedSemaphore(workers or os.cpu_count() or 1)
        self._lock = threading.Lock()
        self._closed = False
        self._connection: Connection | None = self._start()

    def _start(self) -> Connection:
        connection = Connection(self._settings, self._environment, self.around)
        found = {layer.name: layer.available for layer in connection.layers}
        if found["separate user"] and not _open_to_all(self._settings["readable"], found["own root"]):
            connection.end()  # another user could not read what lies in somebody's home
            self._settings["without"].append("separate user")
            connection = Connection(self._settings, self._environment, self.around)
        if not (found["namespaces"] or found["seccomp"] or self._allow_unsafe):
            connection.end()
            reasons = "; ".join(f"{layer.name}: {layer.detail} ({layer.cure})" for layer in connection.layers)
            raise RftgymError(
                "this machine cannot shut in code that nobody trusts: it offers neither namespaces nor system-call "
                f"filters. {reasons}. To run such code all the same: allow_unsafe=True, --allow-unsafe-sandbox"
            )
        return connection

    def around(self, launch: Launch) -> Launch:
        """How the first process is started; a kind of sandbox that puts another program around it overrides this."""
        return launch

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The fences that are up in this very sandbox."""
        return self._current().layers

    def start(self) -> None:
        """Wait until all is preloaded; otherwise the first job does.

        Raises:
            RftgymError: a preload function failed.
        """
        self._current().wait_ready()

    def run(self, job: Job) -> Outcome:
        with self._slots:
            for _ in range(2):  # a zygote that was killed takes its jobs along; they are tried once more
                connection = self._current()
                connection.wait_ready()
                if (outcome := connection.run(job)) is not None:
                    return outcome
        raise InfrastructureError(f"the sandbox's process died twice while it ran {job.function}")

    def _current(self) -> Connection:
        with self._lock:
            if self._closed:
                raise UsageError("this sandbox is closed")
            if self._connection is not None and (self._connection.forked() or not self._connection.alive()):
                self._connection.end()
                self._connection = None
            if self._connection is None:
                self._connection = self._start()
            return self._connection

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._connection is not None:
                self._connection.end()
                self._connection = None

    @classmethod
    def detect(cls) -> tuple[Layer, ...]:
        """The layers of this machine, found by putting them up."""
        try:
            with cls(allow_unsafe=True) as sandbox:
                return sandbox.layers
        except RftgymError as error:
            return tuple(Layer(name, False, str(error), CURES[name]) for name in LAYERS)


def _settings(
    preload: Sequence[str], readable: list[str], path: list[str], without: Collection[str]
) -> dict[str, Any]:
    packages = {"rftgym", *(name.partition(":")[0].partition(".")[0] for name in preload)}
    search = [*path, *(each for each in sys.path if each)]
    libraries = [each for each in search if Path(each).name in ("site-packages", "dist-packages")]
    prefixes = [sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix]
    places = [place for name in sorted(packages) for place in _places(name)]
    return {
        "preload": list(preload),
        "readable": [*readable, *path, *prefixes, *libraries, *places],
        "search": search,
        "without": list(without),
    }


def _places(package: str) -> list[str]:
    """Where a package lies, found without importing it. One that only ``path`` has is readable anyway."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return []
    if spec is None:
        return []
    return list(
        spec.submodule_search_locations or ([spec.origin] if spec.has_location and spec.origin else [])
    )


def _open_to_all(paths: Sequence[str], own_root: bool) -> bool:
    """Whether any user may read these; in a root of our own, whatever folders they lie in."""
    real = [Path(path).resolve() for path in paths if Path(path).exists()]
    above = {folder for path in real for folder in path.parents} if not own_root else set()
    entered = all(
        folder.stat().st_mode & 0o1 for folder in [*above, *(path for path in real if path.is_dir())]
    )
    return entered and all(path.stat().st_mode & 0o4 for path in real)
