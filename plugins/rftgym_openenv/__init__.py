"""OpenEnv: its servers as environments, and our environments as its servers."""

from __future__ import annotations

from collections.abc import Sequence

from rftgym import EnvSpec, hookimpl
from rftgym.specs import CommandSpec


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


@hookimpl
def rftgym_commands() -> Sequence[CommandSpec]:
    """``rftgym export``."""
    return [
        CommandSpec(
            id="export",
            entry_point="rftgym_openenv.command:command",
            summary="Serve an environment to other frameworks: openenv.",
        )
    ]
