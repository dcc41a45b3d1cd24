"""Loads the bundled weights through whoever loads directories."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from rftgym import Policy, PolicySpec
from rftgym.config import ModelSettings
from rftgym.errors import PluginError
from rftgym.registry import installed

WEIGHTS: Final = Path(__file__).parent / "weights"


def load(settings: ModelSettings, *, trainable: bool = False, seed: int = 0) -> Policy:
    """The policy `tiny`.

    Args:
        settings: of the model; ``revision`` does not apply.
        trainable: as for any model with weights.
        seed: of a new adapter's initial values.
    Raises:
        PluginError: the installation lacks the weights.
        UsageError: as for any model with weights.
    """
    if not (WEIGHTS / "model.safetensors").is_file():
        raise PluginError(
            f"the weights of 'tiny' are missing from {WEIGHTS}: reinstall rftgym, "
            "or build them as the README.md of rftgym_tiny says"
        )
    from_directory = installed().spec(PolicySpec, "transformers").load()
    policy: Policy = from_directory(settings, trainable=trainable, directory=str(WEIGHTS), seed=seed)
    return policy
