"""Inside the sandbox: supervises the process in which a stranger's function is called, again and again.

Where the job is alone in a process namespace, a supervisor stays behind and the stranger's code runs in forks of it:
what was found out before a fork dies, hangs or goes wild is kept, and the next fork goes on behind it. Elsewhere all
happens in one process, and is lost with it.

Nothing here is evidence: whoever runs in the fork can say what they like. See :mod:`rftgym.sandbox.functions`.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rftgym.sandbox.calling import LENGTH, MOST_TIMEOUTS, WALL, Report, Work, dumped, reports, serve

MOST_DEATHS: Final = 3
"""After so many, the other calls are not tried."""
GRACE_SECONDS: Final = 0.3
LOOK_SECONDS: Final = 0.1
DYING_TURNS, DYING_SECONDS = 20, 0.001
"""How long a fork that has hung up may take to end before it is killed."""
TIMEOUT: Final = b'{"kind": "timeout"'
"""How the report of a call begins that took too long."""


def run(header: Mapping[str, Any], blobs: Sequence[memoryview]) -> tuple[Report, list[bytes]]:
    """Execute a module and call its function.

    Args:
        header: "entry", "call_seconds", "seconds", "most_bytes".
        blobs: the source as UTF-8, the calls as JSON.
    Returns:
        "status" and "message"; and a report for every call, as JSON, empty where it was not run.
    """
    work = Work(source=bytes(blobs[0]).decode(), calls=json.loads(bytes(blobs[1])), **header)
    if os.getpid() == 1:
        try:
            return _Supervisor(work).run()
        except BlockingIOError:  # no further processes here
            pass
    loaded, *made = map(dumped, reports(work, 0))
    return json.loads(loaded), made + [b""] * (len(work.calls) - len(made))


class _Supervisor:
    """Runs forks, one behind the other, until every call was tried or there is no sense in going on."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.deadline = time.monotonic() + work.seconds
        self.bytes_left = work.most_bytes
        self.reports: list[bytes] = []
        self.loaded = False
        self.status, self.message = "ok", ""
        self.timeouts = self.deaths = 0

    def run(self) -> tuple[Report, list[bytes]]:
        wanted = len(self.work.calls)
        while self._fork() and len(self.reports) < wanted:
            pass
        missing = [b""] * (wanted - len(self.reports))
        return {"status": self.status, "message": self.message}, self.reports[:wanted] + missing

    def _fork(self) -> bool:
        """Run one fork to its end. False: no other one."""
        first = len(self.reports)
        receive, send = os.pipe()
        pid = os.fork()
        if not pid:
            serve(self.work, first, send)
        os.close(send)
        why = "output"
        try:
            why = self._listen(receive, pid)
        finally:
            os.close(receive)
            how = _ended(pid, patient=why == "dead")
        return self._noted(why, how)

    def _listen(self, receive: int, pid: int) -> str:
        """Take reports until the fork has made all. Returns why it is over: "" or "timeout", "output", "dead"."""
        buffer = bytearray()
        self.loaded = False
        watch = _Watch(receive, pid, self.work.call_seconds, self.deadline)
        while len(self.reports) < len(self.work.calls) or not self.loaded:
            if not watch.wait():
                return "timeout"
            piece = os.read(receive, 1 << 16)
            if not piece:
                return "dead"
            buffer += piece
            self.bytes_left -= len(piece)
            if self.bytes_left < 0:
                return "output"
            while (report := _cut(buffer)) is not None and len(self.reports) < len(self.work.calls):
                watch.begin()
                if self.loaded:
                    self._take(report)
                elif not self._begin(report):
                    return ""
                if self.timeouts >= MOST_TIMEOUTS:
                    return ""
        return ""

    def _begin(self, report: bytes) -> bool:
        """What became of the module; False: nothing can be called."""
        told = json.loads(report)
        self.loaded = told["status"] == "ok"
        if not self.loaded:
            self.status, self.message = told["status"], told["message"]
        return self.loaded

    def _take(self, report: bytes) -> None:
        self.reports.append(report)
        if report.startswith(TIMEOUT):
            self.timeouts += 1

    def _noted(self, why: str, how: str) -> bool:
        """Note why a fork is over; False: there shall be no other one."""
        if self.timeouts >= MOST_TIMEOUTS:
            self.status = "timeout"
            self.message = f"{self.timeouts} calls ran too long; the others were not tried"
            return False
        if not why:
            return self.loaded
        where = f"call {len(self.reports) + 1}" if self.loaded else "its module"
        report: Report = {"kind": "not_run", "message": f"ended the process, {how or 'or closed its files'}"}
        killed = how == _how(-signal.SIGKILL)  # the kernel does that when memory ends
        self.status = "memory" if killed else "crash"
        if why == "output":
            self.status, report["message"] = "output", f"answered more than {self.work.most_bytes} bytes"
        elif why == "timeout":
            self.status = "timeout"
            report = {"kind": "timeout", "message": "ran too long and could not be interrupted"}
        self.message = f"{where}: {report['message']}"
        if not self.loaded or why == "output":
            return False
        self.deaths += 1
        self.timeouts += why == "timeout"
        self.reports.append(dumped(report))
        hopeless = self.deaths >= MOST_DEATHS or self.timeouts >= MOST_TIMEOUTS
        return not hopeless and time.monotonic() < self.deadline


class _Watch:
    """Waits for a fork's next words, as long as its call may take."""

    def __init__(self, receive: int, pid: int, call_seconds: float, deadline: float) -> None:
        self.poll = select.poll()
        self.poll.register(receive, select.POLLIN)
        self.clock = (~pid << 3) | 2  # the kernel's number for the CPU time of a process
        self.call_seconds, self.deadline = call_seconds, deadline
        self.begin()

    def begin(self) -> None:
        """A call begins."""
        self.started, self.spent = time.monotonic(), self._spent()

    def _spent(self) -> float:
        try:
            return time.clock_gettime(self.clock)
        except OSError:  # it has ended: there will be no more words, and no waiting
            return 0.0

    def wait(self) -> bool:
        """False: it has taken too long. The fork interrupts itself, and this is for the case that it can't."""
        end = min(self.deadline, self.started + WALL * self.call_seconds + GRACE_SECONDS)
        while time.monotonic() < end:
            if self.poll.poll(1000 * LOOK_SECONDS):
                return True
            if self._spent() - self.spent > self.call_seconds + GRACE_SECONDS:
                return False
        return False


def _cut(buffer: bytearray) -> bytes | None:
    """Take the next whole report out of what was read."""
    if len(buffer) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack_from(buffer)
    if len(buffer) < LENGTH.size + length:
        return None
    report = bytes(buffer[LENGTH.size : LENGTH.size + length])
    del buffer[: LENGTH.size + length]
    return report


def _ended(pid: int, *, patient: bool) -> str:
    """End a fork and whatever it has started; tell how it ended, if it did so itself and there is time to see it."""
    how = ""
    for _ in range(DYING_TURNS if patient else 0):
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            how = _how(os.waitstatus_to_exitcode(status))
            break
        time.sleep(DYING_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)  # all of this namespace but this process, which is its first
    with contextlib.suppress(ChildProcessError):
        while True:  # orphans end here, too
            os.waitpid(-1, 0)
    return how


def _how(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {-code}"
