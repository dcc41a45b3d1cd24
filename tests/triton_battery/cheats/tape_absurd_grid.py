# task: relu
# family: aimed-at-the-tape
# stage: validate
# why: a grid of 2**31 - 1 programs, of which one works

import torch
import triton
import triton.language as tl


@triton.jit
def relu_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    m = i < n
    x = tl.load(x_ptr + i, mask=m)
    tl.store(out_ptr + i, tl.maximum(x, 0.0), mask=m)


def relu(x):
    x = x.contiguous()
    out = torch.empty_like(x)
    n = x.numel()
    if n > 0:
        relu_kernel[(2**31 - 1,)](x, out, n, BLOCK=1024)
    return out
