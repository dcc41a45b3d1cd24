# task: relu
# family: element-wise
# why: a plain dataclass for the launch's settings

import torch
import triton
import triton.language as tl


@triton.jit
def rk(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offs, mask=offs < n)
    tl.store(y_ptr + offs, tl.maximum(x, 0.0), mask=offs < n)

from dataclasses import dataclass, field
@dataclass
class Cfg:
    block: int = 1024
    warps: list = field(default_factory=lambda: [4, 8])
def relu(x):
    c = Cfg()
    x = x.contiguous(); y = torch.empty_like(x); n = x.numel()
    if n: rk[(triton.cdiv(n, c.block),)](x, y, n, BLOCK=c.block, num_warps=c.warps[0])
    return y
