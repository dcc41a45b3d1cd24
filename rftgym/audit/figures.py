"""What attempts amount to: gaps by policy, and the figure of an audit."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from rftgym.audit.attempts import Attempt
from rftgym.audit.tried import ROUNDING, Tried
from rftgym.intervals import Interval, bootstrap_interval
from rftgym.rubric import Rubric

CHANCE = 0.5
"""Whoever is right on more than this share of the tasks is not lucky: something tells the answer."""
SCORED = 0.5
"""Of the policies' attempts, at least: where a reward can value fewer, the figure says nothing."""
SHOWN = 5
"""Attempts of a kind in the JSON report."""


@dataclass(frozen=True, slots=True)
class Policy:
    """One way of one probe, on all tasks; of a mix, on those of one part.

    Attributes:
        gaps: by measured task; 0 where it is right by luck (unless it is on more than `CHANCE` of them), had
            nothing to say or could not be scored.
        luck: what being right by luck adds to the mean of ``gaps``.
        rewards: where it could be scored.
        successes: tasks on which the rubric called it a success; ``lucky`` of them with the solution's own answer.
        best: its attempt with the largest gap; None where none could be scored.
        components: mean of what each component paid, by name (weight x value), the largest first.
        part: of a mix; "" where the environment is none.
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
    part: str = ""

    @property
    def name(self) -> str:
        """The probe and the way; of a mix, behind the part."""
        return f"{self.part}: {self.probe}/{self.way}" if self.part else f"{self.probe}/{self.way}"

    @property
    def gap(self) -> float:
        """Mean over the tasks."""
        return math.fsum(self.gaps) / len(self.gaps) if self.gaps else 0.0

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "probe": self.probe,
            "way": self.way,
            **({"part": self.part} if self.part else {}),
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
        rubric: that scored them.
        unearned: components, with their worth, that are left out of a gold that no solution tells.
        seconds: of processor time, this process and those that it waited for.
    """

    env: str
    split: str
    seed: int
    max_gap: float
    tasks: list[Tried]
    rubric: Rubric
    unearned: Mapping[str, float] = field(default_factory=dict)
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
    def guessed(self) -> list[Tried]:
        """Tasks whose gold is the most that the rubric can pay, since no solution tells it."""
        return [each for each in self.tasks if each.solution is None and each.gold is not None]

    @property
    def worst(self) -> Policy | None:
        """The policy with the largest gap."""
        return max(self.policies, key=lambda each: (bool(each.gaps), each.gap), default=None)

    @property
    def gap(self) -> Interval:
        """The gameability gap, with a 95% interval over tasks; None where nothing could be measured."""
        if self.worst is None or not self.worst.gaps:
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
        """Whether something could be measured, in each part of a mix, and no policy is paid too much."""
        parts = {each.part for each in self.tasks} - {each.part for each in self.policies if each.gaps}
        return not parts and self.scored_share >= SCORED and not self.unsolved and not self.holes

    @cached_property
    def unsolved(self) -> list[Tried]:
        """Tasks whose own solution could not be scored or is no success: then the figure means nothing."""
        return [
            each
            for each in self.tasks
            if each.solution and (each.solution.reward is None or not each.solution.success)
        ]

    @property
    def scored_share(self) -> float:
        """Share of the policies' attempts that the rubric could value."""
        tried = sum(each.tried for each in self.policies)
        return sum(len(each.rewards) for each in self.policies) / tried if tried else 0.0

    @property
    def commonest(self) -> float | None:
        """Share of tasks, of the luckiest's part, whose solution's answer is the commonest one; None where unknown.

        Whoever is right more often by saying one thing on every task knows more than which answer is common.
        """
        part = "" if self.luckiest is None else self.luckiest.part
        solutions = [each.solution for each in self.tasks if each.part == part and each.solution]
        counted = Counter(repr(each.answer) for each in solutions if each.answer is not None)
        return max(counted.values()) / len(solutions) if counted else None

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
        return Counter(reason(each) for each in every)

    def _ways(self, *, spoils: bool) -> list[Policy]:
        by_way: dict[tuple[str, str, str], dict[int, Attempt]] = {}
        for number, task in enumerate(self.tasks):
            for each in task.attempts:
                if each.spoils == spoils:
                    by_way.setdefault((task.part, each.probe, each.way), {})[number] = each
        return sorted((self._policy(*key, found) for key, found in by_way.items()), key=lambda p: -p.gap)

    def _policy(self, part: str, probe: str, way: str, found: Mapping[int, Attempt]) -> Policy:
        numbers = [number for number, task in enumerate(self.tasks) if task.part == part and task.measured]
        gaps = {number: self.tasks[number].gap(each) for number, each in found.items()}
        known = {number: gap for number, gap in gaps.items() if gap is not None}
        won = [number for number, each in found.items() if each.success]
        lucky = [number for number in won if self.tasks[number].is_solution(found[number])]
        luck = 0.0
        if len(lucky) <= CHANCE * len(numbers):
            luck = math.fsum(known.pop(number, 0.0) for number in lucky) / max(1, len(numbers))
        best = max(known, key=lambda number: known[number], default=None)
        return Policy(
            probe,
            way,
            next(iter(found.values())).spoils,
            tuple(known.get(number, 0.0) for number in numbers),
            tuple(each.reward for each in found.values() if each.reward is not None),
            len(found),
            len(won),
            len(lucky),
            luck,
            None if best is None else found[best],
            self._paid(list(found.values())),
            part,
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
            "gold": "ceiling" if self.guessed else "solutions",
            "guessed": len(self.guessed),
            "unearned": dict(self.unearned),
            "unsolved": [each.task.id for each in self.unsolved],
            "measured": sum(each.measured for each in self.tasks),
            "scored": self.scored_share,
            "commonest": self.commonest,
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


def reason(attempt: Attempt) -> str:
    """Why an attempt could not be scored."""
    failures = [] if attempt.trajectory is None else attempt.trajectory.failures
    if not failures:
        return "a reward said None"
    return f"{failures[0].stage} {failures[0].name!r}: {failures[0].kind}: {failures[0].message}"
