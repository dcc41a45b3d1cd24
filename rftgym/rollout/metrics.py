"""What a batch of scored episodes looks like in numbers."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import get_args

from rftgym.types import Stage, Trajectory


def rollout_metrics(trajectories: Sequence[Trajectory]) -> dict[str, float]:
    """Totals and means over a batch, flat, for ``metrics.jsonl``; every value is finite.

    Args:
        trajectories: scored.
    Returns:
        "reward/mean" and "reward/std" (population deviation), "success/mean" and "component/<name>" (mean
        value), each over the episodes where it could be scored, and left out where there is none; "episodes"
        (count); "unscored" (share of the episodes); "groups/zero_spread" (share of the groups in which all
        rewards are equal, so that nothing is learnt from them) and "groups/unscored" (share of those with fewer
        than two rewards), both 0 for groups of one; "turns" (mean); "tokens" (sampled, sum) and
        "tokens/completion" (mean); "truncated" (share of the episodes); "stop/<reason>" (share of the
        completions); "failures/<stage>" (count); "seconds/policy" and "seconds/environment": means per
        completion, the former with the wait for the other rows of its batch.
    """
    if not trajectories:
        return {}
    turns = [turn for trajectory in trajectories for turn in trajectory.turns]
    tokens = sum(len(turn.completion_ids) for turn in turns)
    failures = Counter(failure.stage for trajectory in trajectories for failure in trajectory.failures)
    metrics = {
        "episodes": float(len(trajectories)),
        "unscored": _mean([trajectory.reward is None for trajectory in trajectories]),
        "turns": len(turns) / len(trajectories),
        "tokens": float(tokens),
        "truncated": _mean([trajectory.truncated for trajectory in trajectories]),
        **_of_scores(trajectories),
        **_of_groups(trajectories),
        **{f"failures/{stage}": float(failures[stage]) for stage in get_args(Stage)},
    }
    if turns:
        metrics["tokens/completion"] = tokens / len(turns)
        for reason, count in sorted(Counter(turn.stop_reason for turn in turns).items()):
            metrics[f"stop/{reason}"] = count / len(turns)
        for place in ("policy", "environment"):
            metrics[f"seconds/{place}"] = math.fsum(turn.seconds.get(place, 0.0) for turn in turns) / len(
                turns
            )
    return metrics


def _of_scores(trajectories: Sequence[Trajectory]) -> dict[str, float]:
    scores = [trajectory.score for trajectory in trajectories if trajectory.score is not None]
    rewards = [score.reward for score in scores if score.reward is not None]
    metrics = {}
    if rewards:
        mean = _mean(rewards)
        metrics["reward/mean"] = mean
        metrics["reward/std"] = math.sqrt(_mean([(reward - mean) ** 2 for reward in rewards]))
        metrics["success/mean"] = _mean([bool(score.success) for score in scores if score.reward is not None])
    values = defaultdict(list)
    for score in scores:
        for name, value in score.components.items():
            if value is not None:
                values[name].append(value)
    return metrics | {f"component/{name}": _mean(known) for name, known in values.items()}


def remarks(metrics: Mapping[str, float]) -> dict[str, str]:
    """What is wrong with a batch, in plain words and with the cure; by kind, so that a reader can be told once.

    Args:
        metrics: of :func:`rollout_metrics`, with what a trainer adds ("drift", "sampler_gap/mean").
    """
    found: dict[str, str] = {}
    equal, unscored = metrics.get("groups/zero_spread", 0.0), metrics.get("unscored", 0.0)
    if equal >= 0.5:
        found["zero_spread"] = (
            f"in {equal:.0%} of the groups all rewards are equal, so nothing is learnt from them: try easier or harder "
            "tasks, a shaped reward, a larger group or a higher temperature"
        )
    if unscored:
        stages = [
            f"{name.removeprefix('failures/')} {int(n)}"
            for name, n in metrics.items()
            if "failures/" in name and n
        ]
        found["unscored"] = (
            f"{unscored:.1%} of the episodes could not be scored and take no part in the update"
            + (f" (failures by stage: {', '.join(stages)})" if stages else "")
            + "; trajectories/ has the reasons"
        )
    if metrics.get("drift"):
        found["drift"] = (
            f"in {int(metrics['drift'])} turns the recorded tokens are not those of the recorded text"
        )
    if metrics.get("sampler_gap/mean", 0.0) > 0.02:
        found["sampler_gap"] = (
            f"sampler and trainer disagree by {metrics['sampler_gap/mean']:.3f} nats a token: updates are off-policy; "
            "use the same dtype for both"
        )
    return found


def _of_groups(trajectories: Sequence[Trajectory]) -> dict[str, float]:
    groups: dict[str, list[float | None]] = defaultdict(list)
    for trajectory in trajectories:
        groups[trajectory.group].append(trajectory.reward)
    known = [
        [reward for reward in group if reward is not None] for group in groups.values() if len(group) > 1
    ]
    if not known:
        return {"groups/zero_spread": 0.0, "groups/unscored": 0.0}
    return {
        "groups/zero_spread": _mean([len(group) > 1 and min(group) == max(group) for group in known]),
        "groups/unscored": _mean([len(group) < 2 for group in known]),
    }


def _mean(values: Iterable[float]) -> float:
    known = list(values)
    return math.fsum(known) / len(known)
