"""The default sandbox: jobs are forks of a prepared process, fenced in by what the Linux kernel offers to everybody."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from rftgym.errors import InfrastructureError, RftgymError, UsageError
from rftgym.sandbox import erase, namespaces, reply, wire
from rftgym.sandbox.contract import Job, Layer, Outcome, Sandbox

START_SECONDS = 300.0
GRACE_SECONDS = 10.0
LAYERS = ("namespaces", "own root", "separate user", "landlock", "seccomp")
CURES = {
    "namespaces": "sysctl -w kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0; "
    "in a container: --security-opt seccomp=unconfined",
    "own root": "the same as for namespaces, and a kernel of 5.12 or newer",
    "separate user": "start rftgym as root; not needed where there are namespaces",
    "landlock": "a kernel of 5.13 or newer, booted with landlock in lsm=",
    "seccomp": "a kernel with CONFIG_SECCOMP_FILTER on x86_64 or aarch64",
}
# What the numerical libraries read when they are imported: one thread, for a fork takes only one along.
ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "HOME": "/nonexistent",
}
BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); "
    "from rftgym.sandbox.zygote import main; main(int(sys.argv[1]))"
)


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
        self._settings = _settings(preload, [*map(str, readable)], [*map(str, path)], without)
        self._environment = {**ENVIRONMENT, **(environment or {})}
        self._allow_unsafe = allow_unsafe
        self._slots = threading.BoundedSemaphore(workers or os.cpu_count() or 1)
        self._lock = threading.Lock()
        self._closed = False
        self._zygote: _Zygote | None = self._start()

    def _start(self) -> _Zygote:
        zygote = _Zygote(self._settings, self._environment)
        found = {layer.name: layer.available for layer in zygote.layers}
        if found["separate user"] and not _open_to_all(self._settings["readable"], found["own root"]):
            zygote.end()  # another user could not read what lies in somebody's home
            self._settings["without"].append("separate user")
            zygote = _Zygote(self._settings, self._environment)
        if not (found["namespaces"] or found["seccomp"] or self._allow_unsafe):
            zygote.end()
            reasons = "; ".join(f"{layer.name}: {layer.detail} ({layer.cure})" for layer in zygote.layers)
            raise RftgymError(
                "this machine cannot shut in code that nobody trusts: it offers neither namespaces nor system-call "
                f"filters. {reasons}. To run such code all the same: allow_unsafe=True, --allow-unsafe-sandbox"
            )
        return zygote

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
                zygote = self._current()
                zygote.wait_ready()
                if (outcome := zygote.run(job)) is not None:
                    return outcome
        raise InfrastructureError(f"the sandbox's process died twice while it ran {job.function}")

    def _current(self) -> _Zygote:
        with self._lock:
            if self._closed:
                raise UsageError("this sandbox is closed")
            if self._zygote is not None and (self._zygote.forked() or not self._zygote.alive()):
                self._zygote.end()
                self._zygote = None
            if self._zygote is None:
                self._zygote = self._start()
            return self._zygote

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._zygote is not None:
                self._zygote.end()
                self._zygote = None

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


def _other_user() -> int | None:
    """A user number that nobody has, if this process may become another user."""
    if os.geteuid() != 0:
        return None
    ranges = [
        [int(part) for part in line.split()]
        for line in Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines()
    ]
    start, _, count = max(ranges, key=lambda each: each[2])
    if count < 60000:  # a container that was given a few numbers only
        return None
    return start + min(count - 1000, 1_900_000_000)


class _Zygote:
    """A running warden with its zygote, seen from outside."""

    def __init__(self, settings: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        if sys.platform != "linux":
            raise RftgymError(f"the local sandbox needs Linux; this is {sys.platform}")
        self.owner = os.getpid()
        self.folder = Path(tempfile.mkdtemp(prefix="rftgym-sandbox-"))
        user = None if "separate user" in settings["without"] else _other_user()
        if user is not None:
            os.chown(self.folder, user, user)
        self.control, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.stderr = os.memfd_create("rftgym-sandbox-stderr")
        command = [sys.executable, "-I", "-B", "-c", BOOT, str(far.fileno()), json.dumps(settings["search"])]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self.stderr,
            env=dict(environment),
            cwd="/",
            pass_fds=[far.fileno()],
            start_new_session=True,
        )
        far.close()
        self._end = weakref.finalize(
            self, _end, self.process, self.control, self.stderr, self.folder, self.owner
        )
        self.warden = os.pidfd_open(self.process.pid)
        weakref.finalize(self, os.close, self.warden)
        self.lock = threading.Lock()
        self.ready = False
        self.dead = False
        self.failure = ""
        config = {**settings, "folder": str(self.folder), "user": user, "self": [os.geteuid(), os.getegid()]}
        self.layers = self._introduce(config)

    def _introduce(self, config: Mapping[str, Any]) -> tuple[Layer, ...]:
        try:
            self_fd = os.pidfd_open(os.getpid())
            try:
                socket.send_fds(self.control, [json.dumps(config).encode()], [self_fd])
            finally:
                os.close(self_fd)
            told = self._hear()
            if "map" in told:
                self.control.send(json.dumps({"mapped": self._map(config["user"])}).encode())
                told = self._hear()
        except OSError as error:
            self.end()
            raise RftgymError(f"the sandbox's process could not be started: {error}") from error
        if told["report"]["own root"][
            0
        ]:  # the folder was a place to start from; it lies outside of that root
            self.folder.rmdir()
        return tuple(
            Layer(name, bool(there), detail, "" if there else CURES[name])
            for name, (there, detail) in told["report"].items()
        )

    def _map(self, user: int) -> bool:
        try:
            for name in ("uid_map", "gid_map"):
                Path(f"/proc/{self.process.pid}/{name}").write_text(f"0 {user} 1", encoding="ascii")
        except OSError:
            return False
        return True

    def _hear(self) -> dict[str, Any]:
        poll = select.poll()
        poll.register(self.control, select.POLLIN)
        message = self.control.recv(1 << 17) if poll.poll(START_SECONDS * 1000) else b""
        if not message:
            complaint = os.pread(self.stderr, 4000, 0).decode(errors="replace").strip()
            self.end()
            raise RftgymError(
                f"the sandbox's process ended before it was ready: {complaint or 'it said nothing'}"
            )
        told: dict[str, Any] = json.loads(message)
        return told

    def wait_ready(self) -> None:
        """Until the preloading is over.

        Raises:
            RftgymError: it failed.
        """
        with self.lock:
            if not self.ready and not self.failure:
                told = self._hear()
                self.failure, self.ready = told.get("failed", ""), "ready" in told
                if self.failure:
                    self.failure += f"\n{told['traceback']}"
            if self.failure:
                raise RftgymError(f"the sandbox could not be prepared: {self.failure}")

    def alive(self) -> bool:
        """Whether it can be given jobs."""
        return not self.dead and self.process.poll() is None and self.control.fileno() >= 0

    def forked(self) -> bool:
        """Whether this object is a copy, in a fork of the process that it belongs to."""
        return self.owner != os.getpid()

    def end(self) -> None:
        """End it, and all that it runs."""
        self._end()

    def run(self, job: Job) -> Outcome | None:
        """Run a job. None: the zygote died before the job's fate was known."""
        answer, answer_far = os.pipe()
        line, line_far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with contextlib.ExitStack() as sent:
                sent.callback(os.close, answer_far)
                sent.callback(line_far.close)
                memory, size = _write_job(job)
                sent.callback(os.close, memory)
                order = {"function": job.function, "limits": dataclasses.asdict(job.limits), "size": size}
                fds = [memory, answer_far, line_far.fileno()]
                try:
                    socket.send_fds(self.control, [json.dumps(order).encode()], fds)
                except OSError:
                    self.dead = True
                    return None
            reader = reply.Reader(answer, line, self.warden, job.limits.output_bytes)
            told = reader.collect(time.monotonic() + job.limits.wall_seconds + GRACE_SECONDS)
            if told is None:  # dead, or it doesn't do its work
                self.dead = True
                self.process.kill()
                return None
            return reply.judge(job, told, reader)
        finally:
            os.close(answer)
            line.close()


def _write_job(job: Job) -> tuple[int, int]:
    """A job as a file in memory.

    Returns:
        Its descriptor, and its size.
    """
    memory = os.memfd_create("rftgym-job")
    try:
        size = 0
        for piece in wire.pack(job.header, job.blobs):
            view = memoryview(piece)
            while view:
                written = os.write(memory, view)
                size, view = size + written, view[written:]
    except (TypeError, ValueError) as error:
        os.close(memory)
        raise UsageError(f"the job for {job.function} cannot be sent: {error}") from error
    except BaseException:
        os.close(memory)
        raise
    return memory, size


def _end(
    process: subprocess.Popen[bytes], control: socket.socket, stderr: int, folder: Path, owner: int
) -> None:
    """End the warden; the kernel does the rest. In a fork only the copies of the descriptors are closed."""
    control.close()
    os.close(stderr)
    if owner != os.getpid():
        return
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if folder.exists():
        erase.erase(folder)
