# task: vector_add
# family: element-wise
# why: type hints, docstrings, a jit helper, a Python helper and a global constant

from __future__ import annotations

import math
import os
from typing import Optional, Tuple

import torch
import triton
import triton.language as tl
from torch import Tensor

BLOCK = 512
ONE: tl.constexpr = tl.constexpr(1)


@triton.jit
def _offsets(pid, BLOCK_SIZE: tl.constexpr):
    """Indices that a program is responsible for."""
    return pid * BLOCK_SIZE + tl.arange(0, BLOCK_SIZE)


@triton.jit
def _add_kernel(
    x_ptr,  # pointer to the first input
    y_ptr,  # pointer to the second input
    out_ptr,  # pointer to the output
    n_elements,
    BLOCK_SIZE: tl.constexpr,  # elements a program handles
):
    """out = x + y"""
    offs = _offsets(tl.program_id(axis=0), BLOCK_SIZE)
    mask = offs < n_elements
    x = tl.load(x_ptr + offs, mask=mask, other=0)
    y = tl.load(y_ptr + offs, mask=mask, other=0)
    tl.store(out_ptr + offs, ONE * x + y, mask=mask)


def _grid_for(n: int, block: int) -> Tuple[int]:
    return (max(1, math.ceil(n / block)),)


def vector_add(x: Tensor, y: Tensor) -> Tensor:
    """Return ``x + y``.

    Args:
        x, y: tensors of one shape and dtype.
    """
    n: int = x.numel()
    result: Optional[Tensor] = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    _add_kernel[_grid_for(n, BLOCK)](x.contiguous(), y.contiguous(), result, n, BLOCK_SIZE=BLOCK)
    return result
