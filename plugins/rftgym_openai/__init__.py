"""Any endpoint that speaks OpenAI's chat-completions API, for evaluation."""

from __future__ import annotations

from collections.abc import Sequence

from rftgym import PolicySpec, hookimpl


@hookimpl
def rftgym_policies() -> Sequence[PolicySpec]:
    """Register ``--model openai:MODEL``."""
    return [
        PolicySpec(
            id="openai",
            entry_point="rftgym_openai.policy:load",
            summary="openai:NAME[@URL], a chat-completions endpoint (OPENAI_API_KEY), for evaluation",
            scheme="openai",
        )
    ]
