"""Tasks of the package reasoning-gym as environments: ``reasoning-gym:countdown``."""

from __future__ import annotations

from collections.abc import Sequence

from rftgym import EnvSpec, hookimpl


@hookimpl
def rftgym_environments() -> Sequence[EnvSpec]:
    """The family ``reasoning-gym:NAME``."""
    return [
        EnvSpec(
            id="reasoning-gym",
            scheme="reasoning-gym",
            entry_point="rftgym_reasoning_gym.env:ReasoningGymEnv",
            summary="tasks of reasoning-gym, say reasoning-gym:countdown (extra: reasoning-gym)",
        )
    ]
