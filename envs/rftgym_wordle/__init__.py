"""Wordle: find a five-letter English word in six guesses. Hook implementations only."""

from __future__ import annotations

from rftgym import EnvSpec, RewardSpec, hookimpl


@hookimpl
def rftgym_environments() -> list[EnvSpec]:
    """The environment."""
    return [
        EnvSpec(
            id="wordle",
            entry_point="rftgym_wordle.env:WordleEnv",
            summary="Find a five-letter English word in six guesses (multi-turn, 2,354 answers)",
            gymnasium_id="rftgym/Wordle-v0",
            train_defaults={
                "sampling.max_tokens": 32,
                "grpo.steps": 45,
                "rloo.steps": 45,
                "ppo.steps": 30,
                "sft.examples": 200,
                "evaluation.every": 15,
            },
        )
    ]


@hookimpl
def rftgym_rewards() -> list[RewardSpec]:
    """A reward of Wordle's own that costs too much to be computed unasked."""
    return [
        RewardSpec(
            id="wordle-information",
            entry_point="rftgym_wordle.rewards:information",
            summary="Wordle: share of the uncertainty about the answer that the guesses removed",
        )
    ]
