"""Python functions from their docstrings, judged by hidden tests. Hook implementations only."""

from __future__ import annotations

from rftgym import EnvSpec, hookimpl

DEFAULTS = {
    "sampling.max_tokens": 384,
    "evaluation.n": 24,
    "evaluation.samples": 4,
    "evaluation.every_n": 8,
}


@hookimpl
def rftgym_environments() -> list[EnvSpec]:
    """The environment."""
    return [
        EnvSpec(
            id="code",
            entry_point="rftgym_code.env:CodeEnv",
            summary="Write a Python function or class from its docstring; judged by hidden tests in a sandbox",
            gymnasium_id="rftgym/Code-v0",
            default_model="smollm2-135m",
            train_defaults=DEFAULTS,
        )
    ]
