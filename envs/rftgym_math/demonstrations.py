"""An imperfect player: the right structure, with slips of his own. Data for supervised fine-tuning.

Demonstration `i` depends on (seed, i) and the habits alone, and poses a problem of the train split.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from random import Random
from typing import Final

from rftgym import Message
from rftgym_math import prompts
from rftgym_math.generator import Grades
from rftgym_math.problems import CAREFUL, Habits, Hand, Problem

DEFAULT: Final = Habits(
    unclosed=0.58,
    miscopied=0.25,
    unsigned=0.5,
    hasty=0.08,
    carry=0.1,
    precedence=0.4,
    side=0.3,
    distracted=0.4,
    missed=0.4,
)
"""Of the player that `MathEnv.demonstrations` shows: able, careless at a few places, right one time in four."""


def played(problem: Problem, habits: Habits, draw: Random) -> str:
    """A completion for a problem.

    Args:
        problem: what is asked.
        habits: how often it goes wrong, and where.
        draw: the only source of chance.
    """
    hand = Hand(habits, draw)
    answer = problem.solve(hand)
    if answer.startswith("-") and hand.slips("unsigned"):
        answer = answer[1:]
    if hand.slips("miscopied"):
        answer = miscopied(answer, draw)
    working = "" if hand.slips("hasty") else hand.working
    return prompts.completion(working, answer, closed=not hand.slips("unclosed"))


def miscopied(text: str, draw: Random) -> str:
    """A text with a digit that is one off, or with two neighbouring digits swapped."""
    digits = [at for at, each in enumerate(text) if each.isdigit()]
    pairs = [at for at in digits if at + 1 in digits and text[at] != text[at + 1]]
    if pairs and draw.random() < 0.5:
        at = draw.choice(pairs)
        return f"{text[:at]}{text[at + 1]}{text[at]}{text[at + 2 :]}"
    at = draw.choice(digits)
    off = (int(text[at]) + draw.choice((-1, 1))) % 10
    return f"{text[:at]}{off}{text[at + 1 :]}"


@lru_cache(maxsize=1)
def _grades() -> Grades:
    return Grades()


def demonstration(
    seed: int, index: int, habits: Habits = DEFAULT, grades: Grades | None = None
) -> list[Message]:
    """Conversation number `index` of the endless series that belongs to `seed`: system, user, assistant.

    Args:
        seed: of the series.
        index: counts from 0.
        habits: of the player.
        grades: the levels to draw from; None = all.
    """
    draw = Random(f"rftgym-math:demonstration:{seed}:{index}")
    problem, _ = (grades or _grades()).draw("train", draw)
    return prompts.conversation(problem.question, played(problem, habits, draw))


def demonstrations(
    n: int, *, seed: int, habits: Habits = DEFAULT, grades: Grades | None = None
) -> Iterator[list[Message]]:
    """The first `n` conversations of the series that belongs to `seed`; see `demonstration`."""
    return (demonstration(seed, index, habits, grades) for index in range(n))


__all__ = ["CAREFUL", "DEFAULT", "Habits", "demonstration", "demonstrations", "miscopied", "played"]
