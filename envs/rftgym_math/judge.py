"""The judge: an answer in, a verdict out. Numbers are compared exactly in this process, the rest in a sandbox."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from rftgym import registry
from rftgym.sandbox import Job, Limits, Outcome, Sandbox
from rftgym_math.comparing import Comparison, Undecided
from rftgym_math.exact import Undefined, exact
from rftgym_math.expressions import COLLECTIONS, LONGEST, Node, Unreadable, number
from rftgym_math.floats import weight
from rftgym_math.parsing import parse
from rftgym_math.reading import accepted, in_words, misfit, read, same_words, stated, value_of, worked_out
from rftgym_math.units import bare, known
from rftgym_math.verdict import Kind, Question, Verdict, known_kind

LIMITS: Final = Limits(
    wall_seconds=15.0, cpu_seconds=3.0, memory_bytes=512 << 20, output_bytes=65_536, processes=8
)
"""Of one comparison by sympy. Processor time counts, so that a busy machine makes no answer wrong."""
LONGEST_SYMBOLIC: Final = 400
"""Characters of an answer that sympy is asked about."""
SECONDS: Final = 15.0
"""After which no further comparison is begun for one answer: sets are compared element by element."""
SPARE_DIGITS: Final = 50
MOST_DIGITS: Final = 40_000
_STATUS: Final[Mapping[str, Kind]] = {"timeout": "timeout", "memory": "memory", "error": "undecided"}


class Judge:
    """Judges answers; thread-safe. Starts its sandbox when an answer first needs one.

    Args:
        workers: comparisons by sympy at a time; None = as many as processors.
        sandbox: id of an installed one, as `rftgym list sandbox` shows them.
        allow_unsafe: go on where the machine has too few layers of isolation.
    """

    def __init__(
        self, workers: int | None = None, *, sandbox: str = "local", allow_unsafe: bool = False
    ) -> None:
        self._workers = workers
        self._kind = sandbox
        self._allow_unsafe = allow_unsafe
        self._lock = threading.Lock()
        self._sandbox: Sandbox | None = None

    def judge(self, question: Question, answer: str | None) -> Verdict:
        """Judge an answer.

        Raises:
            InfrastructureError: the sandbox failed.
            RftgymError: this machine has no sandbox, and the answer needs one.
        """
        if answer is None or not answer.strip():
            return Verdict("missing", "there is no answer between <answer> and </answer>")
        try:
            if question.target is not None:
                return _countdown(question, answer)
            return self._compared(question, answer)
        except Unreadable as error:
            return Verdict(known_kind(error.kind), str(error))
        except Undefined as error:
            return Verdict("undefined", f"it has no value: {error}")

    def _compared(self, question: Question, answer: str) -> Verdict:
        if in_words(question.answer, question.units):
            return same_words(question.answer, answer)
        gold = accepted(question.answer, question.units)
        units = (*question.units, *([gold.unit] if gold.unit else []))
        said = read(answer, units, question=question.text)
        if gold.node.op in COLLECTIONS and said.node.op not in COLLECTIONS:
            said = read(answer, units, thousands=False, question=question.text)  # 1,234 as a list
        if said.unit and not known(said.unit, units):
            return Verdict("unit", f"the unit {said.unit!r:.40} is not asked for")
        node = stated(gold.node, said.node, question.variables)
        why = misfit(gold.node, node)
        if why:
            return Verdict("type", why)
        value = value_of(node)
        if not (question.unevaluated or worked_out(gold.node, node, percent=said.percent)):
            return Verdict("form", "a number is asked for, and this one is not worked out", False, value)
        asked = _Asked(self, len(answer) + len(question.answer), question.tolerance)
        comparison = Comparison(asked, Fraction(question.tolerance) if question.tolerance else None)
        try:
            same = comparison.same(gold.node, node)
            if not same and gold.percent != said.percent and (gold.percent or "%" in units):
                scaled = node if said.percent is False else Node("*", (node, number(100)))
                wanted = gold.node if gold.percent is False else Node("*", (gold.node, number(100)))
                same = comparison.same(wanted, scaled)
        except Undecided as error:
            return Verdict(known_kind(error.kind), str(error))
        return Verdict("right", "", True, value) if same else Verdict("wrong", "another value", True, value)

    # ---- the sandbox

    def run(self, header: Mapping[str, Any]) -> Outcome:
        """Have two expressions compared by sympy."""
        return self._started().run(Job("rftgym_math.symbolic:equal", header, limits=LIMITS))

    def _started(self) -> Sandbox:
        with self._lock:
            if self._sandbox is None:
                self._sandbox = registry.make_sandbox(
                    self._kind,
                    preload=("rftgym_math.symbolic:preload",),
                    workers=self._workers,
                    allow_unsafe=self._allow_unsafe,
                )
            return self._sandbox

    def close(self) -> None:
        """End the sandbox; a new one is started when it is needed."""
        with self._lock:
            if self._sandbox is not None:
                self._sandbox.close()
            self._sandbox = None


class _Asked:
    """Asks sympy about one answer's parts, not for too long."""

    def __init__(self, judge: Judge, characters: int, tolerance: str) -> None:
        self._judge = judge
        self._characters = characters
        self._tolerance = tolerance
        self._end = time.monotonic() + SECONDS

    def __call__(self, gold: Node, answer: Node) -> bool:
        if self._characters > LONGEST_SYMBOLIC:
            raise Undecided("too_long", f"more than {LONGEST_SYMBOLIC} characters of symbolic mathematics")
        digits = 3 * round(self._characters + weight(gold) + weight(answer)) + SPARE_DIGITS
        if digits > MOST_DIGITS:
            raise Undecided(
                "too_large", f"it takes {digits:,} digits to tell; at most {MOST_DIGITS:,} are compared"
            )
        if time.monotonic() > self._end:
            raise Undecided("timeout", f"more than {SECONDS:g} s for one answer")
        header = {
            "gold": gold.as_json(),
            "answer": answer.as_json(),
            "digits": digits,
            "seed": f"{gold.as_json()} {answer.as_json()}",
            "tolerance": self._tolerance,
        }
        outcome = self._judge.run(header)
        if outcome.status != "ok":
            kind = _STATUS.get(outcome.status, "crash")
            raise Undecided(kind, f"the comparison ended with: {outcome.status}")
        equal = outcome.header.get("equal")
        if not isinstance(equal, bool):
            raise Undecided("undecided", "it could not be evaluated")
        return equal


@functools.cache
def shared_judge(workers: int | None, sandbox: str, allow_unsafe: bool, process: int) -> Judge:
    """The judge that all environments of a process share which have the same settings."""
    return Judge(workers, sandbox=sandbox, allow_unsafe=allow_unsafe)


def _countdown(question: Question, answer: str) -> Verdict:
    """Any expression that makes the target from the numbers, each at most once."""
    node = parse(bare(answer).text) if len(answer) <= LONGEST else read(answer).node
    if node.op == "=":  # "25*4-3 = 97", or the other way round
        sides = [each for each in node.args if each != number(question.target or 0)]
        node = sides[0] if len(sides) == 1 else node
    literals: list[Fraction] = []
    if not _plain(node, literals):
        return Verdict("type", "an expression of numbers with + - * / is asked for")
    value = exact(node)
    left = [Fraction(each) for each in question.numbers]
    for literal in literals:
        if literal not in left:
            return Verdict(
                "rule", f"{literal!s:.20} is not among the numbers, or used too often", False, str(value)
            )
        left.remove(literal)
    if value != question.target:
        return Verdict("wrong", "it does not make the target", True, str(value))
    return Verdict("right", "", True, str(value))


def _plain(node: Node, literals: list[Fraction]) -> bool:
    """Whether an expression holds nothing but numbers and the four operations; collects the numbers."""
    if node.op == "number":
        literals.append(abs(node.value))
        return True
    return node.op in ("+", "*", "neg", "inv") and all(_plain(each, literals) for each in node.args)
