# task: softmax
# family: attack-on-the-comparison
# stage: validate
# why: an empty tuple: nothing to compare

import torch
import triton
import triton.language as tl


@triton.jit
def noop_kernel(x_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n, other=0.0)
    tl.store(x_ptr + i, x, mask=i < 0)


def softmax(x):
    noop_kernel[(1,)](x, 1, BLOCK=128)
    return ()
