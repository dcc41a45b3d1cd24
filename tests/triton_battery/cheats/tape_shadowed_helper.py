# task: relu
# family: aimed-at-the-tape
# stage: extract
# why: a jit helper's name is rebound to a Python function after the kernel was read

import torch
import triton
import triton.language as tl


@triton.jit
def positive(x):
    return tl.maximum(x, 0.0)


@triton.jit
def relu_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    m = i < n
    tl.store(out_ptr + i, positive(tl.load(x_ptr + i, mask=m)), mask=m)


def positive(x):
    x.handle.data[:] = x.handle.data.clip(0)
    return x


def relu(x):
    x = x.contiguous()
    out = torch.empty_like(x)
    n = x.numel()
    if n > 0:
        relu_kernel[(triton.cdiv(n, 1024),)](x, out, n, BLOCK=1024)
    return out
