"""Environments of Gymnasium, told in words: ``gymnasium:FrozenLake-v1``."""

from __future__ import annotations

from collections.abc import Sequence

from rftgym import EnvSpec, hookimpl


@hookimpl
def rftgym_environments() -> Sequence[EnvSpec]:
    """The family ``gymnasium:NAME``."""
    return [
        EnvSpec(
            id="gymnasium",
            scheme="gymnasium",
            entry_point="rftgym_gymnasium.env:GymnasiumEnv",
            summary="environments of Gymnasium in words, say gymnasium:FrozenLake-v1",
        )
    ]
