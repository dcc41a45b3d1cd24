"""RLOO as a plugin: what it registers."""

from __future__ import annotations

from collections.abc import Sequence

from rftgym.hookspecs import hookimpl
from rftgym.specs import TrainerSpec


@hookimpl
def rftgym_trainers() -> Sequence[TrainerSpec]:
    """REINFORCE with a leave-one-out baseline."""
    return [
        TrainerSpec(
            id="rloo",
            entry_point="rftgym_rloo.trainer:RLOO",
            summary="REINFORCE on whole episodes; the baseline is the mean of the group's other rewards",
        )
    ]
