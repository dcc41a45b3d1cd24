"""Mathematics: arithmetic, equations, word problems, countdown. Hook implementations only."""

from __future__ import annotations

from rftgym import EnvSpec, hookimpl


@hookimpl
def rftgym_environments() -> list[EnvSpec]:
    """The environment."""
    return [
        EnvSpec(
            id="math",
            entry_point="rftgym_math.env:MathEnv",
            summary="Arithmetic, equations, word problems, countdown, graded and without end; or GSM8K and MATH files",
            gymnasium_id="rftgym/Math-v0",
            default_model="tiny-mixed",
            train_defaults={
                "sampling.max_tokens": 160,
                "trainer.steps": 40,
                "evaluation.every": 20,
            },
        )
    ]
