"""Hidden tests: how they are written, run and checked, and what an answer without any thought would pass."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rftgym.sandbox import values
from rftgym.sandbox.functions import Call, Result
from rftgym_code.compare import Mode, same, within

Flaw = Literal["", "wrong", "raised", "changed", "timeout", "not_run"]
"""What is wrong with a result; empty where nothing is."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call has to come to: a value, or an exception of some class or one below it.

    Attributes:
        value: returned; counts where ``raises`` is empty.
        raises: name of the exception's class.
        tolerance: how far a number may be off; 0: see `rftgym_code.compare`.
    """

    value: Any = None
    raises: str = ""
    tolerance: float = 0.0

    def flaw(self, result: Result, mode: Mode) -> Flaw:
        """What is wrong with a result."""
        if result.kind in ("timeout", "not_run"):
            return "timeout" if result.kind == "timeout" else "not_run"
        if self.raises:
            raised = result.kind == "exception" and self.raises in (result.exception, *result.bases)
            return "" if raised else "raised" if result.kind == "exception" else "wrong"
        if result.kind == "exception":
            return "raised"
        near = self.tolerance > 0 and within(self.value, result.value, self.tolerance)
        return "" if near or same(self.value, result.value, mode) else "wrong"


@dataclass(frozen=True, slots=True)
class Test:
    """One test.

    Attributes:
        call: that is made.
        outcomes: what it has to come to: one, or one for each step.
        after: the arguments afterwards; None: not looked at.
    """

    __test__ = False  # no test of pytest's

    call: Call
    outcomes: tuple[Outcome, ...]
    after: tuple[Any, ...] | None = None

    def flaw(self, result: Result, mode: Mode) -> Flaw:
        """What is wrong with a result; of steps, the first thing."""
        if self.call.steps is None:
            found = self.outcomes[0].flaw(result, mode)
        elif result.kind != "value":
            found = Outcome().flaw(result, mode)
        else:
            found = next(
                filter(None, map(_step_flaw, self.outcomes, result.value, [mode] * len(result.value))), ""
            )
        if not found and self.after is not None and not same(self.after, result.args, "strict"):
            return "changed"
        return found

    def keeping(self) -> Test:
        """The same test, which looks at the arguments as well: they have to stay as they are."""
        if self.after is not None or self.call.steps is not None:
            return self
        return Test(self.call, self.outcomes, self.call.args)


def _step_flaw(outcome: Outcome, result: Result, mode: Mode) -> Flaw:
    return outcome.flaw(result, mode)


def to_json(test: Test) -> dict[str, Any]:
    """The test as JSON values."""
    row: dict[str, Any] = {"args": [values.encode(each) for each in test.call.args]}
    outcomes = [_outcome_row(each) for each in test.outcomes]
    if test.call.steps is None:
        row |= outcomes[0]
    else:
        row["steps"] = [
            [name, [values.encode(each) for each in args], outcome]
            for (name, args), outcome in zip(test.call.steps, outcomes, strict=True)
        ]
    if test.after is not None:
        row["after"] = [values.encode(each) for each in test.after]
    return row


def _outcome_row(outcome: Outcome) -> dict[str, Any]:
    if outcome.raises:
        return {"raises": outcome.raises}
    row = {"expected": values.encode(outcome.value)}
    return row | ({"tolerance": outcome.tolerance} if outcome.tolerance else {})


def from_json(row: Mapping[str, Any]) -> Test:
    """The test that :func:`to_json` wrote."""
    args = _decoded(row["args"])
    after = _decoded(row["after"]) if "after" in row else None
    if "steps" not in row:
        return Test(Call(args), (_outcome(row),), after)
    steps = tuple((name, _decoded(given)) for name, given, _ in row["steps"])
    return Test(Call(args, steps), tuple(_outcome(each) for _, _, each in row["steps"]), after)


def _decoded(encoded: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(map(values.decode, encoded))


def _outcome(row: Mapping[str, Any]) -> Outcome:
    if "raises" in row:
        return Outcome(raises=row["raises"])
    return Outcome(values.decode(row["expected"]), tolerance=row.get("tolerance", 0.0))


def baseline(tests: Sequence[Test]) -> float:
    """The largest share of the tests that an answer passes which does nothing but return a constant or an argument.

    Or which always raises the same exception.
    """
    if not tests:
        return 0.0
    constants: Counter[str] = Counter()
    for test in tests:
        if test.after is not None and not same(test.after, test.call.args):
            continue
        written = {json.dumps(to_json(Test(Call(), (outcome,))), sort_keys=True) for outcome in test.outcomes}
        if len(written) == 1:
            constants.update(written)
    arity = max(len(test.call.args) for test in tests)
    echoes = [sum(_echoed(test, place) for test in tests) for place in range(arity)]
    return max([*constants.values(), *echoes, 0]) / len(tests)


def _echoed(test: Test, place: int) -> bool:
    if test.call.steps is not None or place >= len(test.call.args) or test.outcomes[0].raises:
        return False
    if test.after is not None and not same(test.after, test.call.args):
        return False
    return same(test.outcomes[0].value, test.call.args[place])
