"""What attempts amount to: floors, gaps by attempt and by policy, and the figure of an audit."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rftgym.audit.attempts import Attempt
from rftgym.intervals import Interval, bootstrap_interval
from rftgym.rubric import Component, Rubric
from rftgym.types import Task

ROUNDING = 1e-9
CHANCE = 0.5
"""Whoever is right on more than this share of the tasks is not lucky: something tells the answer."""
SHOWN = 5
"""Attempts of a kind in the JSON report."""


@dataclass
class Tried:
    """A task with everything that was tried on it.

    Attributes:
        gold: what its solution earns, or the most that the rubric can pay; None where neither is known.
        solution: the environment's own, played; None where it knows none.
        attempts: of all probes, played.
        rubric: that scored them.
        same: whether two parsed answers mean the same, see :meth:`rftgym.TextEnv.same_answer`.
    """

    task: Task
    gold: float | None
    solution: Attempt | None
    attempts: list[Attempt] = field(default_factory=list)
    rubric: Rubric | None = None
    same: Callable[[Task, Any, Any], bool] = lambda task, answer, other: bool(answer == other)

    @cached_property
    def floor(self) -> float | None:
        """The lowest reward of anything that was tried, penalties aside; None where nothing could be scored."""
        tried = [each for each in (*self.attempts, self.solution) if each and each.reward is not None]
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


@dataclass(frozen=True, slots=True)
class Policy:
    """One way of one probe, on all tasks.

    Attributes:
        gaps: by task; 0 where it is right by luck (unless it is on more than `CHANCE` of them), had nothing to say
            or could not be scored.
        luck: what being right by luck adds to the mean of ``gaps``.
        rewards: where it could be scored.
        successes: tasks on which the rubric called it a success; ``lucky`` of them with the solution's own answer.
        best: its attempt with the largest gap; None where none could be scored.
        components: mean of what each component paid, by name (weight x value), the largest first.
    """

    probe: str
    way: str
    spoils: bool
    gaps: tuple[float, ...]
    rewards: tuple[float, ...]
    tried: int
    successes: int
    lucky: int
    luck: float
    best: Attempt | None
    components: Mapping[str, float]

    @property
    def name(self) -> str:
        return f"{self.probe}/{self.way}"

    @property
    def gap(self) -> float:
        """Mean over the tasks."""
        return math.fsum(self.gaps) / len(self.gaps) if self.gaps else 0.0

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "probe": self.probe,
            "way": self.way,
            "gap": self.gap,
            "reward": math.fsum(self.rewards) / len(self.rewards) if self.rewards else None,
            "tried": self.tried,
            "scored": len(self.rewards),
            "successes": self.successes,
            "lucky": self.lucky,
            "luck": self.luck,
            "components": dict(self.components),
        }


@dataclass
class Audit:
    """The outcome of an audit.

    Attributes:
        env: id.
        tasks: with everything that was tried on them.
        max_gap: above it the audit does not pass.
        seed: of the choice of tasks and of what probes draw.
        ceiling: gold is the rubric's most, since the environment knows no solution.
        rubric: that scored them.
        seconds: of processor time, this process and those that it waited for.
    """

    env: str
    split: str
    seed: int
    max_gap: float
    tasks: list[Tried]
    rubric: Rubric
    ceiling: bool = False
    seconds: float = 0.0

    @cached_property
    def policies(self) -> list[Policy]:
        """Every policy, the one with the largest gap first."""
        return self._ways(spoils=False)

    @cached_property
    def spoilt(self) -> list[Policy]:
        """Every way to spoil a solution, the one that is most often called a success first."""
        return sorted(self._ways(spoils=True), key=lambda each: -(each.successes - each.lucky))

    @property
    def worst(self) -> Policy | None:
        """The policy with the largest gap."""
        return self.policies[0] if self.policies else None

    @property
    def gap(self) -> Interval:
        """The gameability gap, with a 95% interval over tasks."""
        if self.worst is None:
            return {"mean": None, "low": None, "high": None}
        return bootstrap_interval([[gap] for gap in self.worst.gaps], self.seed)

    @property
    def luckiest(self) -> Policy | None:
        """The policy that earns most where being right by luck counts too."""
        return max(self.policies, key=lambda each: each.gap + each.luck, default=None)

    @property
    def holes(self) -> list[Policy]:
        """The policies whose gap is above the allowed one."""
        return [each for each in self.policies if each.gap > self.max_gap + ROUNDING]

    @property
    def passes(self) -> bool:
        """Whether something could be measured and no policy is paid too much."""
        return self.worst is not None and not self.unsolved and not self.holes

    @cached_property
    def unsolved(self) -> list[Tried]:
        """Tasks whose own solution could not be scored or is no success: then the figure means nothing."""
        return [
            each
            for each in self.tasks
            if each.solution and (each.solution.reward is None or not each.solution.success)
        ]

    @cached_property
    def best_non_solution(self) -> tuple[Attempt, float] | None:
        """The policies' highest-paid attempt that is no success, and its gap."""
        found = [
            (each, gap)
            for task in self.tasks
            for each in task.attempts
            if not each.spoils and not each.success and (gap := task.gap(each)) is not None
        ]
        return max(found, key=lambda pair: pair[1], default=None)

    @cached_property
    def wins(self) -> list[Attempt]:
        """The policies' attempts that were called a success and whose answer is not the solution's."""
        return [
            each
            for task in self.tasks
            for each in task.attempts
            if each.success and not each.spoils and not task.is_solution(each)
        ]

    @cached_property
    def survivors(self) -> list[Attempt]:
        """Spoilt solutions that were called a success, those with the solution's own answer aside."""
        return [
            each
            for task in self.tasks
            for each in task.attempts
            if each.success and each.spoils and not task.is_solution(each)
        ]

    @property
    def spoilt_share(self) -> float | None:
        """Share of the spoilt solutions that were called a success."""
        n = sum(each.tried - each.lucky for each in self.spoilt)
        return len(self.survivors) / n if n else None

    @property
    def partial_credit(self) -> float | None:
        """Mean gap of the spoilt solutions that lost: what is paid for being nearly right."""
        gaps = [
            gap
            for task in self.tasks
            for each in task.attempts
            if each.spoils and not each.success and (gap := task.gap(each)) is not None
        ]
        return math.fsum(gaps) / len(gaps) if gaps else None

    @cached_property
    def unscored(self) -> Counter[str]:
        """Why attempts could not be scored, with their number."""
        every = (each for task in self.tasks for each in task.attempts if each.reward is None)
        return Counter(_reason(each) for each in every)

    def _ways(self, *, spoils: bool) -> list[Policy]:
        by_way: dict[tuple[str, str], dict[int, Attempt]] = {}
        for number, task in enumerate(self.tasks):
            for each in task.attempts:
                if each.spoils == spoils:
                    by_way.setdefault((each.probe, each.way), {})[number] = each
        return sorted((self._policy(*key, found) for key, found in by_way.items()), key=lambda p: -p.gap)

    def _policy(self, probe: str, way: str, found: Mapping[int, Attempt]) -> Policy:
        gaps = {number: self.tasks[number].gap(each) for number, each in found.items()}
        known = {number: gap for number, gap in gaps.items() if gap is not None}
        won = [number for number, each in found.items() if each.success]
        lucky = [number for number in won if self.tasks[number].is_solution(found[number])]
        luck = 0.0
        if len(lucky) <= CHANCE * len(self.tasks):
            luck = math.fsum(known.pop(number, 0.0) for number in lucky) / len(self.tasks)
        best = max(known, key=lambda number: known[number], default=None)
        return Policy(
            probe,
            way,
            next(iter(found.values())).spoils,
            tuple(known.get(number, 0.0) for number in range(len(self.tasks))),
            tuple(each.reward for each in found.values() if each.reward is not None),
            len(found),
            len(won),
            len(lucky),
            luck,
            None if best is None else found[best],
            self._paid(list(found.values())),
        )

    def _paid(self, attempts: Sequence[Attempt]) -> dict[str, float]:
        """What components paid on average, by name."""
        scores = [each.trajectory.score for each in attempts if each.trajectory and each.reward is not None]
        paid = {
            name: math.fsum(weight * (score.components.get(name) or 0.0) for score in scores if score)
            for name, weight in self.rubric.weights.items()
        }
        ordered = sorted(paid.items(), key=lambda pair: -abs(pair[1]))
        return {name: value / len(scores) for name, value in ordered if value}

    def to_json(self) -> dict[str, Any]:
        """JSON values: what ``rftgym audit --json`` prints."""
        best = self.best_non_solution
        return {
            "env": self.env,
            "split": self.split,
            "n": len(self.tasks),
            "seed": self.seed,
            "gap": self.gap,
            "max_gap": self.max_gap,
            "passes": self.passes,
            "policy": None if self.worst is None else self.worst.name,
            "with_luck": None if self.luckiest is None else self.luckiest.gap + self.luckiest.luck,
            "luckiest": None if self.luckiest is None else self.luckiest.name,
            "gold": "ceiling" if self.ceiling else "solutions",
            "unsolved": [each.task.id for each in self.unsolved],
            "holes": [each.name for each in self.holes],
            "policies": [each.to_json() for each in self.policies],
            "best_non_solution": None if best is None else {**_shown(best[0]), "gap": best[1]},
            "wins": [_shown(each) for each in self.wins[:SHOWN]],
            "wins_in_all": len(self.wins),
            "spoilt": {
                "tried": sum(each.tried for each in self.spoilt),
                "equal": sum(each.lucky for each in self.spoilt),
                "success": self.spoilt_share,
                "partial_credit": self.partial_credit,
                "ways": [each.to_json() for each in self.spoilt],
                "survivors": [_shown(each) for each in self.survivors[:SHOWN]],
            },
            "unscored": dict(self.unscored.most_common()),
            "seconds": round(self.seconds, 1),
        }


def _shown(attempt: Attempt) -> dict[str, Any]:
    said = attempt.said if isinstance(attempt.said, str) else list(attempt.said)
    return {
        "probe": attempt.probe,
        "way": attempt.way,
        "task": attempt.task.id,
        "reward": attempt.reward,
        "said": said,
    }


def _reason(attempt: Attempt) -> str:
    failures = [] if attempt.trajectory is None else attempt.trajectory.failures
    if not failures:
        return "a reward said None"
    return f"{failures[0].stage} {failures[0].name!r}: {failures[0].kind}: {failures[0].message}"


def ceiling(rubric: Rubric) -> float | None:
    """The most that a rubric can pay; None where a component has no bound."""
    if rubric.clip is not None:
        return rubric.clip[1]
    weighed = [each for each in rubric.components if each.weight]
    if any(each.bounds is None or (each.per == "turn" and each.reduce == "sum") for each in weighed):
        return None
    most = [max(each.weight * bound for bound in each.bounds or ()) for each in weighed]
    if rubric.combine == "sum":
        return math.fsum(most)
    factors: list[float] = [pow(float((each.bounds or (0, 0))[1]), each.weight) for each in weighed]
    return math.prod(factors)


def is_penalty(component: Component) -> bool:
    """Whether a component can only take away."""
    low, high = component.bounds or (-math.inf, math.inf)
    return component.weight != 0 and max(component.weight * low, component.weight * high) <= 0
