"""The bundled models `tiny`, `tiny-kernels` and `tiny-mixed`: a few million parameters each, poor at what they know."""

from __future__ import annotations

from collections.abc import Sequence

from rftgym import PolicySpec, hookimpl


@hookimpl
def rftgym_policies() -> Sequence[PolicySpec]:
    """Register ``--model tiny``, ``--model tiny-kernels`` and ``--model tiny-mixed``."""
    return [
        PolicySpec(
            id="tiny",
            entry_point="rftgym_tiny.policy:load",
            summary="A very small llama, bundled: trains on a CPU in minutes, knows only Wordle",
            trainable=True,
            train_defaults={
                "trainer.learning_rate": 1.5e-3,  # held at 3e-3 it collapses; see docs/results/wordle.md
                "ppo.learning_rate": 1e-3,
                "trainer.warmup": 2,
                "trainer.schedule": "linear",
            },
            knows=("wordle",),
        ),
        PolicySpec(
            id="tiny-kernels",
            entry_point="rftgym_tiny.policy:load_kernels",
            summary="A very small llama, bundled: writes Triton kernels, carelessly, and nothing else",
            trainable=True,
            train_defaults={
                "trainer.learning_rate": 1.5e-3,
                "trainer.warmup": 2,
                "trainer.schedule": "linear",
            },
            knows=("triton-kernels", "triton-kernels-repair", "triton-kernels-generated"),
        ),
        PolicySpec(
            id="tiny-mixed",
            entry_point="rftgym_tiny.policy:load_mixed",
            summary="A very small llama, bundled: calculates, translates Java and calls tools, carelessly",
            trainable=True,
            train_defaults={
                "trainer.learning_rate": 1.5e-3,
                "ppo.learning_rate": 1e-3,
                "trainer.warmup": 2,
                "trainer.schedule": "linear",
            },
            knows=("math", "transpile-java-python", "tool-use"),
        ),
    ]
