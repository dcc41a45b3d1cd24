"""A running sandbox process, seen from outside: starting it, giving it jobs, ending it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rftgym.errors import RftgymError, UsageError
from rftgym.sandbox import erase, namespaces, reply, wire
from rftgym.sandbox.contract import Job, Layer, Outcome

START_SECONDS = 300.0
GRACE_SECONDS = 10.0
MESSAGE_BYTES = 1 << 17
CREDENTIALS = struct.Struct("3i")  # process, user, group
CURES = {
    "namespaces": "sysctl -w kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0; "
    "in a container: --security-opt seccomp=unconfined",
    "own root": "the same as for namespaces, and a kernel of 5.12 or newer",
    "separate user": "start rftgym as root, with an interpreter that every user may read; "
    "not needed where there are namespaces",
    "landlock": "a kernel of 5.13 or newer, booted with landlock in lsm=",
    "seccomp": "a kernel with CONFIG_SECCOMP_FILTER on x86_64 or aarch64",
}
BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from rftgym.sandbox.warden import main; main(int(sys.argv[2]))"
)


@dataclass(frozen=True, slots=True)
class Launch:
    """How the warden is to be started. A sandbox may put another program around it.

    Attributes:
        command: its last argument is the number of the descriptor ``control``.
        environment: all of it.
        visible: absolute paths that it must be able to read.
        folder: an empty folder that it must be able to write to. Where another one is named, that is one which exists
            only inside, and this one is removed.
        control: a descriptor that has to stay open.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str]
    visible: tuple[str, ...]
    folder: Path
    control: int


class Connection:
    """A running warden with its zygote, seen from outside.

    Args:
        around: changes how the warden is started.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        environment: Mapping[str, str],
        around: Callable[[Launch], Launch] = lambda launch: launch,
    ) -> None:
        if sys.platform != "linux":
            raise RftgymError(f"the local sandbox needs Linux; this is {sys.platform}")
        self.owner = os.getpid()
        self.folder = Path(tempfile.mkdtemp(prefix="rftgym-sandbox-"))
        user = None if "separate user" in settings["without"] else _other_user()
        if user is not None:
            os.chown(self.folder, user, user)
        self.control, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.stderr = os.memfd_create("rftgym-sandbox-stderr")
        try:
            command = [
                sys.executable,
                "-s",
                "-P",
                "-B",
                "-c",
                BOOT,
                json.dumps(settings["search"]),
                str(far.fileno()),
            ]
            visible = namespaces.readable_paths(settings["readable"])
            launch = around(Launch(tuple(command), environment, tuple(visible), self.folder, far.fileno()))
            self.process = _popen(launch, self.stderr)
        except BaseException:
            self.control.close()
            os.close(self.stderr)
            self.folder.rmdir()
            raise
        finally:
            far.close()
        self._end = weakref.finalize(
            self, _end, self.process, self.control, self.stderr, self.folder, self.owner
        )
        self.pid, self.warden = self._meet()
        weakref.finalize(self, os.close, self.warden)
        if launch.folder != self.folder:
            self.folder.rmdir()
        self.lock = threading.Lock()
        self.ready = False
        self.dead = False
        self.failure = ""
        config = {
            **settings,
            "folder": str(launch.folder),
            "user": user,
            "self": [os.geteuid(), os.getegid()],
        }
        self.layers = self._introduce(config)

    def _meet(self) -> tuple[int, int]:
        """The warden's process number, as it is called here, and a descriptor of it.

        It need not be the process that was started, which may be a program around it. The kernel vouches for it.
        """
        room = socket.CMSG_SPACE(CREDENTIALS.size)
        poll = select.poll()
        poll.register(self.control, select.POLLIN)
        ready = poll.poll(START_SECONDS * 1000)
        message, told, _, _ = self.control.recvmsg(MESSAGE_BYTES, room) if ready else (b"", [], 0, None)
        try:
            if not message:
                raise ProcessLookupError
            pid = next(
                CREDENTIALS.unpack(data)[0] for _, kind, data in told if kind == socket.SCM_CREDENTIALS
            )
            return pid, os.pidfd_open(pid)
        except ProcessLookupError:
            raise self._stillborn() from None

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
        # With a root of its own, the folder was only a place to start from, and lies outside of that root.
        if told["report"]["own root"][0] and self.folder.exists():
            self.folder.rmdir()
        return tuple(
            Layer(name, bool(there), detail, "" if there else CURES[name])
            for name, (there, detail) in told["report"].items()
        )

    def _map(self, user: int) -> bool:
        try:
            for name in ("uid_map", "gid_map"):
                Path(f"/proc/{self.pid}/{name}").write_text(f"0 {user} 1", encoding="ascii")
        except OSError:
            return False
        return True

    def _hear(self) -> dict[str, Any]:
        poll = select.poll()
        poll.register(self.control, select.POLLIN)
        message = self.control.recv(MESSAGE_BYTES) if poll.poll(START_SECONDS * 1000) else b""
        if not message:
            raise self._stillborn()
        told: dict[str, Any] = json.loads(message)
        return told

    def _stillborn(self) -> RftgymError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=1)  # its last words
        complaint = os.pread(self.stderr, 4000, 0).decode(errors="replace").strip()
        self.end()
        return RftgymError(
            f"the sandbox's process ended before it was ready: {complaint or 'it said nothing'}"
        )

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

    def kill(self) -> None:
        """Kill the warden, and by that all that it has started."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.warden, signal.SIGKILL)

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
                text = json.dumps(order).encode()
                if len(text) > MESSAGE_BYTES:
                    raise UsageError(f"the job for {job.function} names too many programs")
                try:
                    socket.send_fds(self.control, [text], fds)
                except OSError:
                    self.dead = True
                    return None
            reader = reply.Reader(answer, line, self.warden, job.limits.output_bytes)
            told = reader.collect(time.monotonic() + job.limits.wall_seconds + GRACE_SECONDS)
            if told is None:  # dead, or it doesn't do its work
                self.dead = True
                self.kill()
                return None
            return reply.judge(job, told, reader)
        finally:
            os.close(answer)
            line.close()


def _popen(launch: Launch, stderr: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        launch.command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        env=dict(launch.environment),
        cwd="/",
        pass_fds=[launch.control],
        start_new_session=True,
    )


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
