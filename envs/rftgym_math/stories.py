"""Word problems: what they tell, and the operations that answer them.

A story is a text with names and things in it, a plan of operations, and perhaps a number that has nothing to do with
the question. Each function below is one kind of story; it draws all that it tells.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from rftgym_math.problems import Hand, Problem

NAMES: Final = (
    "Ada",
    "Ben",
    "Cleo",
    "Dan",
    "Eva",
    "Finn",
    "Gita",
    "Hugo",
    "Ines",
    "Jon",
    "Kim",
    "Lena",
    "Max",
    "Noor",
)
THINGS: Final = (
    "apples", "books", "coins", "cards", "eggs", "marbles", "pens", "shells", "stamps", "stickers",
)  # fmt: skip
PREVIOUS: Final = None
"""In a plan: the result of the operation before."""
Operand = int | None
Step = tuple[Operand, str, Operand]


@dataclass(frozen=True, slots=True)
class Story:
    """A word problem.

    Attributes:
        name: of the kind of story.
        told: sentences before the question.
        question: the last sentence.
        plan: operations; `PREVIOUS` stands for the result of the one before.
        units: what may stand behind (or, as "$", before) the answer.
        extra: a number that does not matter, told in one of the sentences.
    """

    name: str
    told: tuple[str, ...]
    question: str
    plan: tuple[Step, ...]
    units: tuple[str, ...] = ()
    extra: int | None = None

    def problem(self) -> Problem:
        """As a problem. Its key leaves out names, things and the number that does not matter."""
        key = f"{self.name} {' '.join(f'{a}{o}{b}' for a, o, b in self.plan)}"
        text = " ".join((*self.told, self.question))
        return Problem("words", text, key, self._solve, {"units": list(self.units)})

    def _solve(self, hand: Hand) -> str:
        value = 0
        for left, operator, right in self.plan:
            a, b = (value if each is PREVIOUS else each for each in (left, right))
            if operator == "%":  # a remainder
                hand.write(f"{b}*{a // b}={a // b * b}")
                value = hand.subtract(a, a // b * b)
            elif operator == "/" and a % b:  # reached by a slip
                value = a // b
                hand.write(f"{a}/{b}={value}")
            else:
                value = hand.operate(a, operator, b)
        if self.extra is not None and hand.slips("distracted"):
            value = hand.add(value, self.extra)
        return str(value)


def distracted(make: Callable[[Random], Story]) -> Callable[[Random], Story]:
    """The same story with a number that does not matter, told before the question."""

    def told(rng: Random) -> Story:
        story = make(rng)
        extra = rng.randint(2, 40)
        name, thing = rng.choice(NAMES), rng.choice(THINGS)
        aside = rng.choice(
            (
                f"{name} is {extra} years old.",
                f"There are {extra} chairs in the room.",
                f"{name} waited {extra} minutes.",
                f"{name} once lost {extra} {thing}.",
                f"The shop has been open for {extra} years.",
            )
        )
        at = rng.randint(1, len(story.told))
        return replace(story, told=(*story.told[:at], aside, *story.told[at:]), extra=extra)

    return told


def as_problem(makers: Sequence[Callable[[Random], Story]]) -> Callable[[Random], Problem]:
    """A level: one of these stories."""
    return lambda rng: rng.choice(makers)(rng).problem()


def money(name: str, told: tuple[str, ...], question: str, *plan: Step) -> Story:
    """A story whose answer is a sum of money."""
    return Story(name, told, question, plan, ("$", "dollars", "dollar"))


def counted(thing: str, name: str, told: tuple[str, ...], question: str, *plan: Step) -> Story:
    """A story whose answer is a number of things."""
    return Story(name, told, question, plan, (thing, thing.removesuffix("s")))


def two(rng: Random) -> tuple[str, str]:
    """Two names."""
    first, second = rng.sample(NAMES, 2)
    return first, second
