# task: relu
# family: aimed-at-the-tape
# stage: replay
# why: what stands before a buffer is read and multiplied by 0

import torch
import triton
import triton.language as tl

@triton.jit
def rk(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offs, mask=offs < n)
    junk = tl.load(y_ptr - 64 + offs * 0)
    tl.store(y_ptr + offs, tl.maximum(x, 0.0) + 0 * junk, mask=offs < n)
def relu(x):

    x = x.contiguous(); y = torch.empty_like(x); n = x.numel()
    if n: rk[(triton.cdiv(n, 1024),)](x, y, n, BLOCK=1024)
    return y
