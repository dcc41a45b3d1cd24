"""Where trained weights are: a model directory, an adapter directory, or what a run ended with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from rftgym.errors import UsageError

ADAPTER_CONFIG: Final = "adapter_config.json"
ADAPTER_WEIGHTS: Final = "adapter_model.safetensors"


def is_model(path: Path) -> bool:
    """Whether a directory holds a model of transformers (a run has a ``config.json`` too, of another kind)."""
    try:
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(config, dict) and ("model_type" in config or "architectures" in config)


def trained_weights(name: str) -> Path:
    """The directory with full weights or an adapter that a path names: itself, or what a run ended with.

    Raises:
        UsageError: there is nothing of the kind.
    """
    path = Path(name).expanduser()
    if not path.is_dir():
        raise UsageError(f"no weights at {name!r}: no such directory")
    if is_model(path):
        return path
    return _checked(path) if (path / ADAPTER_CONFIG).is_file() else _of_run(path)


def base_of(adapter: Path) -> str:
    """The name of the model that an adapter was trained on.

    Raises:
        UsageError: the adapter does not say.
    """
    config = json.loads((adapter / ADAPTER_CONFIG).read_text(encoding="utf-8"))
    base = config.get("base_model_name_or_path")
    if not base:
        raise UsageError(
            f"{adapter / ADAPTER_CONFIG} does not say which model it belongs to; "
            f"name that model, and this directory with model.weights={adapter}"
        )
    return str(base)


def lasting(name: str) -> str:
    """A model's name that means the same when it is read from another directory."""
    return str(Path(name).resolve()) if Path(name).is_dir() else name


def _of_run(path: Path) -> Path:
    from rftgym.runs.directory import RunDirectory

    try:
        trained = RunDirectory.open(path).adapter
    except UsageError as error:
        raise UsageError(
            f"{path} is no model: there is no config.json of a model and no {ADAPTER_CONFIG} of an adapter; "
            f"and {error}"
        ) from error
    if is_model(trained):
        return trained
    if not (trained / ADAPTER_CONFIG).is_file():
        raise UsageError(
            f"run {path} has no trained weights yet; finish it with `rftgym train --resume {path}`"
        )
    return _checked(trained)


def _checked(adapter: Path) -> Path:
    if not (adapter / ADAPTER_WEIGHTS).is_file():
        raise UsageError(
            f"adapter {adapter} has no {ADAPTER_WEIGHTS}; pickled weights are not read, save it as safetensors"
        )
    return adapter
