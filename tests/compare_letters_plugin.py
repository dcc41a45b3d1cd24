"""The plugin of ``compare_letters``: what it registers."""

from __future__ import annotations

import rftgym

SHORT = {"sampling.max_tokens": 6}


@rftgym.hookimpl
def rftgym_environments() -> list[rftgym.EnvSpec]:
    return [
        rftgym.EnvSpec("letters", "compare_letters:Letters", train_defaults=SHORT),
        rftgym.EnvSpec("unsolved", "compare_letters:Unsolved", train_defaults=SHORT),
    ]
