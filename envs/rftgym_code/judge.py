"""Judges answers: runs them on the hidden tests in the sandbox, and compares outside of it.

The sandbox is told the arguments and nothing else: neither what is expected nor what a test is about. An answer may
take the process over in which it runs; it gains the right to name results, which it would have to guess.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rftgym.sandbox import Limits, values
from rftgym.sandbox.functions import LIMITS, PythonFunctions, Ran, Result
from rftgym_code.compare import Mode
from rftgym_code.extract import adds_nothing, defines
from rftgym_code.testing import Flaw, Test, from_json
from rftgym_code.verdict import Kind, Verdict

CALL_SECONDS: Final = 1.0
FLAWS: Final[Mapping[Flaw, tuple[Kind, str]]] = {
    "wrong": ("wrong", "returns something else than is expected"),
    "raised": ("raised", "raises an exception that is not expected"),
    "changed": ("changed", "changes its arguments, or does not leave in them what it should"),
    "timeout": ("timeout", "takes too long"),
    "not_run": ("crash", "was not run, since the process had ended"),
}
SHOWN_CHARACTERS: Final = 200


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """What judges differ in.

    Attributes:
        workers: answers that run at a time; None = as many as processors.
        sandbox: id of an installed one.
        allow_unsafe: go on where the machine cannot isolate untrusted code.
        call_seconds: CPU time of one call.
    """

    workers: int | None = None
    sandbox: str = "local"
    allow_unsafe: bool = False
    call_seconds: float = CALL_SECONDS


class Judge:
    """Judges answers; thread-safe."""

    def __init__(self, settings: JudgeSettings) -> None:
        self.functions = PythonFunctions(
            workers=settings.workers,
            sandbox=settings.sandbox,
            allow_unsafe=settings.allow_unsafe,
            limits=_limits(settings.call_seconds),
            call_seconds=settings.call_seconds,
        )

    def judge(self, data: Mapping[str, Any], prompt: str, code: str | None) -> Verdict:
        """What is to be said of an answer.

        Args:
            data: of the task.
            prompt: that was answered.
            code: that was found in the answer.
        Raises:
            InfrastructureError: the sandbox failed.
        """
        tests, total = tests_of(data), len(data["tests"])
        entry = data["entry"]
        if code is None:
            return Verdict("format", "there is no code in the answer", total=total)
        if adds_nothing(code, prompt):
            return Verdict("echo", "the code adds nothing to the prompt", total=total)
        defined = defines(code, entry)
        ran = self.functions.run(code, entry, [test.call for test in tests])
        if ran.status in ("syntax", "import", "missing") or all(r.kind == "not_run" for r in ran.results):
            return Verdict(_kind(ran), _said(ran.message), defined, total=total)
        return _verdict(data, tests, ran, defined)

    def close(self) -> None:
        """End the sandbox; a new one is started when it is needed."""
        self.functions.close()


def _limits(call_seconds: float) -> Limits:
    """Of one answer: room for some calls that take as long as they may."""
    seconds = max(LIMITS.wall_seconds, 45 * call_seconds)
    return dataclasses.replace(LIMITS, wall_seconds=seconds, cpu_seconds=seconds)


def _kind(ran: Ran) -> Kind:
    return "crash" if ran.status == "ok" else ran.status


def _verdict(data: Mapping[str, Any], tests: Sequence[Test], ran: Ran, defined: bool) -> Verdict:
    """Of an answer that ran; the tests begin with the examples."""
    mode: Mode = data.get("comparison", "strict")
    flaws = [test.flaw(result, mode) for test, result in zip(tests, ran.results, strict=True)]
    shown = len(data["examples"])
    total = len(tests) - shown
    passed = flaws[shown:].count("")
    if not any(flaws):
        return Verdict("passed", "", True, True, passed, total, 1.0, True)
    place = next(place for place, flaw in enumerate(flaws) if flaw)
    kind, message = FLAWS[flaws[place]]
    if flaws[place] == "not_run":
        kind, message = _kind(ran), _said(ran.message)
    elif place < shown:
        message = f"on an example of the prompt, it {_shown(data, flaws[place], ran.results[place])}"
    else:
        message = f"on a hidden test, it {message}"
    base = float(data["baseline"])
    share = max(0.0, (passed / total - base) / (1 - base)) if base < 1 else 0.0
    return Verdict(kind, message, defined, True, passed, total, share)


def _shown(data: Mapping[str, Any], flaw: Flaw, result: Result) -> str:
    """An example is no secret, so neither is what came of it."""
    if flaw == "wrong" and result.kind == "value" and _ordered(result.value):
        return _said(f"returns {values.shown(result.value)}")
    if flaw == "raised":
        return _said(f"raises {result.exception}: {result.message}")
    return FLAWS[flaw][1]


def _ordered(value: Any) -> bool:
    """Whether a value is written the same way in every process: the members of sets have no order."""
    if isinstance(value, dict):
        return all(map(_ordered, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_ordered, value))
    return not isinstance(value, set | frozenset | values.Opaque)


def _said(text: str) -> str:
    """One line, short."""
    return " ".join(text.split())[:SHOWN_CHARACTERS]


def tests_of(data: Mapping[str, Any]) -> list[Test]:
    """The examples and the hidden tests of a task."""
    tests = [from_json(row) for row in (*data["examples"], *data["tests"])]
    if data.get("keeps_arguments"):
        return [test.keeping() for test in tests]
    return tests


@functools.lru_cache(maxsize=8)
def shared_judge(settings: JudgeSettings, process: int) -> Judge:
    """The judge that all environments of a process share which have the same settings."""
    return Judge(settings)
