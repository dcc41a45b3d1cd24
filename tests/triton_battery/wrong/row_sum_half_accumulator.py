# task: row_sum
# family: precision
# stage: compare
# why: a float16 accumulator loses what is small beside it

import torch
import triton
import triton.language as tl


@triton.jit
def sum_kernel(x_ptr, out_ptr, cols, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    total = tl.sum(tl.zeros([16], dtype=out_ptr.dtype.element_ty), axis=0)
    for start in range(0, cols, 16):
        i = start + tl.arange(0, 16)
        part = tl.sum(tl.load(x_ptr + row * cols + i, mask=i < cols, other=0.0), axis=0)
        total = (total + part).to(out_ptr.dtype.element_ty)
    tl.store(out_ptr + row, total)


def row_sum(x):
    x = x.contiguous()
    rows, cols = x.shape
    out = torch.empty(rows, dtype=x.dtype, device=x.device)
    if rows > 0:
        sum_kernel[(rows,)](x, out, cols, BLOCK=1024)
    return out
