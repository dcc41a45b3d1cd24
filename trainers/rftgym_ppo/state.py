"""What a checkpoint holds besides the policy's weights: tensors as safetensors, numbers as JSON.

A float survives JSON bit for bit (Python writes the shortest text that reads back the same).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from rftgym.errors import RunFailed

POLICY: Final = "policy"
"""Directory with what the policy's own ``save`` writes."""
TENSORS: Final = "trainer.safetensors"
NUMBERS: Final = "trainer.json"


def write(
    directory: Path,
    numbers: Mapping[str, Any],
    values: Mapping[str, nn.Parameter],
    trained: Mapping[str, nn.Parameter],
    optimizer: torch.optim.Optimizer,
) -> None:
    """Write the value head's weights, the optimizer's moments and some numbers.

    Args:
        numbers: JSON values.
        values: the value head's parameters by name.
        trained: every parameter that the optimizer knows, by name.
    """
    tensors = {name: parameter.detach() for name, parameter in values.items()}
    for name, parameter in trained.items():
        for key, tensor in optimizer.state.get(parameter, {}).items():
            tensors[f"optimizer/{key}/{name}"] = tensor
    save_file({name: t.cpu().contiguous() for name, t in tensors.items()}, directory / TENSORS)
    (directory / NUMBERS).write_text(json.dumps(dict(numbers), indent=1), encoding="utf-8")


def read(
    directory: Path,
    values: Mapping[str, nn.Parameter],
    trained: Mapping[str, nn.Parameter],
    optimizer: torch.optim.Optimizer,
) -> dict[str, Any]:
    """Read back what :func:`write` wrote, into the same parameters and the optimizer; returns the numbers.

    Raises:
        RunFailed: it is damaged, or does not fit them.
    """
    try:
        tensors = load_file(directory / TENSORS)
        numbers: dict[str, Any] = json.loads((directory / NUMBERS).read_text(encoding="utf-8"))
        with torch.no_grad():
            for name, parameter in values.items():
                parameter.copy_(tensors.pop(name))
        for full, tensor in tensors.items():
            _, key, name = full.split("/", 2)
            parameter = trained[name]
            # Adam's count of updates stays on the CPU, where the optimizer makes it.
            device = tensor.device if key == "step" else parameter.device
            optimizer.state[parameter][key] = tensor.to(device)
    except (OSError, SafetensorError, ValueError, KeyError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise RunFailed(
            f"checkpoint {directory} cannot be resumed ({type(error).__name__}: {reason}); remove it, and the run goes "
            "on from the one before"
        ) from error
    return numbers
