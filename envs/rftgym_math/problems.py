"""What a problem is, which split it belongs to, and the hand that works it out, with slips or without."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

SPLITS: Final = ("train",) * 6 + ("validation", "test")
"""The split of each eighth of all problems."""
DIRECT: Final = 100
"""Sums and differences below this are written down at once; larger ones digit by digit."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How often a player slips, at each place where the slip can happen; shares from 0 to 1.

    Attributes:
        unclosed: the closing tag of the answer is forgotten.
        miscopied: the answer is not quite what the working came to: digits swapped, or one of them off.
        unsigned: the minus sign of a negative result is dropped in the answer.
        hasty: there is no working, only an answer.
        carry: a carry or a borrowing is forgotten.
        precedence: operations are done from left to right, whatever binds more strongly.
        side: a term changes sides and keeps its sign.
        distracted: a number that has nothing to do with the question is added.
        missed: the last operation of a countdown is not the one that reaches the target.
    """

    unclosed: float = 0.0
    miscopied: float = 0.0
    unsigned: float = 0.0
    hasty: float = 0.0
    carry: float = 0.0
    precedence: float = 0.0
    side: float = 0.0
    distracted: float = 0.0
    missed: float = 0.0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"Habits.{name} is a share from 0 to 1, not {getattr(self, name)!r}")


CAREFUL: Final = Habits()
"""Never slips."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem and how it is worked out.

    Attributes:
        kind: "arithmetic", "equations", "systems", "words" or "countdown".
        question: as it is posed.
        key: what is asked, without names and without the order of what may change places. Equal for problems that are
            the same; it decides the split.
        solve: works it out with a hand: writes the steps, returns the answer.
        judging: how answers are judged, see `rftgym_math.judge.Question`; nothing for a single number.
    """

    kind: str
    question: str
    key: str
    solve: Callable[[Hand], str]
    judging: Mapping[str, Any] = field(default_factory=dict)


def split_of(key: str) -> str:
    """The split of a problem, decided by its key alone: six eighths "train", one "validation", one "test"."""
    digest = hashlib.blake2b(b"rftgym-math:" + key.encode(), digest_size=1).digest()
    return SPLITS[digest[0] % len(SPLITS)]


class Hand:
    """Writes working down, step by step: true equations, unless it slips.

    Args:
        habits: how often it slips.
        draw: the only source of chance; not used by a careful hand.
    """

    def __init__(self, habits: Habits, draw: Random) -> None:
        self.steps: list[str] = []
        self.draw = draw
        self._habits = habits

    def slips(self, name: str) -> bool:
        """Whether a slip, named as in `Habits`, happens here."""
        share: float = getattr(self._habits, name)
        return share > 0 and self.draw.random() < share

    def write(self, step: str) -> None:
        """Add a step."""
        self.steps.append(step)

    @property
    def working(self) -> str:
        """All steps in one line."""
        return "; ".join(self.steps)

    def operate(self, left: int, operator: str, right: int) -> int:
        """Do one operation (+ - * /) on whole numbers; a division must come out even."""
        if operator == "+":
            return self.add(left, right)
        if operator == "-":
            return self.subtract(left, right)
        if operator == "*":
            return self.multiply(left, right)
        result = left // right
        self.write(f"{left}/{bracketed(right)}={result}")
        return result

    def add(self, left: int, right: int) -> int:
        """A sum: digit by digit from the right where it is of large numbers."""
        if left < 0 or right < 0:
            return self._written(left, "+", right, left + right)
        if max(left, right) < DIRECT:
            carries = left % 10 + right % 10 > 9 and max(left, right) > 9
            lost = 10 if carries and self.slips("carry") else 0
            return self._written(left, "+", right, left + right - lost)
        result, place, carry, a, b = 0, 1, 0, left, right
        while a or b:
            carry = carry if carry and not self.slips("carry") else 0
            total = a % 10 + b % 10 + carry
            if (a and b) or carry:  # a digit that stands alone is only copied down
                terms = [str(each % 10) for each in (a, b) if each] + ["1"] * carry
                self.write(f"{'+'.join(terms)}={total}")
            last = a < 10 and b < 10
            result += place * (total if last else total % 10)
            a, b, place, carry = a // 10, b // 10, place * 10, 0 if last else total // 10
        return self._written(left, "+", right, result)

    def subtract(self, left: int, right: int) -> int:
        """A difference: digit by digit from the right where it is of large numbers, the larger one on top."""
        if left < 0 or right < 0:
            return self._written(left, "-", right, left - right)
        top, bottom = max(left, right), min(left, right)
        if top < DIRECT:
            kept = 10 if top % 10 < bottom % 10 and self.slips("carry") else 0
            result = top - bottom + kept
        else:
            result = self._columns_apart(top, bottom)
        return self._written(left, "-", right, result if left >= right else -result)

    def _columns_apart(self, top: int, bottom: int) -> int:
        result, place, borrowed = 0, 1, 0
        while top:
            borrowed = borrowed if borrowed and not self.slips("carry") else 0
            needed = bottom % 10 + borrowed
            ten = 10 if top % 10 < needed and top >= 10 else 0
            digit = top % 10 + ten - needed
            if bottom or borrowed:
                minus = "-1" * borrowed + (f"-{bottom % 10}" if bottom else "")
                self.write(f"{top % 10 + ten}{minus}={digit}")
            result += place * digit
            top, bottom, place, borrowed = top // 10, bottom // 10, place * 10, 1 if ten else 0
        return result

    def multiply(self, left: int, right: int) -> int:
        """A product: of numbers of several digits, by the places of one of them."""
        small, large = sorted((abs(left), abs(right)))
        if left < 0 or right < 0 or large <= 12 or small < 2 or (small < 10 and large % 10 == 0):
            return self._written(left, "*", right, left * right)
        if small < 10:
            return self._parts(small, _places(large))
        return self._parts(large, _places(small))

    def _parts(self, factor: int, places: list[int]) -> int:
        total = 0
        for number, place in enumerate(places):
            part = self._written(factor, "*", place, factor * place)
            total = self.add(total, part) if number else part
        return total

    def _written(self, left: int, operator: str, right: int, result: int) -> int:
        self.write(f"{left}{operator}{bracketed(right)}={result}")
        return result


def bracketed(number: object) -> str:
    """A number as it stands behind an operator: a negative one in brackets."""
    text = str(number)
    return f"({text})" if text.startswith("-") else text


def _places(number: int) -> list[int]:
    """407 as 400 and 7."""
    digits = str(number)
    return [int(digit) * 10 ** (len(digits) - at) for at, digit in enumerate(digits, 1) if digit != "0"]
