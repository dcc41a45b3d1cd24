"""Weights as decoding wants them: adapters merged, matrices laid out for a few rows at a time."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

PACKED_FOR_ROWS = 32
"""oneDNN lays a matrix out for an expected number of rows. Measured from 1 to 600 rows (576 x 3072 and 576 x 49152,
float32, AVX-512), the layout for 32 was as fast as any or faster at every count from 4 on."""


class UnsupportedModelError(Exception):
    """The fused decoder does not know this module; its message says which and why."""


def effective_linear(module: Any, name: str) -> tuple[Tensor, Tensor | None]:
    """Weight [out, in] and bias of a linear layer as its forward applies them, LoRA merged in.

    Args:
        module: ``nn.Linear``, PEFT's LoRA around one, or PEFT's wrapper of a fully trained copy.
        name: for the message.
    Returns:
        Detached tensors; the layer's own where there is nothing to merge. ``W + scale * B @ A`` otherwise, in float32
        and then in the layer's dtype.
    Raises:
        UnsupportedModelError: another kind of module (quantised, DoRA, another adapter method).
    """
    module = _trained_copy(module)
    wrapped = _is_plain_lora(module)
    base = module.base_layer if wrapped else module
    if not _is_exactly(base, nn.Linear):
        raise UnsupportedModelError(f"{name} is a {type(module).__module__}.{type(module).__name__}")
    weight: Tensor = base.weight.detach()
    bias = None if base.bias is None else base.bias.detach()
    if not wrapped or module.merged or module.disable_adapters:
        return weight, bias
    merged = weight.float()
    for adapter in module.active_adapters:
        if adapter in module.lora_A:
            merged = merged + module.get_delta_weight(adapter).detach().float()
            if bias is not None and module.lora_bias[adapter]:
                bias = bias + module.lora_B[adapter].bias.detach() * module.scaling[adapter]
    return merged.to(weight.dtype), bias


def effective_embedding(module: Any, name: str) -> Tensor:
    """The matrix (vocabulary, hidden) of an embedding, detached and not copied.

    Raises:
        UnsupportedModelError: it is not a plain embedding (LoRA on it, say).
    """
    module = _trained_copy(module)
    if not _is_exactly(module, nn.Embedding) or module.max_norm is not None:
        raise UnsupportedModelError(f"{name} is a {type(module).__module__}.{type(module).__name__}")
    matrix: Tensor = module.weight.detach()
    return matrix


def _trained_copy(module: Any) -> Any:
    """Look through PEFT's ModulesToSaveWrapper to the module whose forward counts."""
    copies = getattr(module, "modules_to_save", None)
    if copies is None or not hasattr(module, "original_module"):
        return module
    if module.disable_adapters or not module.active_adapters:
        return module.original_module
    return copies[module.active_adapters[0]]


def _is_plain_lora(module: Any) -> bool:
    """PEFT's LoRA without variants (DoRA and the like)."""
    if not (type(module).__module__.startswith("peft.") and hasattr(module, "lora_A")):
        return False
    variants = getattr(module, "lora_variant", {})
    return not any(name in variants for name in module.active_adapters)


def _is_exactly(module: Any, kind: type[nn.Module]) -> bool:
    # A subclass may compute something else: a quantised layer is one.
    return type(module) is kind


Apply = Callable[[Tensor], Tensor]


def fuse(parts: Sequence[tuple[Tensor, Tensor | None]]) -> Apply:
    """One linear map in place of several that share an input: their outputs side by side.

    Args:
        parts: weights [out, in] with their biases.
    Returns:
        A function from (rows, in) to (rows, sum of outs) that holds its own copy of the weights. On a CPU in float32
        this is a matrix packed by oneDNN, or [in, out] in memory where this build of torch has no oneDNN: torch's
        own [out, in] layout runs at a half or less of their speed for a few rows.
    """
    weight = torch.cat([weight for weight, _ in parts])
    bias = None
    if any(part is not None for _, part in parts):
        bias = torch.cat([weight.new_zeros(len(weight)) if part is None else part for weight, part in parts])
    if weight.device.type == "cpu" and weight.dtype is torch.float32:
        return _packed(weight, bias) if has_packed_linear() else _transposed(weight, bias)
    return functools.partial(F.linear, weight=weight, bias=bias)


@functools.cache
def has_packed_linear() -> bool:
    """Whether this build of torch multiplies by matrices that oneDNN packed, and gets it right."""
    rows = torch.arange(6.0).reshape(2, 3)
    weight = torch.arange(12.0).reshape(4, 3)
    bias = torch.ones(4)
    try:
        packed = _packed(weight, bias)(rows)
    except (AttributeError, NotImplementedError, RuntimeError):
        return False
    return bool(torch.allclose(packed, F.linear(rows, weight, bias)))


def _packed(weight: Tensor, bias: Tensor | None) -> Apply:
    # The operators of torch's own compiler for frozen weights; has_packed_linear guards against their absence.
    packed = torch.ops.mkldnn._reorder_linear_weight(weight, PACKED_FOR_ROWS)
    multiply = torch.ops.mkldnn._linear_pointwise.default

    def apply(rows: Tensor) -> Tensor:
        product: Tensor = multiply(rows, packed, bias, "none", [], "")
        return product

    return apply


def _transposed(weight: Tensor, bias: Tensor | None) -> Apply:
    turned = weight.t().contiguous()
    if bias is None:
        return lambda rows: rows @ turned
    return lambda rows: torch.addmm(bias, rows, turned)
