"""Problems without end: levels of difficulty from 0 to 1 in steps of a twentieth, and the tasks drawn from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from rftgym import Task
from rftgym.errors import ContractError, UsageError
from rftgym.tasks import ProceduralTaskset
from rftgym_math import arithmetic, equations, fractional, words
from rftgym_math.countdown import countdown
from rftgym_math.problems import CAREFUL, Hand, Problem, split_of
from rftgym_math.stories import as_problem, distracted

KINDS: Final = ("arithmetic", "equations", "systems", "words", "countdown")
TRIES: Final = 10_000
"""Drawings of a problem until one belongs to a split: about 8 for a held-out one."""


@dataclass(frozen=True, slots=True)
class Level:
    """Problems of one kind that are about equally hard.

    Attributes:
        kind: one of `KINDS`.
        difficulty: twentieths, from 0 to 20.
        make: draws a problem.
    """

    kind: str
    difficulty: int
    make: Callable[[Random], Problem]


def _levels(kind: str, *made: tuple[int, Callable[[Random], Problem]]) -> list[Level]:
    return [Level(kind, difficulty, make) for difficulty, make in made]


def _stories(makers: Sequence[Callable[[Random], Any]]) -> Callable[[Random], Problem]:
    return as_problem([distracted(make) for make in makers])


LEVELS: Final = (
    *_levels(
        "arithmetic",
        (0, arithmetic.sums(1, 12, 1, 12)),
        (0, arithmetic.differences(1, 18)),
        (1, arithmetic.sums(10, 99, 1, 9)),
        (1, arithmetic.products(2, 10, 2, 10)),
        (2, arithmetic.sums(10, 99, 10, 99)),
        (2, arithmetic.three_terms),
        (3, arithmetic.differences(10, 99)),
        (4, arithmetic.below_zero),
        (4, arithmetic.quotients),
        (5, arithmetic.precedence),
        (6, arithmetic.brackets),
        (6, arithmetic.remainders(10, 99)),
        (7, arithmetic.signs),
        (7, arithmetic.sums(100, 999, 10, 999)),
        (8, arithmetic.products(13, 99, 3, 9)),
        (8, fractional.decimal_sums),
        (9, arithmetic.differences(100, 999)),
        (9, fractional.like_fractions),
        (10, arithmetic.signed_products),
        (11, arithmetic.sums(1000, 9999, 100, 9999)),
        (11, fractional.fraction_products),
        (12, arithmetic.mixed),
        (12, fractional.decimal_products),
        (13, arithmetic.differences(1000, 9999)),
        (13, fractional.uneven_decimals),
        (14, arithmetic.two_brackets),
        (14, fractional.unlike_fractions),
        (15, arithmetic.remainders(100, 999)),
        (16, fractional.fraction_quotients),
        (17, arithmetic.products(12, 99, 12, 99)),
        (18, arithmetic.long_expression),
        (20, arithmetic.product_and_sum),
    ),
    *_levels(
        "equations",
        (3, equations.one_step),
        (5, equations.multiple),
        (8, equations.two_steps(1, 9)),
        (10, equations.two_steps(-9, 12)),
        (12, equations.both_sides),
        (14, equations.bracket),
        (15, equations.quotient),
        (16, equations.fractional_solution),
        (18, equations.bracket_both_sides),
    ),
    *_levels(
        "systems",
        (9, equations.proportion),
        (13, equations.sum_and_difference),
        (17, equations.same_y),
        (19, equations.elimination),
    ),
    *_levels(
        "words",
        (4, as_problem(words.ONE)),
        (6, as_problem(words.ONE_HARDER)),
        (7, _stories(words.ONE)),
        (9, as_problem(words.TWO)),
        (11, as_problem(words.TWO_HARDER)),
        (12, _stories(words.TWO)),
        (15, as_problem(words.THREE)),
        (17, _stories(words.THREE)),
    ),
    *_levels(
        "countdown",
        (5, countdown(2, 2, "+-*")),
        (10, countdown(3, 2, "+-*")),
        (13, countdown(3, 3, "+-")),
        (16, countdown(3, 3, "+-*/")),
        (18, countdown(4, 4, "+-*")),
        (19, countdown(5, 4, "+-*/", large=1)),
        (20, countdown(6, 5, "+-*/", large=2)),
    ),
)
STEPS: Final = 20


class Grades:
    """The levels that a choice of kinds and difficulties leaves, by difficulty.

    Args:
        kinds: of `KINDS`; None = all.
        difficulty: the lowest and highest, from 0 to 1.
    Raises:
        UsageError: there is no such kind, or no level is left; says what there is.
    """

    def __init__(self, kinds: Sequence[str] | None = None, difficulty: Sequence[float] | None = None) -> None:
        chosen, (low, high) = _kinds(kinds), _range(difficulty)
        left = [
            each
            for each in LEVELS
            if each.kind in chosen and low - 1e-9 <= each.difficulty / STEPS <= high + 1e-9
        ]
        if not left:
            graded = sorted({each.difficulty / STEPS for each in LEVELS if each.kind in chosen})
            raise UsageError(
                f"no problems of {', '.join(chosen)} with a difficulty from {low:g} to {high:g}; there are some of "
                f"{', '.join(f'{each:g}' for each in graded)}"
            )
        self.by_difficulty = {
            step: [each for each in left if each.difficulty == step]
            for step in sorted({each.difficulty for each in left})
        }
        self.steps = tuple(self.by_difficulty)

    def draw(self, split: str, rng: Random) -> tuple[Problem, float]:
        """A problem of a split, and its difficulty; difficulties are equally likely, whatever levels they have.

        Raises:
            ContractError: a level has no problem in the split.
        """
        level = rng.choice(self.by_difficulty[rng.choice(self.steps)])
        for _ in range(TRIES):
            problem = level.make(rng)
            if split_of(problem.key) == split:
                return problem, level.difficulty / STEPS
        raise ContractError(f"level {level.difficulty} of {level.kind} has no problem in split {split!r}")


def _kinds(kinds: Sequence[str] | None) -> tuple[str, ...]:
    if kinds is None:
        return KINDS
    unknown = [each for each in kinds if each not in KINDS] if isinstance(kinds, list | tuple) else [kinds]
    if unknown or not kinds:
        raise UsageError(f"kinds={kinds!r:.60}; a list of some of: {', '.join(KINDS)}")
    return tuple(kinds)


def _range(difficulty: Sequence[float] | None) -> tuple[float, float]:
    if difficulty is None:
        return 0.0, 1.0
    try:
        low, high = map(float, difficulty)
    except (TypeError, ValueError):
        low, high = 1.0, 0.0
    if not 0 <= low <= high <= 1:
        raise UsageError(f"difficulty={difficulty!r:.60}; two numbers from 0 to 1, say [0.2, 0.5]")
    return low, high


def tasks(grades: Grades) -> ProceduralTaskset:
    """Tasks without end, drawn from these levels."""

    def generate(split: str, rng: Random, id: str) -> Task:
        problem, difficulty = grades.draw(split, rng)
        return Task(id, data_of(problem), split, difficulty)

    return ProceduralTaskset(generate)


def data_of(problem: Problem) -> dict[str, Any]:
    """A problem as the data of a task: what is asked, how it is judged, and how a careful hand works it out."""
    hand = Hand(CAREFUL, Random(0))
    answer = problem.solve(hand)
    return {
        "kind": problem.kind,
        "question": problem.question,
        "answer": answer,
        "working": hand.working,
        **problem.judging,
    }
