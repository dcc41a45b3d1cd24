"""Tool use: a calculator and a key-value store as typed functions. Hook implementations only."""

from __future__ import annotations

from rftgym import EnvSpec, hookimpl


@hookimpl
def rftgym_environments() -> list[EnvSpec]:
    """The environment."""
    return [
        EnvSpec(
            id="tool-use",
            entry_point="rftgym_tool_use.env:ToolUseEnv",
            summary="Answer questions by calling two tools, a look-up and a calculator (multi-turn, without end)",
            gymnasium_id="rftgym/ToolUse-v0",
            default_model="tiny-mixed",
            train_defaults={
                "sampling.max_tokens": 64,
                "grpo.steps": 60,
                "rloo.steps": 60,
                "ppo.steps": 40,
                "sft.examples": 400,
                "evaluation.n": 100,
                "evaluation.every": 20,
            },
        )
    ]
