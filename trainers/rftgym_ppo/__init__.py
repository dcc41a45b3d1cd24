"""PPO as a plugin: what it registers."""

from __future__ import annotations

from collections.abc import Sequence

from rftgym.hookspecs import hookimpl
from rftgym.specs import TrainerSpec


@hookimpl
def rftgym_trainers() -> Sequence[TrainerSpec]:
    """PPO."""
    return [
        TrainerSpec(
            id="ppo",
            entry_point="rftgym_ppo.trainer:PPO",
            summary="proximal policy optimisation: a value head and an advantage for every token (GAE)",
        )
    ]
