# task: gelu
# family: element-wise
# why: the activation is chosen by a text through two levels of jit helpers

import torch
import triton
import triton.language as tl


import math
from triton.language.extra import libdevice

SQRT_2_INV: tl.constexpr = tl.constexpr(1.0 / math.sqrt(2.0))

@triton.jit
def _relu(x):
    return tl.maximum(x, 0)

@triton.jit
def _gelu(x):
    """exact"""
    return 0.5 * x * (1.0 + libdevice.erf(x * SQRT_2_INV))

@triton.jit
def apply_act(x, ACT: tl.constexpr):
    if ACT == "relu":
        return _relu(x)
    elif ACT == "gelu":
        return _gelu(x)
    else:
        tl.static_assert(False, "unknown activation")
        return x

@triton.jit
def act_kernel(x_ptr, y_ptr, n_elements, ACTIVATION: tl.constexpr, BLOCK_SIZE: tl.constexpr = 512):
    pid = tl.program_id(0)
    offs = pid * BLOCK_SIZE + tl.arange(0, BLOCK_SIZE)
    mask = offs < n_elements
    x = tl.load(x_ptr + offs, mask=mask, other=0.0)
    y = apply_act(x.to(tl.float32), ACTIVATION)
    tl.store(y_ptr + offs, y.to(x.dtype), mask=mask)

ACTS = {"gelu": "gelu", "relu": "relu"}

def gelu(x):
    assert x.is_cuda, "need cuda"
    xc = x.contiguous() if not x.is_contiguous() else x
    y = torch.empty_like(xc, memory_format=torch.contiguous_format)
    n = xc.numel()
    if n == 0:
        return y
    act_kernel[(triton.cdiv(n, 512), )](xc, y, n, ACTIVATION=ACTS["gelu"])
    return y
