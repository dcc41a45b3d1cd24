"""What training cost: processor seconds, wall-clock seconds and tokens, step by step, evaluations left out.

A line a step goes to ``compute.jsonl`` in the job's folder. A run that was killed and resumed does some steps twice;
the last line of a step counts, so the sum is what the run costs undisturbed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rftgym.runs import atomic
from rftgym.runs.directory import RunDirectory
from rftgym.runs.strictjson import dumps, number
from rftgym.training import Progress

NAME = "compute.jsonl"


class Meter(Progress):
    """Counts while a run trains.

    Args:
        folder: of the job.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._cpu = self._wall = 0.0
        self._first = True

    def _start(self) -> None:
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def phase(self, name: str) -> None:
        """Training begins, or ends."""
        self._first = name == "training"
        self._start()

    def evaluation(self, when: str, evaluation: Mapping[str, Any]) -> None:
        """What an evaluation took is not training."""
        self._start()

    def step(self, step: int, steps: int, metrics: Mapping[str, float]) -> None:
        """An optimizer step was taken.

        The first one of a process also loads libraries and builds the trainer; it is cut to the seconds that the
        trainer itself counts for a step, where it counts them.
        """
        cpu, wall = time.process_time() - self._cpu, time.perf_counter() - self._wall
        own = number(metrics.get("seconds/step"))
        if self._first and own is not None:
            cpu, wall = min(cpu, own), min(wall, own)
        line = {"step": step, "cpu_seconds": cpu, "wall_seconds": wall, "tokens": metrics.get("tokens", 0.0)}
        atomic.append_line(self._path, dumps(line))
        self._first = False
        self._start()


def steps_of(folder: Path, last: int) -> dict[int, dict[str, float]]:
    """What each step up to ``last`` cost, by step."""
    lines: Iterable[dict[str, float]] = map(json.loads, atomic.read_lines(folder / NAME))
    found = {int(line["step"]): line for line in lines if line["step"] <= last}
    return dict(sorted(found.items()))


def training_cost(folder: Path, run: RunDirectory, steps: int) -> dict[str, Any]:
    """A run's training in all.

    Args:
        folder: of the job.
        run: in it, and over.
        steps: optimizer steps that were taken.

    Returns:
        "cpu_seconds", "wall_seconds"; "tokens_sampled" (by the policy, in rollouts); "tokens_trained" (of the
        conversations that updates were made from, prompts included, once a rollout batch; for supervised fine-tuning
        those of every pass, as its trainer counts them); "curve": [step, processor seconds up to its end], step by
        step.
    """
    lines = steps_of(folder, steps)
    total, curve = 0.0, []
    for step, line in lines.items():
        total += line["cpu_seconds"]
        curve.append([step, total])
    sampled = trained = 0
    for trajectory in run.trajectories():
        sampled += sum(len(turn.completion_ids) for turn in trajectory.turns)
        trained += len(trajectory.token_ids)
    return {
        "cpu_seconds": total,
        "wall_seconds": sum(line["wall_seconds"] for line in lines.values()),
        "tokens_sampled": sampled,
        "tokens_trained": trained or int(sum(line["tokens"] for line in lines.values())),
        "curve": curve,
    }
