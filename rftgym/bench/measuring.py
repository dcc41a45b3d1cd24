"""The measurement: rounds that all play the same, then stages, then processes and threads."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from rftgym.bench import clock, stages
from rftgym.bench.crews import processes, threads
from rftgym.bench.plays import FEWEST, Play, played, plays_of
from rftgym.bench.report import Rate, Report, Scale, Stage
from rftgym.config import EnvSettings, RewardSettings
from rftgym.env import TextEnv
from rftgym.errors import PluginError, UsageError
from rftgym.plugins import Plugins
from rftgym.registry import installed, make_configured
from rftgym.scoring import score_trajectories
from rftgym.types import Trajectory

ROUNDS = 5
INSTANT = 1e-9
"""Less than a clock can tell."""
OUTSIDE = 0.02
"""Share of the CPU time that other processes take, above which stages count it too."""
SHORTEST = 0.05
"""Seconds that a measurement has at least."""
LONGEST = 3600
"""And at most."""


def measure(
    env: str | EnvSettings | TextEnv[Any],
    *,
    rewards: RewardSettings | None = None,
    seconds: float = 2.0,
    workers: Sequence[int] = (1,),
    seed: int = 0,
    plugins: Plugins | None = None,
) -> Report:
    """Measure an environment.

    Args:
        env: its id or settings, or an environment, which cannot be made again in other processes.
        rewards: changes to its rubric; of an environment that is given the rubric stays as it is.
        seconds: of each measurement: the rates, the stages, each number of processes and of threads. A round plays four
            episodes at least, whatever they take.
        workers: numbers of processes to measure with; (): none.
        seed: of the choice of tasks and of the episodes.

    Raises:
        UsageError: an unknown id, a number that makes no sense, or an environment without tasks.
        ContractError: it fails on its own solutions.
    """
    if not SHORTEST <= seconds <= LONGEST or any(number < 1 for number in workers):
        raise UsageError(
            f"seconds={seconds}, workers={list(workers)}: take {SHORTEST} to {LONGEST} s, and 1 worker or more"
        )
    plugins = plugins or installed()
    settings = EnvSettings(id=env) if isinstance(env, str) else env
    if isinstance(settings, EnvSettings):
        rewards = rewards or RewardSettings()
        made = make_configured(settings, rewards, plugins=plugins)
    else:
        made = settings.spawn()
    try:
        bench = _Bench.of(made, seed, seconds)
        report = bench.report()
        scaling, notes = _scaled(bench, settings, rewards, workers, plugins)
        return replace(report, scaling=tuple(scaling), notes=(*report.notes, *notes))
    finally:
        made.close()  # of an environment that was given, a twin


def available_cores() -> int:
    """Cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on macOS
    return len(affinity(0)) if affinity else os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class _Bench:
    """What every round plays.

    Attributes:
        passes: over the plays, a round.
        first: the episodes of the warm-up, scored.
    """

    env: TextEnv[Any]
    plays: Sequence[Play]
    passes: int
    seed: int
    seconds: float
    first: Sequence[Trajectory]
    solves: bool

    @classmethod
    def of(cls, env: TextEnv[Any], seed: int, seconds: float) -> _Bench:
        """Choose plays, warm up with them, and see how many of them a round can have."""
        plays, solves = plays_of(env, seed, seconds)
        one_round = seconds / ROUNDS
        first, begun = [], time.perf_counter()
        for play in plays:
            first.append(played(env, play, seed))
            if len(first) >= FEWEST and time.perf_counter() - begun > one_round:
                break
        whole = len(first) // FEWEST * FEWEST or len(first)  # so that the mixture is what it should be
        first, plays = first[:whole], plays[:whole]
        score_trajectories(env.rubric, first)
        begun = time.perf_counter()
        score_trajectories(env.rubric, [played(env, play, seed) for play in plays])
        passes = max(1, int(one_round / (time.perf_counter() - begun)))
        return cls(env, plays, passes, seed, seconds, first, solves)

    def report(self) -> Report:
        """Everything that this process finds out alone."""
        found = [self._round(self.env) for _ in range(ROUNDS)]
        episodes = len(self.plays) * self.passes
        turns = sum(len(each.turns) for each in self.first) / len(self.first)
        counts = {"steps": episodes * turns, "episodes": float(episodes), "scorings": float(episodes)}
        spent = {
            "steps": [playing + scoring for playing, scoring in found],
            "episodes": [playing + scoring for playing, scoring in found],
            "scorings": [scoring for _, scoring in found],
        }
        whole = sum((t for both in found for t in both), clock.NOTHING)
        others = whole.others / max(whole.cpu, INSTANT)
        scores = [each.score for each in self.first]
        return Report(
            env=self.env.id,
            seed=self.seed,
            split=self.plays[0].split,
            tasks=len(self.plays),
            passes=self.passes,
            rounds=ROUNDS,
            turns=turns,
            solved=sum(bool(score and score.success) for score in scores) / len(scores),
            unscored=sum(score is None or score.reward is None for score in scores) / len(scores),
            per_cpu_second={
                n: Rate.of([count / max(t.cpu, INSTANT) for t in spent[n]]) for n, count in counts.items()
            },
            per_second={
                n: Rate.of([count / max(t.wall, INSTANT) for t in spent[n]]) for n, count in counts.items()
            },
            stages=self._stages(others=others > OUTSIDE),
            notes=tuple(self._notes()),
        )

    def _round(self, env: TextEnv[Any]) -> tuple[clock.Moment, clock.Moment]:
        """What playing and what scoring took; no more episodes are held at a time than a batch has."""
        playing = scoring = clock.NOTHING
        for _ in range(self.passes):
            begun = clock.started()
            episodes = [played(env, play, self.seed) for play in self.plays]
            playing += clock.stopped().since(begun)
            begun = clock.started()
            score_trajectories(env.rubric, episodes)
            scoring += clock.stopped().since(begun)
        return playing, scoring

    def _stages(self, *, others: bool) -> tuple[Stage, ...]:
        """Rounds of their own, since a stopwatch costs time."""
        found = [self._watched_round(others) for _ in range(ROUNDS)]
        episodes, totals = len(self.plays) * self.passes, [sum(cpu for cpu, _ in e.values()) for e in found]
        names = sorted(dict.fromkeys(name for each in found for name in each), key=stages.place)
        made = []
        for name in names:
            taken = [each.get(name, (0.0, 0.0)) for each in found]
            share = Rate.of(
                [cpu / max(total, INSTANT) for (cpu, _), total in zip(taken, totals, strict=True)]
            )
            cpu, wall = (median(each) / episodes * 1e6 for each in zip(*taken, strict=True))
            made.append(Stage(name, share, cpu, wall))
        return tuple(made)

    def _watched_round(self, others: bool) -> dict[str, tuple[float, float]]:
        watch = stages.Stopwatch(others=others)
        return watch.stages(*self._round(stages.watched(self.env, watch)))

    def _notes(self) -> list[str]:
        notes = []
        failures = [failure for each in self.first for failure in each.failures]
        for failure in failures[:1]:
            notes.append(f"{failure.stage} {failure.name!r} failed: {failure.kind}: {failure.message}")
        if not self.solves:
            notes.append(
                "it shows no solutions (demonstrate()): garbage was played, which may be quicker to judge"
            )
        if any(component.is_async for component in self.env.rubric.components):
            notes.append(
                "asynchronous rewards wait side by side: their stages are what each call took, summed"
            )
        return notes


def _scaled(
    bench: _Bench,
    settings: EnvSettings | TextEnv[Any],
    rewards: RewardSettings | None,
    workers: Sequence[int],
    plugins: Plugins,
) -> tuple[list[Scale], list[str]]:
    scaling: list[Scale] = []
    notes: list[str] = []
    if workers and isinstance(settings, EnvSettings) and rewards is not None:
        order = {
            "env": settings.model_dump(mode="json"),
            "rewards": rewards.model_dump(mode="json"),
            "seed": bench.seed,
            "plays": [(play.split, play.index, play.completions) for play in bench.plays],
        }
        try:
            order["plugins"] = plugins.portable()
            scaling += processes(order, sorted(set(workers)), bench.seconds)
        except PluginError as error:
            notes.append(f"processes were not measured: {error}")
    elif workers:
        notes.append(
            "processes were not measured: an environment that is given as an object cannot be made again"
        )
    if bench.env.slow:
        scaling += threads(bench.env, bench.plays, bench.seed, bench.seconds, available_cores())
    return scaling, notes
