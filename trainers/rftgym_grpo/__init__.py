"""GRPO as a plugin: what it registers."""

from __future__ import annotations

from collections.abc import Sequence

from rftgym.hookspecs import hookimpl
from rftgym.specs import TrainerSpec


@hookimpl
def rftgym_trainers() -> Sequence[TrainerSpec]:
    """GRPO and its relatives."""
    return [
        TrainerSpec(
            id="grpo",
            entry_point="rftgym_grpo.trainer:GRPO",
            summary="group-relative policy optimisation and its relatives (dr_grpo, dapo, bnpo, cispo, sapo, gspo)",
        )
    ]
