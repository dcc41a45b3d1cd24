"""Running Python functions nobody trusts on arguments, and getting plain values back.

::

    with PythonFunctions() as functions:
        ran = functions.run("def double(x): return 2 * x", "double", [Call((21,))])
        ran.results[0].value  # 42

Expected values never enter the sandbox: what comes back is compared outside. What a job says is an answer, never
evidence: a stranger who takes the runner over can name any result, and has to guess which one is wanted.

Runs are isolated from one another. The calls of one run are not: they share a module, and mostly a process.
"""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Literal, Self, cast, get_args

from rftgym.errors import UsageError
from rftgym.sandbox import values
from rftgym.sandbox.contract import MEBIBYTE, Job, Limits, Outcome, Sandbox

RanStatus = Literal["ok", "syntax", "import", "missing", "timeout", "memory", "output", "crash"]
ResultKind = Literal["value", "exception", "timeout", "not_run"]
FUNCTION: Final = "rftgym.sandbox.called:run"
STANDARD: Final = (
    "abc", "bisect", "collections", "copy", "dataclasses", "datetime", "decimal", "enum", "fractions", "functools",
    "heapq", "itertools", "json", "math", "operator", "random", "re", "statistics", "string", "textwrap", "typing",
)  # fmt: skip
"""What answers usually import, imported already."""
LIMITS: Final = Limits(
    wall_seconds=45, cpu_seconds=45, memory_bytes=512 * MEBIBYTE, output_bytes=4 * MEBIBYTE, processes=8
)
"""Of all calls together: so long that a busy machine makes nobody late, whose calls keep to their own time."""
LONGEST_SOURCE: Final = 1 << 20
MOST_CALLS: Final = 4096
CALLS_BYTES: Final = 8 * MEBIBYTE
STDOUT_CHARACTERS: Final = 1 << 16
MESSAGE_CHARACTERS: Final = 500
_DEADLINE_SHARE: Final = 0.9
_NOT_RUN: Final[dict[str, Any]] = {"kind": "not_run"}


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    Attributes:
        args: plain values, see :mod:`rftgym.sandbox.values`.
        steps: the entry is a class, which ``args`` construct; then these of its methods are called, each given as name
            and arguments. A name that is no method but an attribute is read.
    """

    args: tuple[Any, ...] = ()
    steps: tuple[tuple[str, tuple[Any, ...]], ...] | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one call, as the sandbox tells it.

    Attributes:
        kind: "value": it returned; "exception": it raised; "timeout": it took too long; "not_run": the process ended
            in it or before it (``message`` tells), or it was not tried because others took too long.
        value: what it returned; with steps, a list of the steps' results. Text in it may hold lone surrogates.
        args: the arguments after the call, for functions that work in place; those given, with steps.
        exception: the name of its class.
        bases: names of that class's bases, nearest first.
        message: of the exception, cut.
        stdout: what was printed, cut.
        seconds: wall time.
    """

    kind: ResultKind
    value: Any = None
    args: tuple[Any, ...] = ()
    exception: str = ""
    bases: tuple[str, ...] = ()
    message: str = ""
    stdout: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a source.

    Attributes:
        status: "ok": every call was tried. "syntax": it does not compile. "import": it raised when it was executed.
            "missing": it defines no such entry. "timeout", "memory", "output", "crash": some call, or the module, went
            over that limit or ended the process; the results of other calls may be there all the same.
        message: why it is not "ok", for people.
        results: one a call.
    """

    status: RanStatus
    message: str
    results: tuple[Result, ...]


class PythonFunctions:
    """Runs functions in a sandbox; thread-safe, and shared by the environments of a process.

    Args:
        preload: modules, next to the usual ones of the standard library, that answers may import without delay.
        workers: runs at a time; None: one per core.
        sandbox: id of an installed one, as `rftgym list sandbox` shows them.
        allow_unsafe: go on where the machine cannot isolate untrusted code.
        limits: of one run, all its calls together.
        call_seconds: CPU time of one call, and of executing the module; five times as much on the clock.
    """

    def __init__(
        self,
        *,
        preload: Sequence[str] = (),
        workers: int | None = None,
        sandbox: str = "local",
        allow_unsafe: bool = False,
        limits: Limits = LIMITS,
        call_seconds: float = 2.0,
    ) -> None:
        if not call_seconds > 0:
            raise UsageError(f"call_seconds must be greater than 0, not {call_seconds!r}")
        self.limits = limits
        self.call_seconds = call_seconds
        self._kind = sandbox
        self._settings: dict[str, Any] = {
            "preload": (FUNCTION.partition(":")[0], *STANDARD, *preload),
            "workers": workers,
            "allow_unsafe": allow_unsafe,
        }
        self._lock = threading.Lock()
        self._sandbox: Sandbox | None = None

    def run(self, source: str, entry: str, calls: Sequence[Call]) -> Ran:
        """Execute a module and call its function or class.

        Args:
            source: of the module; anything.
            entry: name of the function or class in it; dots lead into classes.
            calls: in order.
        Raises:
            UsageError: the arguments are no plain values, or too large. This is the caller's fault, not the source's.
            InfrastructureError: the sandbox failed.
        """
        written = _written(calls)
        if len(source) > LONGEST_SOURCE:
            return _nothing(calls, "syntax", f"longer than {LONGEST_SOURCE} characters")
        try:
            text = source.encode()
        except UnicodeEncodeError as error:
            return _nothing(calls, "syntax", f"no text: {error.reason}, at character {error.start}")
        header = {
            "entry": entry,
            "call_seconds": self.call_seconds,
            "seconds": self.limits.wall_seconds * _DEADLINE_SHARE,
            "most_bytes": int(self.limits.output_bytes * _DEADLINE_SHARE),
        }
        outcome = self._started().run(Job(FUNCTION, header, (text, written), self.limits))
        return _ran(outcome, calls)

    def close(self) -> None:
        """End the sandbox; another one is started when it is needed."""
        with self._lock:
            if self._sandbox is not None:
                self._sandbox.close()
                self._sandbox = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _started(self) -> Sandbox:
        with self._lock:
            if self._sandbox is None:
                from rftgym.registry import make_sandbox

                self._sandbox = make_sandbox(self._kind, **self._settings)
            return self._sandbox


def _written(calls: Sequence[Call]) -> bytes:
    """The calls as JSON.

    Raises:
        UsageError: an argument is no plain value, or there is too much of it all.
    """
    if len(calls) > MOST_CALLS:
        raise UsageError(f"{len(calls)} calls in one run; at most {MOST_CALLS}")
    rows = []
    for index, call in enumerate(calls):
        steps = None if call.steps is None else [[name, _encoded(index, args)] for name, args in call.steps]
        rows.append({"args": _encoded(index, call.args), "steps": steps})
    text = json.dumps(rows, ensure_ascii=False).encode()
    if len(text) > CALLS_BYTES:
        raise UsageError(f"the arguments of all calls take {len(text)} bytes; at most {CALLS_BYTES}")
    return text


def _encoded(index: int, args: Sequence[Any]) -> list[Any]:
    encoded = [values.encode(each) for each in args]
    if not all(values.plain(values.decode(each)) for each in encoded):
        raise UsageError(
            f"call {index}: the arguments hold something that is no plain value, or too large: {values.shown(args)}"
        )
    return encoded


def _nothing(calls: Sequence[Call], status: RanStatus, message: str) -> Ran:
    return Ran(status, message, tuple(Result("not_run", args=call.args) for call in calls))


def _ran(outcome: Outcome, calls: Sequence[Call]) -> Ran:
    """Read an outcome; everything in it but the status may be a stranger's invention."""
    if outcome.status != "ok":
        ended: RanStatus = "crash" if outcome.status == "error" else outcome.status
        return _nothing(calls, ended, _clean(outcome.message))
    status, message = outcome.header.get("status"), outcome.header.get("message")
    shaped = status in get_args(RanStatus) and isinstance(message, str)
    if not shaped or len(outcome.blobs) != len(calls):
        return _nothing(calls, "crash", "the answer has the wrong shape")
    try:
        results = tuple(_result(blob, call) for blob, call in zip(outcome.blobs, calls, strict=True))
    except (ValueError, RecursionError):
        return _nothing(calls, "crash", "a result has the wrong shape")
    return Ran(cast("RanStatus", status), _clean(message), results)


def _result(blob: bytes, call: Call) -> Result:
    told = json.loads(blob) if blob else _NOT_RUN
    result = _of_report(told, call.args)
    if result.kind != "value":
        return result
    if call.steps is None:
        return dataclasses.replace(result, value=values.decode(result.value))
    if not isinstance(result.value, list) or len(result.value) != len(call.steps):
        raise ValueError("steps")
    return dataclasses.replace(result, value=[_step(each) for each in result.value])


def _step(told: Any) -> Result:
    result = _of_report(told, ())
    return dataclasses.replace(result, value=values.decode(result.value))


def _of_report(told: Any, args: tuple[Any, ...]) -> Result:
    """A report as a result, its value not yet decoded.

    Raises:
        ValueError: it has the wrong shape; a stranger can write anything.
    """
    if not isinstance(told, dict) or told.get("kind") not in get_args(ResultKind):
        raise ValueError("kind")
    value = told.get("value") if told["kind"] == "value" else None
    after = told.get("args")
    bases, seconds = told.get("bases", []), told.get("seconds", 0.0)
    if not isinstance(bases, list) or not isinstance(seconds, float) or not 0 <= seconds < 1e6:
        raise ValueError("bases or seconds")
    if after is not None and (not isinstance(after, list) or len(after) != len(args)):
        raise ValueError("args")
    return Result(
        told["kind"],
        value,
        args if after is None else tuple(map(values.decode, after)),
        _clean(told.get("exception", "")),
        tuple(map(_clean, bases[:32])),
        _clean(told.get("message", "")),
        _clean(told.get("stdout", ""), STDOUT_CHARACTERS),
        seconds,
    )


def _clean(text: Any, most: int = MESSAGE_CHARACTERS) -> str:
    """Text that can be shown and stored.

    Raises:
        ValueError: it is no text.
    """
    if not isinstance(text, str):
        raise ValueError("text")
    return text[:most].encode("utf-8", "backslashreplace").decode()
