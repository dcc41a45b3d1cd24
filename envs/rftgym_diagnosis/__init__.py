"""Diagnosis: which findings to ask for, and when to stop. Hook implementations only."""

from __future__ import annotations

from rftgym import EnvSpec, hookimpl


@hookimpl
def rftgym_environments() -> list[EnvSpec]:
    """The environment."""
    return [
        EnvSpec(
            id="diagnosis",
            entry_point="rftgym_diagnosis.env:DiagnosisEnv",
            summary="Ask an invented patient for findings, at a cost, and say what it has and how sure you are",
            gymnasium_id="rftgym/Diagnosis-v0",
            default_model="smollm2-135m",
            train_defaults={
                "sampling.max_tokens": 48,
                "grpo.steps": 40,
                "rloo.steps": 40,
                "ppo.steps": 30,
                "sft.examples": 300,
                "evaluation.n": 60,
                "evaluation.every": 20,
            },
        )
    ]
