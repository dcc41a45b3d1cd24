"""Countdown: reach a target from some numbers with + - * /, each number at most once. Every right expression counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from rftgym_math.problems import Hand, Problem

LARGEST: Final = 999
"""Of the targets and of what comes up on the way to them."""
TRIES: Final = 200
STRENGTH: Final = {"+": 1, "-": 1, "*": 2, "/": 2}


@dataclass(frozen=True, slots=True)
class Piece:
    """A number, or an expression with its value and the operation that it ends with ("" for a number)."""

    value: int
    text: str
    operator: str = ""


def joined(left: Piece, operator: str, right: Piece, value: int) -> Piece:
    """Two pieces as one, with brackets only where they are needed."""
    strength = STRENGTH[operator]
    first, second = left.text, right.text
    if left.operator and STRENGTH[left.operator] < strength:
        first = f"({first})"
    if right.operator and (STRENGTH[right.operator] < strength or operator in "-/"):
        second = f"({second})"
    return Piece(value, f"{first}{operator}{second}", operator)


def result(left: int, operator: str, right: int) -> int | None:
    """What comes out; None where that is below 1, too large, a fraction, or nothing gained (times or divided by 1)."""
    if operator in "*/" and 1 in (left, right):
        return None
    if operator == "/":
        return left // right if left % right == 0 else None
    value = {"+": left + right, "-": left - right, "*": left * right}[operator]
    return value if 1 <= value <= LARGEST else None


def countdown(count: int, uses: int, operators: str, large: int = 0) -> Callable[[Random], Problem]:
    """A level.

    Args:
        count: how many numbers there are.
        uses: how many of them the shown solution uses.
        operators: that it may use; all four are always allowed.
        large: how many of the numbers are 25, 50, 75 or 100; the others go up to 12.
    """

    def make(rng: Random) -> Problem:
        while True:
            numbers = rng.sample((25, 50, 75, 100), large) + [
                rng.randint(1, 12) for _ in range(count - large)
            ]
            plan = _plan(rng.sample(numbers, uses), operators, rng)
            if plan is not None and plan[-1][3] not in numbers:
                return problem(sorted(numbers), plan)

    return make


Plan = list[tuple[Piece, str, Piece, int]]
"""Operations in the order in which they are done: left, operator, right, value."""


def _plan(numbers: list[int], operators: str, rng: Random) -> Plan | None:
    """A way to use all these numbers; None where chance finds none."""
    pieces = [Piece(number, str(number)) for number in numbers]
    plan: Plan = []
    for _ in range(TRIES):
        if len(pieces) == 1:
            return plan
        left, right = sorted(rng.sample(pieces, 2), key=lambda piece: -piece.value)
        operator = rng.choice(operators)
        value = result(left.value, operator, right.value)
        if value is None:
            continue
        plan.append((left, operator, right, value))
        pieces = [each for each in pieces if each is not left and each is not right]
        pieces.append(joined(left, operator, right, value))
    return None


def problem(numbers: list[int], plan: Plan) -> Problem:
    """The problem whose target a plan reaches."""
    target = plan[-1][3]

    def solve(hand: Hand) -> str:
        for left, operator, right, value in plan[:-1]:
            hand.write(f"{left.value}{operator}{right.value}={value}")
        left, operator, right, value = plan[-1]
        if hand.slips("missed"):
            operator = hand.draw.choice([each for each in "+-*" if each != operator])
            value = {
                "+": left.value + right.value,
                "-": left.value - right.value,
                "*": left.value * right.value,
            }[operator]
        hand.write(f"{left.value}{operator}{right.value}={value}")
        return joined(left, operator, right, value).text

    shown = ", ".join(map(str, numbers))
    question = f"Make {target} from {shown} with + - * /, each number at most once."
    key = f"{target} from {' '.join(map(str, numbers))}"
    return Problem("countdown", question, key, solve, {"target": target, "numbers": numbers})
