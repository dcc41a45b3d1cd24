"""Your own prompts with answers, from a file of any common format. Hook implementations only."""

from __future__ import annotations

from rftgym import EnvSpec, hookimpl


@hookimpl
def rftgym_environments() -> list[EnvSpec]:
    """The environment."""
    return [
        EnvSpec(
            id="dataset",
            entry_point="rftgym_dataset.env:DatasetEnv",
            summary="Your own prompts with answers, from a file: --tasks my.jsonl (60 small puzzles without one)",
            gymnasium_id="rftgym/Dataset-v0",
            train_defaults={"sampling.max_tokens": 128, "trainer.steps": 40},
        )
    ]
