# task: row_sum
# family: interpreter-is-python
# stage: extract
# why: a list comprehension with Python's sum in the body

import torch
import triton
import triton.language as tl


@triton.jit
def sum_kernel(x_ptr, out_ptr, cols, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    total = sum([tl.load(x_ptr + row * cols + k) for k in range(100)])
    tl.store(out_ptr + row, total)


def row_sum(x):
    x = x.contiguous()
    out = torch.empty(x.shape[0], dtype=x.dtype, device=x.device)
    if x.shape[0]:
        sum_kernel[(x.shape[0],)](x, out, x.shape[1], BLOCK=128)
    return out
