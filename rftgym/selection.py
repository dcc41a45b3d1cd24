"""Which step of a run was the best one, by its evaluations on the way, and when to stop looking for a better one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rftgym.config import EvaluationSettings

Evaluations = Mapping[str, Mapping[str, Any]]
"""By name ("before", "step-000010", "after"), in the shape of ``rftgym eval --json``."""


def best_step(evaluations: Evaluations, settings: EvaluationSettings, upto: int | None = None) -> int | None:
    """The step of the best evaluation on the way, the earliest of equals; None where there was none.

    Args:
        settings: ``measure`` is compared first, the other of success and reward where those are equal.
        upto: later steps don't count.
    """
    scores = list(_scores(evaluations, settings, upto))
    return max(scores, key=lambda each: (each[1], -each[0]))[0] if scores else None


def is_stale(evaluations: Evaluations, settings: EvaluationSettings, upto: int | None = None) -> bool:
    """Whether the last ``settings.patience`` evaluations (or more) brought no new best one."""
    best = best_step(evaluations, settings, upto)
    later = sum(step > best for step, _ in _scores(evaluations, settings, upto)) if best is not None else 0
    return settings.patience > 0 and later >= settings.patience


def _scores(
    evaluations: Evaluations, settings: EvaluationSettings, upto: int | None
) -> Iterator[tuple[int, tuple[float, float]]]:
    measures = (settings.measure, "reward" if settings.measure == "success" else "success")
    for name, evaluation in evaluations.items():
        if name.startswith("step-"):
            step = int(name.removeprefix("step-"))
            if upto is None or step <= upto:
                first, second = (float(evaluation[measure]["mean"]) for measure in measures)
                yield step, (first, second)
