"""LoRA adapters on a model: new ones from a seed, saved ones from disk, and back to disk. With PEFT."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import peft
import torch
from safetensors.torch import load_file, save_file

from rftgym.config import LoraSettings
from rftgym.errors import UsageError
from rftgym_transformers.weights import ADAPTER_WEIGHTS


def with_new_adapter(model: Any, lora: LoraSettings, *, seed: int) -> Any:
    """A PEFT model whose adapter changes nothing yet: A is drawn from the seed, B is 0.

    Raises:
        UsageError: the targets do not fit the model.
    """
    config = peft.LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=_targets(model, lora.targets),
        task_type="CAUSAL_LM",
    )
    try:
        with _without_traces(model.device):
            adapted = peft.get_peft_model(_ready(model), config)
    except ValueError as error:
        raise UsageError(f"model.lora: {' '.join(str(error).split())[:300]}") from error
    _draw(adapted, seed)
    return adapted


def with_saved_adapter(model: Any, path: Path, *, trainable: bool) -> Any:
    """The model with an adapter read from a directory.

    Raises:
        UsageError: it does not fit the model.
    """
    try:
        with _without_traces(model.device):
            warnings.filterwarnings("error", message="Found missing adapter keys")
            return peft.PeftModel.from_pretrained(
                _ready(model) if trainable else model, str(path), is_trainable=trainable
            )
    except (ValueError, RuntimeError, KeyError, TypeError, OSError, UserWarning) as error:
        reason = " ".join(str(error).split())[:300]
        raise UsageError(f"adapter {path} does not fit this model: {reason}") from error


def save_adapter(model: Any, directory: Path, *, base: str) -> None:
    """Write PEFT's two files.

    Its own ``save_pretrained`` would also ask the hub about the base, and write a model card to be filled in.

    Args:
        base: the model that the adapter belongs to.
    """
    state = peft.get_peft_model_state_dict(model, save_embedding_layers=False)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    save_file(tensors, directory / ADAPTER_WEIGHTS, metadata={"format": "pt"})
    config = copy.copy(model.peft_config["default"])
    config.inference_mode = True
    config.base_model_name_or_path = base
    config.save_pretrained(str(directory))


def restore_adapter(model: Any, directory: Path) -> None:
    """Read an adapter that :func:`save_adapter` wrote into the model's own.

    Raises:
        UsageError: it has other names or shapes.
    """
    own = peft.get_peft_model_state_dict(model, save_embedding_layers=False)
    tensors = load_file(directory / ADAPTER_WEIGHTS)
    if {name: t.shape for name, t in own.items()} != {name: t.shape for name, t in tensors.items()}:
        raise UsageError(
            f"adapter {directory} is not one of this model: its tensors differ in names or shapes"
        )
    peft.set_peft_model_state_dict(model, tensors)


def restore_model(model: Any, directory: Path) -> None:
    """Read weights that ``save_pretrained`` wrote into a model of the same shape.

    Raises:
        UsageError: they have other names or shapes.
    """
    try:
        saved = type(model).from_pretrained(
            directory, dtype=model.dtype, use_safetensors=True, local_files_only=True
        )
        model.load_state_dict(saved.state_dict())
    except (OSError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:300]
        raise UsageError(f"weights {directory} do not fit this model: {reason}") from error


def is_adapted(model: Any) -> bool:
    """Whether PEFT wraps the model."""
    return isinstance(model, peft.PeftModel)


def _targets(model: Any, targets: str | list[str]) -> str | list[str]:
    """What to adapt, checked: "all-linear", a regular expression over full names, or names ("q_proj,v_proj" too).

    Raises:
        UsageError: a name is no linear layer, or is the output layer, whose weights are often the embedding's too.
    """
    names = targets.split(",") if isinstance(targets, str) and "," in targets else targets
    if isinstance(names, str):
        return names
    output = model.get_output_embeddings()
    linear = {
        name.rpartition(".")[2]
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and module is not output
    }
    unknown = [name for name in names if name.rpartition(".")[2] not in linear]
    if unknown:
        raise UsageError(
            f"model.lora.targets: {', '.join(unknown)} cannot be adapted; there are {', '.join(sorted(linear))}"
        )
    return list(names)


def _draw(adapted: Any, seed: int) -> None:
    """Fill every A from PEFT's default distribution (Kaiming uniform, a = sqrt 5) with a generator of our own.

    Drawn on the CPU in the order of names, so that a seed means the same values on every device.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in sorted(adapted.named_parameters()):
            if ".lora_A." in name or ".lora_embedding_A." in name:
                values = torch.empty(parameter.shape, dtype=torch.float32)
                torch.nn.init.kaiming_uniform_(values, a=math.sqrt(5), generator=generator)
                parameter.copy_(values)


def _ready(model: Any) -> Any:
    """4-bit weights need their norms in float32 and their inputs to carry gradients; others are ready."""
    if not getattr(model, "is_quantized", False):
        return model
    return peft.prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)


@contextmanager
def _without_traces(device: torch.device) -> Iterator[None]:
    """Around calls into PEFT, which draw from torch's global generators: puts these back to where they were.

    Warning filters that are added inside end with the block.
    """
    devices = [device.index or 0] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices, device_type="cuda"), warnings.catch_warnings():
        # PEFT asks for the older name of a property of transformers; nobody here can do anything about that.
        warnings.filterwarnings("ignore", message="`is_gradient_checkpointing`", category=FutureWarning)
        yield
