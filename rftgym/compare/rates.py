"""Which learning rate an arm takes: tried on the validation split, at the largest size, with a seed of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log
from pathlib import Path
from typing import Any

from rftgym.compare.folders import measures_of, run_of
from rftgym.compare.jobs import Job, trials
from rftgym.compare.plan import Arm, Plan


def tried(directory: Path, plan: Plan, arm: Arm) -> list[dict[str, Any]]:
    """An arm's trials that are over: factor, rate, validation scores, cost."""
    found = []
    for job in trials(plan, arm):
        measures = measures_of(directory, job.id)
        after = run_of(directory, job.id).evaluations()["after"]
        found.append(
            {
                "job": job.id,
                "factor": job.factor,
                "rate": measures["learning_rate"],
                "split": after["split"],
                "success": after["success"]["mean"],
                "reward": after["reward"]["mean"],
                "cpu_seconds": measures["training"]["cpu_seconds"],
            }
        )
    return found


def best_trial(candidates: Sequence[Mapping[str, Any]], measure: str = "success") -> Mapping[str, Any]:
    """The trial with the best validation score; of equal ones, by the other score, then the one nearest to the default.

    Args:
        measure: "success" or "reward"; the other decides where this one is equal.
    """
    other = "reward" if measure == "success" else "success"

    def merit(trial: Mapping[str, Any]) -> tuple[float, float, float]:
        first, second = (-1e300 if trial[name] is None else trial[name] for name in (measure, other))
        return first, second, -abs(log(trial["factor"]))

    return max(candidates, key=merit)


def chosen_trial(directory: Path, plan: Plan, arm: Arm, measure: str) -> Job | None:
    """The trial whose rate an arm takes; None where none was made."""
    candidates = trials(plan, arm)
    if not candidates:
        return None
    best = best_trial(tried(directory, plan, arm), measure)
    return next(job for job in candidates if job.id == best["job"])
