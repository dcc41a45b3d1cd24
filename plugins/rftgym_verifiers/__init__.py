"""Environments of the package verifiers: ``verifiers:NAME``."""

from __future__ import annotations

from collections.abc import Sequence

from rftgym import EnvSpec, hookimpl


@hookimpl
def rftgym_environments() -> Sequence[EnvSpec]:
    """The family ``verifiers:NAME``."""
    return [
        EnvSpec(
            id="verifiers",
            scheme="verifiers",
            entry_point="rftgym_verifiers.env:VerifiersEnv",
            summary="environments of verifiers, by module or name (extra: verifiers)",
        )
    ]
