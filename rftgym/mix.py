"""Several environments as one: ``--env wordle:2,math:1`` trains on both, two tasks of the one to one of the other.

A mix is an environment like any other. Ids of its tasks begin with the part that they belong to (``math/train-0-7``),
an episode goes in every way as that part's own would, and the values of its score carry the part's name
(``math/correct``), with ``math/reward`` and ``math/success`` beside them, so that every table tells of each part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any, NoReturn

from rftgym.env import Response, Snapshot, TextEnv
from rftgym.errors import UsageError
from rftgym.mixing import turn_counts, turns_of
from rftgym.rubric import Component, Rubric
from rftgym.tasks import Taskset
from rftgym.types import Message, Score, Task, Trajectory, Turn

SLASH = "/"


class MixedTaskset(Taskset):
    """The tasks of several tasksets, by weight.

    Where all of them end, items are those of the first part, then those of the second...; otherwise the parts take
    turns, and one that ends begins again. ``order`` and ``sample`` keep to the weights in either case.

    Args:
        parts: tasksets by the name that ids of their tasks get in front.
        weights: by name, above 0.
    """

    def __init__(self, parts: Mapping[str, Taskset], weights: Mapping[str, Fraction]) -> None:
        self.parts, self.weights = dict(parts), dict(weights)

    def part(self, task: Task) -> str:
        return task.id.partition(SLASH)[0]

    def size(self, split: str) -> int | None:
        """All parts' tasks together; None where one has no end."""
        sizes = [taskset.size(split) for taskset in self.parts.values()]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    def item(self, split: str, index: int, seed: int = 0) -> Task:
        """Task ``index`` of a split."""
        name, inner = self._place(split, index)
        return prefixed(name, self.parts[name].item(split, inner, seed))

    def _place(self, split: str, index: int) -> tuple[str, int]:
        if self.size(split) is not None:
            for name, taskset in self.parts.items():
                size = taskset.size(split) or 0
                if index < size:
                    return name, index
                index -= size
            raise IndexError(index)
        counts = self._turns(split)
        turns = turns_of(counts)
        rounds, place = divmod(index, len(turns))
        name = turns[place]
        inner = rounds * counts[name] + turns[:place].count(name)
        return name, inner % (self.parts[name].size(split) or inner + 1)

    def _turns(self, split: str) -> dict[str, int]:
        """Turns a round of those parts that have the split."""
        return turn_counts({name: w for name, w in self.weights.items() if self.parts[name].size(split) != 0})

    def by_id(self, id: str) -> Task:
        """The task of this id.

        Raises:
            UsageError: it names no part, or the part has no such task.
        """
        name, _, inner = id.partition(SLASH)
        if name not in self.parts or not inner:
            known = " or ".join(name + SLASH for name in self.parts)
            raise UsageError(f"no task {id!r}; ids of a mix begin with the environment, here {known}")
        return prefixed(name, self.parts[name].by_id(inner))

    def order(self, split: str, seed: int) -> Iterator[Task]:
        """Each part's own order, in turns."""
        if self.size(split) == 0:
            yield from super().order(split, seed)  # raises
        counts = self._turns(split)
        orders = {name: self.parts[name].order(split, seed) for name in counts}
        turns = turns_of(counts)
        while True:
            for name in turns:
                yield prefixed(name, next(orders[name]))

    def sample(self, split: str, n: int, seed: int) -> list[Task]:
        """``n`` tasks by weight; a part that has too few gives them all, and the others more."""
        size = self.size(split)
        if size is not None and (size == 0 or n > size):
            return super().sample(split, n, seed)
        orders = {name: self.parts[name].order(split, seed) for name in self._turns(split)}
        left = {name: self.parts[name].size(split) for name in orders}
        tasks: list[Task] = []
        while len(tasks) < n:
            for name in turns_of(turn_counts({name: self.weights[name] for name in left})):
                room = left.get(name, 0)
                if len(tasks) == n or room == 0:
                    continue
                tasks.append(prefixed(name, next(orders[name])))
                left[name] = None if room is None else room - 1
            left = {name: room for name, room in left.items() if room != 0}
        return tasks

    def survey(self, split: str, n: int, seed: int) -> list[Task]:
        return [
            prefixed(name, task)
            for name in self._turns(split)
            for task in self.parts[name].survey(split, n, seed)
        ]


def prefixed(name: str, task: Task) -> Task:
    """A part's task as the mix calls it."""
    return replace(task, id=f"{name}{SLASH}{task.id}")


def unprefixed(task: Task) -> Task:
    """A mix's task as its part calls it."""
    return replace(task, id=task.id.partition(SLASH)[2])


class MixedRubric(Rubric):
    """The rubrics of the parts: each episode is scored by its own.

    Args:
        rubrics: by the part's name.
    """

    def __init__(self, rubrics: Mapping[str, Rubric]) -> None:
        self.rubrics = dict(rubrics)
        first = next(iter(self.rubrics.values()))
        self.components = tuple(
            replace(component, name=f"{name}{SLASH}{component.name}", needs=())
            for name, rubric in self.rubrics.items()
            for component in rubric.components
        )
        self.success, self.combine, self.clip = "success", first.combine, first.clip

    @property
    def measures(self) -> tuple[str, ...]:
        """Of each part its success, its reward, and then its components."""
        return tuple(
            f"{name}{SLASH}{measure}"
            for name, rubric in self.rubrics.items()
            for measure in ("success", "reward", *rubric.measures)
        )

    def part(self, trajectory: Trajectory) -> Rubric:
        """The rubric that an episode is scored by."""
        return self.rubrics[_name(trajectory)]

    def by_part(self, trajectories: Sequence[Trajectory]) -> Iterator[tuple[Rubric, list[Trajectory]]]:
        for name, rubric in self.rubrics.items():
            yield rubric, [trajectory for trajectory in trajectories if _name(trajectory) == name]

    def told(self, trajectory: Trajectory) -> None:
        name, score = _name(trajectory), trajectory.score
        if score is None:
            return
        own = {
            "success": None if score.success is None else float(score.success),
            "reward": score.reward,
            **score.components,
        }
        values = {f"{name}{SLASH}{measure}": value for measure, value in own.items()}
        trajectory.score = Score(score.reward, score.success, values)

    def changed(
        self,
        *,
        add: Sequence[Component] = (),
        weights: Mapping[str, float] | None = None,
        clip: tuple[float, float] | None = None,
    ) -> MixedRubric:
        """Components are added to every part; weights are named ``part/component``."""
        own: dict[str, dict[str, float]] = {name: {} for name in self.rubrics}
        for full, weight in (weights or {}).items():
            name, _, component = full.partition(SLASH)
            if name not in own or not component:
                raise UsageError(
                    f"no reward component {full!r} to weigh; in a mix they are named like "
                    f"{self.components[0].name!r}"
                )
            own[name][component] = weight
        return MixedRubric(
            {
                name: rubric.changed(add=add, weights=own[name], clip=clip)
                for name, rubric in self.rubrics.items()
            }
        )

    def score_turn(self, trajectory: Trajectory) -> float:
        return self.part(trajectory).score_turn(trajectory)

    def payouts(self, trajectory: Trajectory) -> list[float] | None:
        return self.part(trajectory).payouts(trajectory)

    def score(self, trajectory: Trajectory) -> Score:
        self.part(trajectory).score(trajectory)
        self.told(trajectory)
        if trajectory.score is None:
            raise UsageError("the episode was not scored")
        return trajectory.score


def _name(trajectory: Trajectory) -> str:
    return trajectory.task.id.partition(SLASH)[0]


@dataclass
class Episode:
    """An episode of a mix: of which part, and that part's own state."""

    part: str
    state: Any


class MixedEnv(TextEnv[Episode]):
    """Several environments as one; see the module.

    Args:
        parts: environments by id.
        weights: of tasks, by id.
        max_turns, render_mode: as for any environment; a turn limit holds for every part.
    """

    def __init__(
        self,
        parts: Mapping[str, TextEnv[Any]],
        weights: Mapping[str, Fraction],
        *,
        max_turns: int | None = None,
        render_mode: str | None = None,
    ) -> None:
        self.parts, self.weights = dict(parts), dict(weights)
        self.max_completion_chars = max(part.max_completion_chars for part in self.parts.values())
        self.slow = any(part.slow for part in self.parts.values())
        self.snapshots = all(part.snapshots for part in self.parts.values())
        longest = max(part.max_turns for part in self.parts.values())
        super().__init__(max_turns=longest if max_turns is None else max_turns, render_mode=render_mode)
        for part in self.parts.values() if max_turns is not None else ():
            part.max_turns = self.max_turns

    def make_tasks(self) -> Taskset:
        return MixedTaskset({name: part.tasks for name, part in self.parts.items()}, self.weights)

    def make_rubric(self) -> Rubric:
        return MixedRubric({name: part.rubric for name, part in self.parts.items()})

    def begin(self, task: Task, rng: Random) -> tuple[Episode, str | Sequence[Message]]:
        name = task.id.partition(SLASH)[0]
        self._become(name)
        state, opening = self._part.begin(unprefixed(task), rng)
        return Episode(name, state), opening

    def respond(self, state: Episode, turn: Turn, rng: Random) -> Response:
        # The part sees the episode so far, as it would alone: the same turns, and its own task.
        own = replace(self.trajectory, task=unprefixed(self.trajectory.task))
        self._part._trajectory = own
        return self._part.respond(state.state, turn, rng)

    def _become(self, name: str) -> None:
        """Read, limit and introduce as a part does, for one episode."""
        self._part = part = self.parts[name].spawn()
        self.parser, self.system, self.shots = part.parser, part.system, part.shots
        self.max_turns, self.max_completion_chars = part.max_turns, part.max_completion_chars

    def restore(self, snapshot: Snapshot) -> None:
        super().restore(snapshot)
        if self._state is not None:
            self._become(self._state.part)

    def demonstrations(self, split: str, n: int, seed: int) -> Iterator[list[Message]]:
        """The parts' own, in turns by weight."""
        sources = {name: part.demonstrations(split, n, seed) for name, part in self.parts.items()}
        turns, given = turns_of(turn_counts(self.weights)), 0
        while given < n and sources:
            for name in turns:
                if name not in sources or given == n:
                    continue
                found = next(sources[name], None)
                if found is None:
                    del sources[name]
                else:
                    given += 1
                    yield found

    def demonstrate(self, task: Task, seed: int) -> list[Message] | None:
        return self.parts[task.id.partition(SLASH)[0]].demonstrate(unprefixed(task), seed)

    def cheats(self, task: Task) -> Mapping[str, Sequence[str] | str]:
        return self.parts[task.id.partition(SLASH)[0]].cheats(unprefixed(task))

    def same_answer(self, task: Task, answer: Any, other: Any) -> bool:
        return self.parts[task.id.partition(SLASH)[0]].same_answer(unprefixed(task), answer, other)

    def close(self) -> None:
        """A twin ends its own episode; what parts share with others, say a server, is closed with the mix itself."""
        playing: TextEnv[Any] | None = getattr(self, "_part", None)
        for part in (playing,) if self.spawned else (playing, *self.parts.values()):
            if part is not None:
                part.close()

    def spawn(self) -> MixedEnv:
        twin = super().spawn()
        twin.__dict__.pop("_part", None)  # the template's own episode goes on
        return twin  # type: ignore[return-value]

    @classmethod
    def read_tasks(cls, path: str | Path) -> NoReturn:
        """A file of tasks belongs to one environment.

        Raises:
            UsageError: always.
        """
        raise UsageError(
            f"env.tasks={path}: a mix takes no file of tasks, since a file belongs to one environment"
        )
