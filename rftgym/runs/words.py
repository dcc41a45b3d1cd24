"""Numbers and metric names as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rftgym.runs.strictjson import number

NAMES: Mapping[str, str] = {
    "reward/mean": "Reward",
    "reward/std": "Reward, deviation",
    "success/mean": "Success",
    "loss": "Loss",
    "kl": "KL to the reference policy",
    "entropy": "Entropy per token",
    "clip_share": "Clipped share of tokens",
    "learning_rate": "Learning rate",
    "gradient_norm": "Gradient norm",
    "sampler_gap/mean": "Sampler and trainer log-probabilities apart, mean",
    "sampler_gap/max": "Sampler and trainer log-probabilities apart, largest",
    "drift": "Token drift",
    "tokens": "Tokens a step",
    "tokens_per_second": "Tokens per second",
    "episodes": "Episodes a step",
    "seconds/policy": "Seconds of the policy a completion",
    "seconds/environment": "Seconds of the environment a completion",
    "seconds/rollout": "Seconds of rollout",
    "seconds/update": "Seconds of update",
    "seconds/step": "Seconds a step",
    "groups/zero_spread": "Groups in which all rewards are equal",
    "groups/unscored": "Groups with fewer than two rewards",
    "unscored": "Episodes that cannot be scored",
    "truncated": "Truncated episodes",
    "turns": "Turns an episode",
    "tokens/completion": "Tokens a completion",
}
FAMILIES: Mapping[str, str] = {
    "failures/": "Failures: {}",
    "stop/": "Completions ended by: {}",
    "component/": "{}",
}
_SHARES = ("success/", "groups/", "stop/", "pass@")


def metric_name(name: str) -> str:
    """A metric's name in words, where we have them; else as it is."""
    if name in NAMES:
        return NAMES[name]
    for prefix, words in FAMILIES.items():
        if name.startswith(prefix):
            return words.format(name.removeprefix(prefix))
    return name


def is_share(name: str) -> bool:
    """Whether a metric is a part of a whole, and better read as a percentage."""
    return name in ("unscored", "truncated", "clip_share", "success") or name.startswith(_SHARES)


def value(what: Any) -> str:
    """A number with three or four figures that matter; "–" for none."""
    found = number(what)
    if found is None:
        return "–" if what is None else str(what)
    if found != found or found in (float("inf"), float("-inf")):
        return str(found)
    if found == int(found) and abs(found) < 1e6:
        return f"{int(found):,}"
    if abs(found) < 0.01:
        return f"{found:.2g}"
    return f"{found:.3f}" if abs(found) < 100 else f"{found:.4g}"


def tick(what: float) -> str:
    """A number on an axis."""
    return f"{what:.4g}"


def share(what: Any) -> str:
    """A share as a percentage; "–" for none."""
    found = number(what)
    return "–" if found is None else f"{100 * found:.1f}%"


def points(what: Any) -> str:
    """A difference of shares in percentage points; "–" for none."""
    found = number(what)
    return "–" if found is None else f"{100 * found:.1f}"


def duration(seconds: float) -> str:
    """Seconds as "5 min 12 s"."""
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s" if seconds < 10 else f"{rest} s"
