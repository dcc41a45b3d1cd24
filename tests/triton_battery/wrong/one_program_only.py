# task: vector_add
# family: element-wise
# stage: compare
# why: a grid of one program handles the first block only

import torch
import triton
import triton.language as tl


@triton.jit
def add_kernel(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    m = i < n
    tl.store(out_ptr + i, tl.load(x_ptr + i, mask=m) + tl.load(y_ptr + i, mask=m), mask=m)


def vector_add(x, y):
    x, y = x.contiguous(), y.contiguous()
    out = torch.zeros_like(x)
    n = x.numel()
    if n > 0:
        add_kernel[(1,)](x, y, out, n, BLOCK=1024)
    return out
