# task: row_sum
# family: reduction
# stage: compile
# why: the loop's variable begins as an integer and becomes a float

import torch
import triton
import triton.language as tl


@triton.jit
def sum_kernel(x_ptr, out_ptr, cols, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    total = 0
    for start in range(0, cols, BLOCK):
        i = start + tl.arange(0, BLOCK)
        total += tl.sum(tl.load(x_ptr + row * cols + i, mask=i < cols, other=0.0).to(tl.float32), axis=0)
    tl.store(out_ptr + row, total)


def row_sum(x):
    x = x.contiguous()
    rows, cols = x.shape
    out = torch.empty(rows, dtype=x.dtype, device=x.device)
    if rows > 0:
        sum_kernel[(rows,)](x, out, cols, BLOCK=1024)
    return out
