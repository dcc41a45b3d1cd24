"""A task with everything that was tried on it: its floor, its gold, and the gap of each attempt."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rftgym.audit.attempts import Attempt
from rftgym.rubric import Component, Rubric
from rftgym.types import Score, Task

ROUNDING = 1e-9


@dataclass
class Tried:
    """A task with everything that was tried on it.

    Attributes:
        gold: what its solution earns, or the most that the rubric can pay (without what nothing earned, see
            :func:`unearned`); None where neither is known.
        solution: the environment's own, played; None where it knows none.
        attempts: of all probes, played.
        part: of a mix; "" where the environment is none.
        base: attempts that count in the floor only.
        rubric: that scored them.
        same: whether two parsed answers mean the same, see :meth:`rftgym.TextEnv.same_answer`.
    """

    task: Task
    gold: float | None
    solution: Attempt | None
    attempts: list[Attempt] = field(default_factory=list)
    part: str = ""
    base: list[Attempt] = field(default_factory=list)
    rubric: Rubric | None = None
    same: Callable[[Task, Any, Any], bool] = lambda task, answer, other: bool(answer == other)

    @property
    def played(self) -> list[Attempt]:
        """All that is said on the task, the solution included."""
        solution = [] if self.solution is None else [self.solution]
        return [*self.attempts, *self.base, *solution]

    @property
    def measured(self) -> bool:
        """Whether there is a way from a floor to gold, and so a gap."""
        return self.gold is not None and self.floor is not None

    @cached_property
    def floor(self) -> float | None:
        """The lowest reward of anything that was tried, penalties aside; None where nothing could be scored."""
        tried = [each for each in self.played if each.reward is not None]
        return min((each.reward or 0.0) + self._taken(each) for each in tried) if tried else None

    def _taken(self, attempt: Attempt) -> float:
        """What penalties took from an attempt's reward, as a positive number."""
        score = attempt.trajectory and attempt.trajectory.score
        if not score or self.rubric is None or self.rubric.combine != "sum" or self.rubric.clip is not None:
            return 0.0
        return -math.fsum(
            each.weight * (score.components.get(each.name) or 0.0)
            for each in self.rubric.components
            if is_penalty(each)
        )

    def gap(self, attempt: Attempt) -> float | None:
        """Of an attempt on this task; None where it, or the solution, could not be scored."""
        floor, reward = self.floor, attempt.reward
        if floor is None or reward is None or self.gold is None:
            return None
        if self.gold - floor <= ROUNDING:
            return float(reward >= self.gold - ROUNDING)
        return (reward - floor) / (self.gold - floor)

    def is_solution(self, attempt: Attempt) -> bool:
        """Whether it won, and with the solution's own answer."""
        if self.solution is None or None in (self.solution.answer, attempt.answer) or not attempt.success:
            return False
        return self.same(self.task, attempt.answer, self.solution.answer)


def ceiling(rubric: Rubric, without: Collection[str] = ()) -> float | None:
    """The most that a rubric can pay, components named in ``without`` aside; None where one has no bound."""
    weighed = [each for each in rubric.components if each.weight and each.name not in without]
    limit = None if rubric.clip is None else rubric.clip[1]
    if any(each.bounds is None or (each.per == "turn" and each.reduce == "sum") for each in weighed):
        return limit
    if rubric.combine == "sum":
        total = math.fsum(worth(each) for each in weighed)
    else:
        total = math.prod(pow(float((each.bounds or (0, 0))[1]), each.weight) for each in weighed)
    return total if limit is None else min(limit, total)


def worth(component: Component) -> float:
    """The most that a component with bounds can pay, called once."""
    return max(component.weight * bound for bound in component.bounds or (0.0,))


def unearned(rubric: Rubric, scores: Iterable[Score], prefix: str = "") -> dict[str, float]:
    """Components that could have paid and paid nobody, with what they are worth.

    Success and what needs it are not among them: nobody who solves nothing is to earn these. Nor is anything where
    success itself pays nothing, so that others pay the winner, or in a product, where one factor of 0 leaves nothing.

    Args:
        scores: of everything that was tried.
        prefix: of the components' names in them.
    """
    found = {each.name: each for each in rubric.components if worth(each) > 0}
    if rubric.combine != "sum" or rubric.success not in found:
        return {}
    winners = {rubric.success}
    for each in rubric.components:  # gates look back only
        if winners & set(each.needs):
            winners.add(each.name)
    for score in scores:
        for name in [*found]:
            if found[name].weight * (score.components.get(prefix + name) or 0.0) > 0:
                del found[name]
    return {name: worth(each) for name, each in found.items() if name not in winners}


def is_penalty(component: Component) -> bool:
    """Whether a component can only take away."""
    low, high = component.bounds or (-math.inf, math.inf)
    return component.weight != 0 and max(component.weight * low, component.weight * high) <= 0
