"""The zygote: the process that jobs are forked from. It imports what they need, once, and forks one child per job."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import signal
import socket
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rftgym.sandbox import child, erase, forkable, kernel, namespaces, seccomp

MESSAGE_BYTES = 1 << 17
Config = dict[str, Any]


@dataclass(slots=True)
class Child:
    """A job that is running.

    Attributes:
        line: tells its fate to the thread that waits for it; closed from over there, it means "no longer wanted".
        deadline: on the clock of ``time.monotonic``.
        killed: why it was killed, if it was.
    """

    pid: int
    pidfd: int
    line: socket.socket
    started: float
    deadline: float
    scratch: str
    killed: str = ""


class Zygote:
    """Forks a child per job, kills what overstays, reports how each one ended."""

    def __init__(
        self, control: socket.socket, fences: child.Fences, config: Config, report: dict[str, list[Any]]
    ) -> None:
        self.control, self.fences, self.config, self.report = control, fences, config, report
        self.children: dict[int, Child] = {}  # by pid
        self.by_fd: dict[int, Child] = {}  # by pidfd and by line
        self.erasers: dict[int, int] = {}  # processes that remove scratch folders, by pidfd
        self.poll = select.poll()
        self.own_processes = -1

    def live(self, alive: int, parent: int) -> None:
        """Prepare, then serve until nobody is there to be served."""
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
        for fd in (alive, parent, self.control.fileno()):
            self.poll.register(fd, select.POLLIN)
        self._tell({"report": self.report})
        try:
            self._prepare()
        except Exception as error:  # noqa: BLE001 - told to the one who asked for it
            self._tell(
                {"failed": f"{type(error).__name__}: {error}", "traceback": traceback.format_exc()[-4000:]}
            )
            return
        self._tell({"ready": os.getpid()})
        while not self._over(alive, parent):
            pass

    def _tell(self, message: dict[str, Any]) -> None:
        self.control.send(json.dumps(message).encode())

    def _prepare(self) -> None:
        """Import and warm up what jobs need, and let go of what they must not have."""
        if self.fences.namespaces:
            self.own_processes = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        importlib.invalidate_caches()
        scratch = self._lend_scratch()
        for name in self.config["preload"]:
            module, _, function = name.partition(":")
            call: Any = importlib.import_module(module)
            for part in function.split(".") if function else ():
                call = getattr(call, part)
            if function:
                call()
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.dup2(null, 1)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        forkable.settle()
        self.fences.address_space = forkable.address_space()
        if self.fences.own_root:
            kernel.unmount("/proc")  # jobs have no business with the files of processes
            kernel.unmount(namespaces.SCRATCH)
        else:
            erase.erase(Path(scratch))
        kernel.prctl(
            kernel.PR_SET_DUMPABLE, 0
        )  # jobs may be the same user: they can't look into this process
        kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
        if self.fences.filtering:  # most of the filter is put up once
            seccomp.install(seccomp.for_everything())

    def _lend_scratch(self) -> str:
        """A folder for temporary files, while things are imported; some libraries insist on it."""
        folder = namespaces.SCRATCH
        if self.fences.own_root:
            kernel.mount("tmpfs", folder, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, "mode=700,size=64m")
        else:
            folder = str(Path(self.config["folder"], "preload"))
            Path(folder).mkdir()
        os.environ["TMPDIR"] = folder
        return folder

    def _over(self, alive: int, parent: int) -> bool:
        """Wait for something to happen and deal with it. True: there is nobody left to serve."""
        now = time.monotonic()
        nearest = min((each.deadline for each in self.children.values() if not each.killed), default=None)
        events = self.poll.poll(None if nearest is None else max(0.0, nearest - now) * 1000 + 1)
        ready = [fd for fd, _ in events]
        if alive in ready or parent in ready:
            return True
        for fd in ready:
            if (eraser := self.erasers.pop(fd, None)) is not None:
                os.waitpid(eraser, 0)
                self.poll.unregister(fd)
                os.close(fd)
            elif (each := self.by_fd.get(fd)) is not None:
                if fd == each.pidfd:
                    self._reap(each)
                else:
                    self._kill(each, "unwanted")
        now = time.monotonic()
        for each in [each for each in self.children.values() if each.deadline <= now]:
            self._kill(each, "timeout")
        # Last, for a new job may get numbers of descriptors that were closed just now.
        return self.control.fileno() in ready and not self._take()

    def _take(self) -> bool:
        """Start the next job. False: the other end has hung up."""
        message, fds, _, _ = socket.recv_fds(self.control, MESSAGE_BYTES, 3)
        if not message:
            return False
        told = json.loads(message)
        limits = told["limits"]
        scratch = self._scratch() if limits["scratch_bytes"] and not self.fences.own_root else ""
        order = child.Order(told["function"], limits, told["size"], scratch)
        try:
            self._fork(order, *fds)
        finally:
            os.close(fds[0])
            os.close(fds[1])
        return True

    def _fork(self, order: child.Order, job_fd: int, answer_fd: int, line_fd: int) -> None:
        started = time.monotonic()
        if self.fences.namespaces:
            kernel.unshare(kernel.CLONE_NEWPID)  # for children only; undone below
        try:
            pid = os.fork()
            if not pid:
                child.serve(order, self.fences, job_fd, answer_fd, line_fd)
        finally:
            if self.fences.namespaces:
                kernel.setns(self.own_processes, kernel.CLONE_NEWPID)
        line = socket.socket(fileno=line_fd)
        each = Child(
            pid, os.pidfd_open(pid), line, started, started + order.limits["wall_seconds"], order.scratch
        )
        self.children[pid] = each
        self.by_fd[each.pidfd] = self.by_fd[line_fd] = each
        self.poll.register(each.pidfd, select.POLLIN)
        self.poll.register(line_fd, select.POLLIN)

    def _scratch(self) -> str:
        folder = Path(self.config["folder"], f"job-{time.monotonic_ns()}")
        folder.mkdir(mode=0o700)
        if self.fences.user is not None:
            os.chown(folder, self.fences.user, self.fences.user)
        return str(folder)

    def _erase(self, folder: Path) -> None:
        """Remove a folder, which may take its time, so another process does it."""
        pid = os.fork()
        if not pid:
            try:
                erase.erase(folder)
            finally:
                os._exit(0)
        pidfd = os.pidfd_open(pid)
        self.erasers[pidfd] = pid
        self.poll.register(pidfd, select.POLLIN)

    def _kill(self, each: Child, why: str) -> None:
        """Kill the first process of a job; in a process namespace the kernel kills all others with it."""
        if not each.killed:
            each.killed = why
            self.poll.unregister(each.line.fileno())
        with contextlib.suppress(ProcessLookupError):
            os.kill(each.pid, signal.SIGKILL)

    def _reap(self, each: Child) -> None:
        """A job's first process has ended: so does everything else of it, and its fate is told."""
        if not self.fences.namespaces:  # while it is a zombie, the number of its group can't be given away
            _kill_group(each.pid)
        _, status, usage = os.wait4(each.pid, 0)
        if not self.fences.namespaces:
            _await_group(each.pid)
        if each.scratch:
            self._erase(Path(each.scratch))
        fate = {
            "killed": each.killed,
            "exit": os.waitstatus_to_exitcode(status),
            "cpu": usage.ru_utime + usage.ru_stime,
            "seconds": time.monotonic() - each.started,
        }
        del self.children[each.pid], self.by_fd[each.pidfd], self.by_fd[each.line.fileno()]
        self.poll.unregister(each.pidfd)
        if not each.killed:
            self.poll.unregister(each.line.fileno())
        os.close(each.pidfd)
        with contextlib.suppress(OSError):  # nobody waits any more
            each.line.send(json.dumps(fate).encode())
        each.line.close()


def _kill_group(group: int) -> None:
    """Without a process namespace: no process of a job can leave its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _await_group(group: int) -> None:
    """Orphans became children of this process; when the last one of the group is gone, there is none to wait for."""
    with contextlib.suppress(ChildProcessError):
        while True:
            os.waitpid(-group, 0)
