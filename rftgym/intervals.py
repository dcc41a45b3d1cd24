"""Means with intervals, over tasks: what an evaluation reports."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb, fsum

import numpy as np

Interval = dict[str, float | None]
"""{"mean", "low", "high"}; all None where there is nothing to take a mean of."""

RESAMPLES = 5_000
_DRAWS_AT_A_TIME = 2**21
"""Bounds the memory of resampling: 16 MiB of indices."""


def bootstrap_interval(
    values_by_task: Sequence[Sequence[float]], seed: int, *, resamples: int = RESAMPLES, level: float = 0.95
) -> Interval:
    """The mean over tasks with its percentile bootstrap interval, clustered by task.

    Samples of one task resemble each other, so whole tasks are resampled, not samples; every task weighs the
    same. Where all tasks agree, the interval is a point: the bootstrap cannot know what it never saw (for shares, see
    :func:`share_interval`).

    Args:
        values_by_task: the samples' values of each task; a task without any is left out.
        seed: of the resampling: the same values and seed give the same interval.
        level: the share of resamples inside the interval.
    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
    """
    means = np.array(
        [fsum(values) / len(values) for values in values_by_task if len(values)], dtype=np.float64
    )
    if not means.size:
        return {"mean": None, "low": None, "high": None}
    rng = np.random.default_rng(seed)
    rows = max(1, _DRAWS_AT_A_TIME // means.size)
    parts = [
        means[rng.integers(0, means.size, (min(rows, resamples - first), means.size))].mean(axis=1)
        for first in range(0, resamples, rows)
    ]
    low, high = np.quantile(np.concatenate(parts), [(1 - level) / 2, (1 + level) / 2])
    mean = float(means.mean())
    # rounding may put a bound a hair beyond a mean that it equals
    return {"mean": mean, "low": min(float(low), mean), "high": max(float(high), mean)}


def share_interval(values_by_task: Sequence[Sequence[float]], seed: int, *, level: float = 0.95) -> Interval:
    """As :func:`bootstrap_interval`, for values between 0 and 1; honest where no task succeeds, or every one.

    There the bootstrap would give a point. Instead the other end is the exact one of Clopper and Pearson for 0 of n
    (or n of n) tasks: 1 - (a/2)^(1/n) with a = 1 - level.

    Source: Clopper and Pearson, The use of confidence or fiducial limits, Biometrika 26 (1934).
    """
    found = bootstrap_interval(values_by_task, seed, level=level)
    tasks = sum(1 for values in values_by_task if len(values))
    if tasks and found["mean"] in (0.0, 1.0):
        reach = ((1 - level) / 2) ** (1 / tasks)
        return {**found, "high": 1 - reach} if found["mean"] == 0.0 else {**found, "low": reach}
    return found


def pass_at_k(successes: Sequence[bool], k: int) -> float | None:
    """The chance that one of ``k`` samples succeeds, or more: an unbiased estimate from n >= k.

    Returns:
        1 - C(n - c, k) / C(n, k) for c successes in n samples; None for n < k.
    Source: Chen et al., Evaluating Large Language Models Trained on Code, arXiv:2107.03374, equation 1.
    """
    n = len(successes)
    return None if n < k else 1 - comb(n - sum(successes), k) / comb(n, k)
