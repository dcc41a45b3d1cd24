"""Means over seeds and tasks, with intervals that know of both."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rftgym.intervals import RESAMPLES, Interval

_DRAWS_AT_A_TIME = 2**21
"""Bounds the memory of resampling: 16 MiB of weights."""


def pooled_interval(
    values_ST: Sequence[Sequence[float]], seed: int = 0, *, share: bool = False, level: float = 0.95
) -> Interval:
    """The mean over seeds and tasks with its percentile interval from a bootstrap over both.

    Every seed plays the same tasks, so seeds and tasks are crossed, not nested: a resample draws seeds, draws tasks,
    and takes the mean over the cells of both; a hard task stays hard for every seed. Of S seeds only S - 1 are drawn:
    with as few as three, drawing all S would make the variance between seeds seem smaller than it is by (S - 1) / S.
    One seed says nothing of that variance, and the interval then is over tasks alone.

    Args:
        values_ST: by seed, the value of each task; NaN where it is not known. Cells that are not known weigh nothing.
        seed: of the resampling.
        share: values lie between 0 and 1; where all are 0, or all 1, the interval's other end is that of Clopper and
            Pearson for as many tasks.
        level: share of the resamples inside the interval.

    Returns:
        "mean", "low" and "high"; all None where no value is known.

    Source: A. Owen, The pigeonhole bootstrap, Annals of Applied Statistics 1 (2007), for crossed draws; J. Rao and C.
        Wu, Resampling inference with complex survey data, JASA 83 (1988), for S - 1 of S.
    """
    table_ST = np.asarray(values_ST, dtype=np.float64)
    known_ST = ~np.isnan(table_ST)
    if not table_ST.size or not known_ST.any():
        return {"mean": None, "low": None, "high": None}
    mean = float(table_ST[known_ST].mean())
    tasks = int(known_ST.any(axis=0).sum())
    if share and mean in (0.0, 1.0):
        reach = ((1 - level) / 2) ** (1 / tasks)
        return {"mean": mean, "low": min(mean, reach), "high": max(mean, 1 - reach)}
    means = resampled_means(values_ST, seed)
    low, high = np.nanquantile(means, [(1 - level) / 2, (1 + level) / 2])
    return {"mean": mean, "low": min(float(low), mean), "high": max(float(high), mean)}


def resampled_means(values_ST: Sequence[Sequence[float]], seed: int = 0) -> NDArray[np.float64]:
    """The means of :data:`RESAMPLES` draws of S - 1 seeds and T tasks, with replacement; NaN where no cell is known.

    With one value a seed, their variance is on average that of the mean of S independent seeds.
    """
    table_ST = np.asarray(values_ST, dtype=np.float64)
    known_ST = (~np.isnan(table_ST)).astype(np.float64)
    filled_ST = np.nan_to_num(table_ST)
    rng = np.random.default_rng(seed)
    seeds, tasks = table_ST.shape
    rows = max(1, _DRAWS_AT_A_TIME // tasks)
    parts = []
    for first in range(0, RESAMPLES, rows):
        count = min(rows, RESAMPLES - first)
        drawn_RS = rng.multinomial(max(1, seeds - 1), np.full(seeds, 1 / seeds), count)
        drawn_RT = rng.multinomial(tasks, np.full(tasks, 1 / tasks), count)
        sums = np.einsum("rs,st,rt->r", drawn_RS, filled_ST, drawn_RT, optimize=True)
        counts = np.einsum("rs,st,rt->r", drawn_RS, known_ST, drawn_RT, optimize=True)
        parts.append(np.divide(sums, counts, out=np.full(count, np.nan), where=counts > 0))
    return np.concatenate(parts)


def difference_ST(
    ours_ST: Sequence[Sequence[float]], theirs_ST: Sequence[Sequence[float]]
) -> list[list[float]]:
    """Ours minus theirs, paired by task and by seed; a single row of theirs (the base has no seeds) serves all.

    Raises:
        ValueError: the numbers of tasks, or of seeds, differ.
    """
    rows = list(theirs_ST) * len(ours_ST) if len(theirs_ST) == 1 else theirs_ST
    return [
        [a - b for a, b in zip(ours, theirs, strict=True)] for ours, theirs in zip(ours_ST, rows, strict=True)
    ]


def task_means(evaluation: Any, measure: str) -> list[float]:
    """An evaluation's mean over samples, task by task; NaN where none could be scored.

    Args:
        evaluation: as ``Evaluation.to_json(per_task=True)`` made it.
        measure: "success" or "reward".
    """
    values = evaluation["per_task"]["values"][measure]
    return [sum(samples) / len(samples) if samples else float("nan") for samples in values]


def mean_of(values: Sequence[float]) -> float | None:
    """The mean of those that are numbers; None where none is."""
    known = [value for value in values if not isnan(value)]
    return sum(known) / len(known) if known else None
