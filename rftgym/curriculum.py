"""Which tasks a run trains on, batch after batch: the order of the train split, or one that looks at difficulty.

- ``off``: the split's own seeded order.
- ``staged``: easy tasks first, harder ones as the run goes on.
- ``adaptive``: tasks near the edge of what the policy can do, by the pass rates that training itself measures.

Every environment gets it for free: tasks carry a ``difficulty``. In a mix the weights hold; each part has its own edge.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from random import Random
from statistics import fmean
from typing import Any

from rftgym.config import CurriculumSettings
from rftgym.errors import RunFailed, UsageError
from rftgym.tasks import Taskset
from rftgym.types import Task, Trajectory

SURVEYED = 512
"""Tasks whose difficulties are looked at to cut a split into levels of equal size."""
LEVELS = 8
MIDDLE = 0.5
"""Taken as the difficulty of a task whose author does not say."""
PRIOR = 4.0
"""Episodes that a task's own pass rate has to outweigh, for its level's speaks before that."""
FLOOR = 0.05
"""Weight of a task from which nothing is to be learnt, where the most useful one has 1: pass rates change."""

GOLDEN = (5**0.5 - 1) / 2
"""Its multiples modulo 1 are spread more evenly than any others, whatever the step between them."""


class TaskOrder:
    """Hands out the tasks of a run, and learns from how they went.

    Args:
        tasks: of the environment; the split "train" is used.
        settings: which curriculum.
        seed: of the run.

    Raises:
        UsageError: a curriculum is asked for, and the difficulties of the split are all alike or not known.
    """

    def __init__(self, tasks: Taskset, settings: CurriculumSettings, seed: int) -> None:
        self.tasks, self.settings, self.seed = tasks, settings, seed
        self.handed = 0
        self._looked_at = 0
        self._order = tasks.order("train", seed)
        self._edges = self._levels() if settings.kind != "off" else {}
        self._passes = PassRates(settings.memory)
        self._by_task = PassRates(settings.memory) if tasks.size("train") is not None else None

    # ---- tasks out

    def next(self, n: int, progress: float) -> list[Task]:
        """The next ``n`` tasks.

        Args:
            progress: share of the run that is over, 0 to 1.
        """
        if self.settings.kind == "off":
            chosen = self._look(n)
        else:
            choose = self._easy if self.settings.kind == "staged" else self._at_the_edge
            chosen = self._chosen(n, lambda part, tasks, k: choose(part, tasks, k, progress))
        self.handed += n
        return chosen

    def _look(self, n: int) -> list[Task]:
        self._looked_at += n
        return list(islice(self._order, n))

    def _chosen(self, n: int, choose: Callable[[str, list[Task], int], list[Task]]) -> list[Task]:
        """Of a few times as many tasks the best, from each part of a mix as many as are its due."""
        looked = self._look(n * self.settings.choice)
        chosen: list[Task] = []
        for part, k in self._due(looked).items():
            candidates = [task for task in looked if self.tasks.part(task) == part]
            unique = list({task.id: task for task in candidates}.values())
            chosen += choose(part, unique if len(unique) >= k else candidates, k)
        places = {task.id: place for place, task in enumerate(looked)}
        return sorted(chosen, key=lambda task: places[task.id])

    def _due(self, looked: Sequence[Task]) -> Counter[str]:
        """How many tasks each part gives: its share of those that were looked at, and on average exactly that.

        A systematic sample, every ``choice``-th of the sorted parts, from a start that moves evenly over all there
        are. The first tasks of each look would not do: where looks are multiples of the mix's round, they are always
        of the same parts.
        """
        parts = sorted(self.tasks.part(task) for task in looked)
        start = int(self.settings.choice * (self.handed * GOLDEN % 1.0))
        return Counter(parts[start :: self.settings.choice])

    def _easy(self, part: str, tasks: list[Task], k: int, progress: float) -> list[Task]:
        """Tasks within reach in the split's order, and the easiest of the others where they are too few."""
        settings = self.settings
        reach = min(1.0, settings.start + (1 - settings.start) * progress / settings.until)
        easiest = sorted(tasks, key=_difficulty)
        within = [task for task in tasks if self._rank(task) <= reach]
        return (within + [task for task in easiest if task not in within])[:k]

    def _at_the_edge(self, part: str, tasks: list[Task], k: int, progress: float) -> list[Task]:
        """A weighted draw without replacement: the k largest of u ** (1 / weight), u uniform.

        Source: Efraimidis and Spirakis, Weighted random sampling with a reservoir, IPL 97 (2006).
        """
        draw = Random(f"{self.seed}:curriculum:{self.handed}:{part}")
        keys = [math.log(1.0 - draw.random()) / self.weight(task) for task in tasks]
        best = sorted(range(len(tasks)), key=lambda i: keys[i], reverse=True)[:k]
        return [tasks[i] for i in sorted(best)]

    def weight(self, task: Task) -> float:
        """How much is to be learnt from a task: the spread p (1 - p) of its pass or fail, over the largest there is.

        It is squared, because a draw without replacement from a few candidates flattens the weights.

        Source: the learnability of arXiv:2502.12272 (Foster et al., Learning to reason at the frontier of
        learnability), here from decayed counts by level of difficulty and, where the split has an end, by task.
        """
        rate = self.pass_rate(task)
        return FLOOR + (1 - FLOOR) * (4 * rate * (1 - rate)) ** 2

    def pass_rate(self, task: Task) -> float:
        """The chance, as far as is known, that an episode of a task succeeds now."""
        level = self._level_name(task)
        prior = self._passes.rate(level, 0.5, 2.0)
        return prior if self._by_task is None else self._by_task.rate(task.id, prior, PRIOR)

    # ---- difficulty

    def _levels(self) -> dict[str, list[float]]:
        """By part, the upper ends of ranges of difficulty that hold about as many tasks each."""
        size = self.tasks.size("train")
        known: dict[str, list[float]] = {}
        for task in self.tasks.survey("train", SURVEYED, self.seed):
            known.setdefault(self.tasks.part(task), []).append(_difficulty(task))
        edges = {}
        for part, values in known.items():
            values.sort()
            if values[0] == values[-1] and (self.settings.kind == "staged" or size is None):
                raise UsageError(
                    f"curriculum={self.settings.kind}: the tasks{f' of {part}' if part else ''} are all of one "
                    "difficulty, so none can come first; give tasks a 'difficulty' from 0 to 1, or take "
                    "--curriculum off"
                )
            edges[part] = [
                values[min(len(values) - 1, len(values) * (i + 1) // LEVELS)] for i in range(LEVELS)
            ]
        return edges

    def _level(self, task: Task) -> tuple[str, int]:
        """A task's part, and its level there, from 0; what is harder than all that was looked at is of the last."""
        part = self.tasks.part(task)
        edges = self._edges.get(part, [1.0])
        return part, min(bisect_left(edges, _difficulty(task)), len(edges) - 1)

    def _level_name(self, task: Task) -> str:
        part, level = self._level(task)
        return f"{part}:{level}"

    def _rank(self, task: Task) -> float:
        """Where a task stands among its part's, above 0 (easiest) to 1."""
        part, level = self._level(task)
        return (level + 1) / len(self._edges.get(part, [1.0]))

    # ---- results in

    def observe(self, trajectories: Sequence[Trajectory]) -> None:
        """Learn from a batch of scored episodes; those that cannot be scored say nothing."""
        if self.settings.kind != "adaptive":
            return
        by_task: dict[str, list[bool]] = {}
        by_level: dict[str, list[bool]] = {}
        for trajectory in trajectories:
            score = trajectory.score
            if score is not None and score.success is not None:
                by_task.setdefault(trajectory.task.id, []).append(score.success)
                by_level.setdefault(self._level_name(trajectory.task), []).append(score.success)
        self._passes.add(by_level)
        if self._by_task is not None:
            self._by_task.add(by_task)

    def metrics(self, tasks: Sequence[Task]) -> dict[str, float]:
        """What a batch of tasks looked like: "curriculum/difficulty", its mean; nothing where the curriculum is off."""
        if self.settings.kind == "off" or not tasks:
            return {}
        return {"curriculum/difficulty": fmean(map(_difficulty, tasks))}

    # ---- going on

    def state(self) -> dict[str, Any]:
        """All that the next batch depends on (JSON values)."""
        return {
            "kind": self.settings.kind,
            "handed": self.handed,
            "looked_at": self._looked_at,
            "levels": self._passes.counts,
            "tasks": {} if self._by_task is None else self._by_task.counts,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state; this order must be as new.

        Raises:
            RunFailed: it is no such state, or that of another curriculum.
        """
        try:
            if state["kind"] != self.settings.kind:
                raise ValueError(f"it is of curriculum {state['kind']!r}")
            self.handed = int(state["handed"])
            self._passes.counts = {name: (float(a), float(b)) for name, (a, b) in state["levels"].items()}
            if self._by_task is not None:
                self._by_task.counts = {name: (float(a), float(b)) for name, (a, b) in state["tasks"].items()}
            self._pass_over(int(state["looked_at"]))
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
            raise RunFailed(f"the checkpoint's order of tasks cannot be read: {error}") from error

    def _pass_over(self, n: int) -> None:
        for _ in islice(self._order, n):
            pass
        self._looked_at = n


FORGOTTEN = 0.01
"""Episodes, decayed, below which a name is as one never seen."""


class PassRates:
    """Successes and episodes by name, of which older ones count less.

    Args:
        memory: episodes after which half of a count is forgotten: what was too hard may not be so any more.

    Attributes:
        counts: successes and episodes, decayed, by name.
    """

    def __init__(self, memory: int) -> None:
        self.memory = memory
        self.counts: dict[str, tuple[float, float]] = {}

    def add(self, successes: Mapping[str, Sequence[bool]]) -> None:
        """Take in a batch's results by name; what is known of all other names grows old too."""
        left = 0.5 ** (sum(map(len, successes.values())) / self.memory)
        kept = {name: (passed * left, played * left) for name, (passed, played) in self.counts.items()}
        for name, seen in successes.items():
            passed, played = kept.get(name, (0.0, 0.0))
            kept[name] = (passed + sum(seen), played + len(seen))
        self.counts = {name: counts for name, counts in kept.items() if counts[1] >= FORGOTTEN}

    def rate(self, name: str, prior: float, strength: float) -> float:
        """The share of successes, with a prior that counts as ``strength`` episodes."""
        passed, played = self.counts.get(name, (0.0, 0.0))
        return (passed + prior * strength) / (played + strength)


def _difficulty(task: Task) -> float:
    return MIDDLE if task.difficulty is None else task.difficulty


def preview(tasks: Taskset, settings: CurriculumSettings, seed: int, n: int) -> Iterator[Task]:
    """The tasks that a run would begin with."""
    yield from TaskOrder(tasks, settings, seed).next(n, 0.0)
