"""A look before training: do the starting policy's episodes carry anything to learn from?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from rftgym.scoring.batch import unscored_reasons
from rftgym.types import Trajectory

ENOUGH = 0.2
"""Groups of which at least this share carries a signal are worth training on."""
SOLVED = 0.95
"""A success rate from which on there is next to nothing to gain."""


@dataclass(frozen=True, slots=True)
class Preflight:
    """What the starting policy's groups look like.

    Attributes:
        groups: tasks played; ``group_size`` episodes each.
        success: mean success rate.
        pass_at_group: share of the groups with at least one success (pass@G).
        signal: share of the groups whose rewards differ, so that an advantage can be taken within them.
        unscored: share of the episodes that could not be scored.
        reasons: why, where that is all of them.
    """

    groups: int
    group_size: int
    success: float
    pass_at_group: float
    signal: float
    unscored: float
    reasons: str = ""

    @property
    def verdict(self) -> Literal["fine", "no success yet", "too hard", "too easy", "flat", "unscored"]:
        """In a word. "no success yet": the rewards differ, but only in parts of the task."""
        if self.unscored == 1:
            return "unscored"
        if self.signal >= ENOUGH:
            return "fine" if self.pass_at_group else "no success yet"
        if self.success >= SOLVED:
            return "too easy"
        return "flat" if self.pass_at_group else "too hard"

    @property
    def passes(self) -> bool:
        """Training is worth its time."""
        return self.verdict in ("fine", "no success yet")

    def advice(self) -> str | None:
        """What is wrong and what helps, in a sentence; None where nothing is."""
        few = f"{self.signal:.0%} of {self.groups} groups of {self.group_size} carry a signal"
        solved = f"pass@{self.group_size} is {self.pass_at_group:.0%}"
        return {
            "fine": None,
            "no success yet": (
                f"{solved}: no episode solved its task, so at first only parts of the reward are learnt; a warm start "
                "(--warm-start 50) often finds the rest sooner"
            ),
            "too hard": (
                f"{few} and {solved}, so next to nothing would be learnt: warm-start from solved tasks "
                "(--warm-start 50), take easier tasks, add a shaped reward (--reward, --weight), or a larger group "
                f"(--group-size {2 * self.group_size})"
            ),
            "too easy": (
                f"{few}: the model solves {self.success:.0%} already, so next to nothing is left to learn: take "
                "harder tasks"
            ),
            "flat": (
                f"{few} although {solved}: inside a group all episodes fare alike. Raise the temperature "
                f"(--temperature 1.0), take a larger group (--group-size {2 * self.group_size}) or a finer reward"
            ),
            "unscored": f"not one episode of the starting policy can be scored. {self.reasons}",
        }[self.verdict]

    def to_json(self) -> dict[str, Any]:
        """For ``preflight.json``."""
        return {**asdict(self), "verdict": self.verdict, "advice": self.advice()}


def measured(trajectories: Sequence[Trajectory], group_size: int) -> Preflight:
    """The figures from scored episodes, group by group.

    An episode that cannot be scored takes no part; a group needs two that can, to carry a signal.
    """
    groups = [trajectories[first : first + group_size] for first in range(0, len(trajectories), group_size)]
    known = [
        [t.score for t in group if t.score is not None and t.score.reward is not None] for group in groups
    ]
    rewards = [[score.reward for score in group if score.reward is not None] for group in known]
    successes = [[bool(score.success) for score in group] for group in known]
    scored = sum(map(len, known))
    reasons = "" if scored else unscored_reasons(trajectories)
    return Preflight(
        groups=len(groups),
        group_size=group_size,
        success=math.fsum(map(sum, successes)) / max(1, scored),
        pass_at_group=sum(map(any, successes)) / max(1, len(groups)),
        signal=sum(len(group) > 1 and min(group) < max(group) for group in rewards) / max(1, len(groups)),
        unscored=1 - scored / max(1, len(trajectories)),
        reasons=reasons,
    )
