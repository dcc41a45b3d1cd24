"""Games of the package TextArena as environments: ``textarena:Hangman-v0``."""

from __future__ import annotations

from collections.abc import Sequence

from rftgym import EnvSpec, hookimpl


@hookimpl
def rftgym_environments() -> Sequence[EnvSpec]:
    """The family ``textarena:NAME``."""
    return [
        EnvSpec(
            id="textarena",
            scheme="textarena",
            entry_point="rftgym_textarena.env:TextArenaEnv",
            summary="games of TextArena, say textarena:Hangman-v0 (extra: textarena)",
        )
    ]
