"""Learning-rate schedules: a warm-up, then one of a few well-known curves.

They are transformers' (``transformers.get_scheduler``), number for number, so that a trainer with a loop of its own and
one that hands the setting to transformers mean the same by the same word.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import get_args

from rftgym.config import Schedule

FLOOR = 0.1
"""Share of the peak at which "cosine-floor" ends."""
TIMESCALE = 10_000
"""Steps after which "inverse-sqrt" has fallen to the peak's 0.7, where there is no warm-up that says otherwise."""


def learning_rate_factor(step: int, *, steps: int, warmup: int, schedule: Schedule) -> float:
    """Share of the peak learning rate that a step takes.

    It rises in a line from 0 at step 1 to 1 at step ``warmup + 1``, and follows the schedule from there: "constant";
    "linear" towards 0, which step ``steps + 1`` would have; "cosine", half a wave, to the same end; "cosine-floor", the
    same with :data:`FLOOR` as its end; "inverse-sqrt", 1 over the root of the steps (Vaswani et al.,
    arXiv:1706.03762, section 5.3).

    Args:
        step: from 1.
        steps: of the whole training.
        warmup: steps below the peak; 0 = none.
    Returns:
        A number from 0 to 1.
    Raises:
        ValueError: ``step`` is below 1, or there is no such schedule.
    """
    if step < 1 or schedule not in get_args(Schedule):
        known = ", ".join(get_args(Schedule))
        raise ValueError(f"step {step} of schedule {schedule!r}; steps begin at 1, schedules are {known}")
    before = step - 1
    if before < warmup:
        return before / warmup
    if schedule == "inverse-sqrt":
        timescale = warmup or TIMESCALE
        return 1.0 / math.sqrt((before + timescale - warmup) / timescale)
    passed = min(1.0, (before - warmup) / max(1, steps - warmup))
    return _CURVES[schedule](passed)


def _cosine(passed: float) -> float:
    return 0.5 * (1.0 + math.cos(math.pi * passed))


_CURVES: dict[str, Callable[[float], float]] = {
    "constant": lambda passed: 1.0,
    "linear": lambda passed: 1.0 - passed,
    "cosine": _cosine,
    "cosine-floor": lambda passed: FLOOR + (1.0 - FLOOR) * _cosine(passed),
}
