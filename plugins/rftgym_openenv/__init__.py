"""OpenEnv: its servers as environments, and our environments as its servers."""

from __future__ import annotations

from collections.abc import Sequence

from rftgym import EnvSpec, hookimpl


@hookimpl
def rftgym_environments() -> Sequence[EnvSpec]:
    """The family ``openenv:NAME``."""
    return [
        EnvSpec(
            id="openenv",
            scheme="openenv",
            entry_point="rftgym_openenv.env:OpenEnvEnv",
            summary="an OpenEnv server, say openenv:http://localhost:8000 (extra: openenv)",
        )
    ]
