"""Loads the bundled weights through whoever loads directories."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from rftgym import Policy, PolicySpec
from rftgym.config import ModelSettings
from rftgym.errors import PluginError
from rftgym.registry import installed

WEIGHTS: Final = Path(__file__).parent / "weights"
KERNEL_WEIGHTS: Final = Path(__file__).parent / "kernels"
MIXED_WEIGHTS: Final = Path(__file__).parent / "mixed"


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
    return _from(WEIGHTS, "tiny", settings, trainable, seed)


def load_kernels(settings: ModelSettings, *, trainable: bool = False, seed: int = 0) -> Policy:
    """The policy `tiny-kernels`; arguments and errors as of :func:`load`."""
    return _from(KERNEL_WEIGHTS, "tiny-kernels", settings, trainable, seed)


def load_mixed(settings: ModelSettings, *, trainable: bool = False, seed: int = 0) -> Policy:
    """The policy `tiny-mixed`; arguments and errors as of :func:`load`."""
    return _from(MIXED_WEIGHTS, "tiny-mixed", settings, trainable, seed)


def _from(folder: Path, name: str, settings: ModelSettings, trainable: bool, seed: int) -> Policy:
    if not (folder / "model.safetensors").is_file():
        raise PluginError(
            f"the weights of '{name}' are missing from {folder}: reinstall rftgym, "
            "or build them as the README.md of rftgym_tiny says"
        )
    from_directory = installed().spec(PolicySpec, "transformers").load()
    policy: Policy = from_directory(settings, trainable=trainable, directory=str(folder), seed=seed)
    return policy
