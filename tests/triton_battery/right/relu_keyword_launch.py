# task: relu
# family: element-wise
# why: every argument of the launch by name

import torch
import triton
import triton.language as tl


@triton.jit
def relu_kernel(X, Y, N, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(X + offs, mask=offs < N)
    zero = tl.zeros_like(x)
    tl.store(Y + offs, tl.maximum(x, zero), mask=offs < N)


def relu(x):
    x = x.contiguous()
    y = x.new_empty(x.shape)
    if y.numel() > 0:
        relu_kernel[(triton.cdiv(y.numel(), 1024),)](X=x, Y=y, N=y.numel(), BLOCK=1024)
    return y
