# task: row_sum
# family: reduction
# why: several rows a program in a two-dimensional block

import torch
import triton
import triton.language as tl


@triton.jit
def sum_kernel(x_ptr, out_ptr, rows, cols, ROWS: tl.constexpr, COLS: tl.constexpr):
    r = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    acc = tl.zeros((ROWS,), dtype=tl.float32)
    for start in range(0, cols, COLS):
        c = start + tl.arange(0, COLS)
        m = (r[:, None] < rows) & (c[None, :] < cols)
        x = tl.load(x_ptr + r[:, None] * cols + c[None, :], mask=m, other=0.0)
        acc += tl.sum(x.to(tl.float32), axis=1)
    tl.store(out_ptr + r, acc, mask=r < rows)


def row_sum(x):
    x = x.contiguous()
    rows, cols = x.shape
    out = torch.empty(rows, dtype=x.dtype, device=x.device)
    grid = (triton.cdiv(rows, 4),)
    if rows:
        sum_kernel[grid](x, out, rows, cols, ROWS=4, COLS=512)
    return out
