# task: row_sum
# family: reduction
# stage: compare
# why: sums over the rows of a tile

import torch
import triton
import triton.language as tl


@triton.jit
def sum_kernel(x_ptr, out_ptr, rows, cols, BLOCK: tl.constexpr):
    r = tl.arange(0, 16)[:, None]
    c = tl.arange(0, BLOCK)[None, :]
    x = tl.load(x_ptr + r * cols + c, mask=(r < rows) & (c < cols), other=0.0).to(tl.float32)
    tl.store(out_ptr + tl.arange(0, BLOCK), tl.sum(x, axis=0), mask=tl.arange(0, BLOCK) < rows)


def row_sum(x):
    x = x.contiguous()
    rows, cols = x.shape
    out = torch.empty(rows, dtype=x.dtype, device=x.device)
    if rows > 0:
        sum_kernel[(1,)](x, out, rows, cols, BLOCK=triton.next_power_of_2(cols))
    return out
