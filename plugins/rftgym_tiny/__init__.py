"""The bundled model `tiny`: a few million parameters that play by the rules, poorly, until they are trained."""

from __future__ import annotations

from collections.abc import Sequence

from rftgym import PolicySpec, hookimpl


@hookimpl
def rftgym_policies() -> Sequence[PolicySpec]:
    """Register ``--model tiny``."""
    return [
        PolicySpec(
            id="tiny",
            entry_point="rftgym_tiny.policy:load",
            summary="A very small llama, bundled: trains on a CPU in minutes, knows only the bundled environments",
            trainable=True,
            train_defaults={
                "trainer.learning_rate": 1.5e-3,  # held at 3e-3 it collapses; see docs/results/wordle.md
                "trainer.warmup": 2,
                "trainer.schedule": "linear",
            },
        )
    ]
