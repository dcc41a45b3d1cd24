"""SFT as a plugin: what it registers."""

from __future__ import annotations

from collections.abc import Sequence

from rftgym.hookspecs import hookimpl
from rftgym.specs import TrainerSpec


@hookimpl
def rftgym_trainers() -> Sequence[TrainerSpec]:
    """Supervised fine-tuning."""
    return [
        TrainerSpec(
            id="sft",
            entry_point="rftgym_sft.trainer:SFT",
            summary="supervised fine-tuning on conversations of your own (--data) or the environment's demonstrations",
        )
    ]
