"""Policies from transformers: a local directory, a hub id, an adapter, or a finished run."""

from __future__ import annotations

from collections.abc import Sequence

from rftgym import PolicySpec, hookimpl


@hookimpl
def rftgym_policies() -> Sequence[PolicySpec]:
    """Register the policy that takes every ``--model`` which is a path or ``owner/name``."""
    return [
        PolicySpec(
            id="transformers",
            entry_point="rftgym_transformers.loading:load",
            summary="A local model directory, an adapter, a run, or a hub id (--model PATH or owner/name)",
            trainable=True,
        )
    ]
