"""What a measurement found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Rate:
    """Something a second, or a share: over rounds, the median, the lowest and the highest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Rate:
        """Of what the rounds gave."""
        return cls(median(values), min(values), max(values))


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the work on an episode.

    Attributes:
        name: "tasks", "begin", "parse", "respond", "reward NAME"; and what the framework takes besides: "keeping the
            episode" (twins, turns, messages) and "calling the rewards" (gates, checks, timeouts).
        share: of an episode's CPU time, 0 to 1.
        cpu_microseconds: an episode, the median over rounds.
        wall_microseconds: the same by the wall clock: waiting included, and whatever else the machine did.
    """

    name: str
    share: Rate
    cpu_microseconds: float
    wall_microseconds: float


@dataclass(frozen=True, slots=True)
class Scale:
    """So many processes, or threads, at once.

    Attributes:
        steps_per_second: of wall-clock time, all of them together; ``episodes_per_second`` likewise.
        steps_per_cpu_second: what a step costs when others run beside it.
        speedup: of ``episodes_per_second`` over the smallest number measured, per unit of that number.
    """

    kind: Literal["processes", "threads"]
    number: int
    steps_per_second: float
    episodes_per_second: float
    steps_per_cpu_second: float
    speedup: float


@dataclass(frozen=True, slots=True)
class Report:
    """How fast an environment is.

    Attributes:
        tasks: how many different ones were played, of ``split``; each round plays all of them ``passes`` times.
        turns: an episode, on average; ``solved``: share of the episodes that succeeded.
        unscored: share of the episodes that have no reward, since something failed.
        per_cpu_second: "steps", "episodes" (both with making the task and scoring) and "scorings" (scoring alone).
        per_second: the same by the wall clock.
        notes: what a reader has to know, and what could not be measured.
    """

    env: str
    seed: int
    split: str
    tasks: int
    passes: int
    rounds: int
    turns: float
    solved: float
    unscored: float
    per_cpu_second: dict[str, Rate]
    per_second: dict[str, Rate]
    stages: tuple[Stage, ...]
    scaling: tuple[Scale, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)
