"""Inside the sandbox: a stranger's module is executed and its function called, in this very process.

What runs here can change everything here. See :mod:`rftgym.sandbox.called` for what stays outside of its reach.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import struct
import sys
import time
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from rftgym.sandbox import values

MODULE: Final = "answer"
"""The name under which the stranger's module runs; not ``__main__``, so that what scripts do does not happen."""
LENGTH: Final = struct.Struct("<I")
STDOUT_BYTES: Final = 1 << 16
MESSAGE_CHARACTERS: Final = 500
MOST_TIMEOUTS: Final = 2
"""After so many, the other calls are not tried: they would most likely take as long."""
REPEAT_SECONDS: Final = 0.05
"""A call that catches the end of its time is told again, so often."""
WALL: Final = 5
"""A call may take so many times its CPU time on the clock: a busy machine makes nobody late, and sleep ends."""

Report = dict[str, Any]


class TimeUp(BaseException):
    """Raised in a call whose time is over."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done.

    Attributes:
        calls: each ``{"args": [...], "steps": [[name, [...]], ...] or None}``, values encoded.
        call_seconds: CPU time for executing the module and for every call; `WALL` times as much on the clock.
        seconds: wall time for everything.
        most_bytes: of all reports.
    """

    source: str
    entry: str
    calls: Sequence[Mapping[str, Any]]
    call_seconds: float
    seconds: float
    most_bytes: int


def serve(work: Work, first: int, send: int) -> NoReturn:
    """The whole life of a fork."""
    code = 1
    try:
        os.dup2(send, 3)
        os.closerange(4, os.sysconf("SC_OPEN_MAX"))
        own = os.getpid()
        for report in reports(work, first):
            if os.getpid() != own:
                break  # the stranger has forked, and this is the copy
            data = dumped(report)
            _write_all(3, LENGTH.pack(len(data)) + data)
        code = 0
    finally:
        os._exit(code)


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def dumped(report: Report, dumps: Callable[..., str] = json.dumps) -> bytes:
    """A report as JSON; lone surrogates in it are written out."""
    return dumps(report, ensure_ascii=False).encode("utf-8", "backslashreplace")


def reports(work: Work, first: int) -> Iterator[Report]:
    """First how the module fared, then one report a call."""
    sys.stdin = io.StringIO("")
    clock = _Clock(work.call_seconds)
    entry: list[Any] = []
    yield _loaded(work, clock, entry)
    if not entry:
        return
    timeouts = 0
    for index in range(first, len(work.calls)):
        report = _called(entry[0], work.calls[index], clock)
        timeouts += report["kind"] == "timeout"
        yield report
        if timeouts >= MOST_TIMEOUTS:
            return


class _Clock:
    """Raises :class:`TimeUp` in what runs too long. CPU time counts, so that a busy machine makes nobody late."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.running = self.expired = False
        for number in (signal.SIGPROF, signal.SIGALRM):
            signal.signal(number, self._ring)

    def _ring(self, number: int, frame: types.FrameType | None) -> None:
        if self.running:
            self.expired = True
            raise TimeUp

    def limited(self, function: Callable[[], Report]) -> Report:
        """What the function reports, or that it took too long."""
        self.expired, self.running = False, True
        started = time.perf_counter()
        try:
            signal.setitimer(signal.ITIMER_PROF, self.seconds, REPEAT_SECONDS)
            signal.setitimer(signal.ITIMER_REAL, WALL * self.seconds, REPEAT_SECONDS)
            report = function()
            self.running = False
        except TimeUp:
            report = {}
        finally:
            self.running = False
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
        if self.expired:
            report = {"kind": "timeout", "message": f"longer than {self.seconds:g} s"}
        report["seconds"] = time.perf_counter() - started
        return report


def _loaded(work: Work, clock: _Clock, entry: list[Any]) -> Report:
    """Compile and execute the module and find the entry in it, which is added to ``entry``."""
    _Printed()

    def load() -> Report:
        module = types.ModuleType(MODULE)
        sys.modules[MODULE] = module  # dataclasses and others look it up
        try:
            code = compile(work.source, f"<{MODULE}>", "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError) as error:
            return {"status": "syntax", "message": _syntax_message(error)}
        exec(code, module.__dict__)  # noqa: S102 - in the sandbox: what it is for
        found: Any = module
        for name in work.entry.split("."):
            found = getattr(found, name, None)
        if not callable(found):
            return {"status": "missing", "message": f"defines no {work.entry}"}
        entry.append(found)
        return {"status": "ok", "message": ""}

    try:
        report = clock.limited(load)
    except MemoryError:
        return {"status": "memory", "message": "out of memory while its module was executed"}
    except BaseException as raised:  # noqa: BLE001 - a stranger's module may raise anything
        entry.clear()
        error = raised  # the name in the clause is gone behind it, and the message is made later
        return {"status": "import", "message": _bounded(lambda: _message(error), clock)}
    if report.get("kind") == "timeout":
        entry.clear()
        return {"status": "timeout", "message": f"its module ran longer than {work.call_seconds:g} s"}
    return report


def _syntax_message(error: BaseException) -> str:
    where = f"line {error.lineno}: " if isinstance(error, SyntaxError) and error.lineno else ""
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{where}{type(error).__name__}: {text}"[:MESSAGE_CHARACTERS]


def _message(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:MESSAGE_CHARACTERS]


def _bounded(tell: Callable[[], str], clock: _Clock) -> str:
    """What an object says of itself, which may take for ever or fail."""
    try:
        return str(clock.limited(lambda: {"message": tell()})["message"])
    except BaseException:  # noqa: BLE001 - its author may raise anything
        return ""


def _called(entry: Any, call: Mapping[str, Any], clock: _Clock) -> Report:
    args = [values.decode(each) for each in call["args"]]
    printed = _Printed()
    steps = call["steps"]

    def one() -> Report:
        if steps is None:
            return _attempt(lambda: entry(*args))
        made: list[Any] = []
        report = _attempt(lambda: made.append(entry(*args)))
        if report["kind"] == "value":
            report["value"] = [_attempt(_step(made[0], name, given)) for name, given in steps]
        return report

    try:
        report = clock.limited(one)
    except BaseException as error:  # noqa: BLE001 - even telling what it did may fail, out of memory say
        report = {"kind": "exception", "exception": type(error).__name__, "seconds": 0.0}
    if steps is None and report["kind"] != "timeout" and any(_may_change(each) for each in args):
        report["args"] = [values.encode(each) for each in args]
    report["stdout"] = printed.text()
    return report


def _step(made: Any, name: str, given: Sequence[Any]) -> Callable[[], Any]:
    def call() -> Any:
        found = getattr(made, name)
        return found(*map(values.decode, given)) if callable(found) else found

    return call


def _attempt(function: Callable[[], Any]) -> Report:
    """The value of a call, or what it raised. Runs on the clock, as its value's own methods may."""
    try:
        return {"kind": "value", "value": values.encode(function())}
    except TimeUp:
        raise
    except BaseException as error:  # noqa: BLE001 - a stranger's function may raise anything
        kind = type(error)
        bases = [values.name_of(each) for each in type.__dict__["__mro__"].__get__(kind)]
        try:
            message = str(error)[:MESSAGE_CHARACTERS]
        except TimeUp:
            raise
        except BaseException:  # noqa: BLE001 - and so may its exception
            message = ""
        return {"kind": "exception", "exception": bases[0], "bases": bases[1:-1], "message": message}


def _may_change(value: Any) -> bool:
    if isinstance(value, tuple):
        return any(map(_may_change, value))
    return isinstance(value, list | dict | set)


class _Printed(io.RawIOBase):
    """Takes what is printed, and keeps its beginning."""

    def __init__(self) -> None:
        super().__init__()
        self.kept = bytearray()
        buffered = io.BufferedWriter(self)
        sys.stdout = io.TextIOWrapper(
            buffered, encoding="utf-8", errors="backslashreplace", newline="\n", write_through=True
        )
        self.front = sys.stdout

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        piece = memoryview(data)
        room = STDOUT_BYTES - len(self.kept)
        if room > 0:
            self.kept += piece[:room]
        return len(piece)

    def text(self) -> str:
        """What was printed, cut."""
        with contextlib.suppress(ValueError, OSError):  # closed, or taken apart
            self.front.flush()
        return self.kept.decode("utf-8", "replace")
