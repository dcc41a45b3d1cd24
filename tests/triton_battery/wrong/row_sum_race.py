# task: row_sum
# family: reduction
# stage: replay
# why: programs add to one place without atomics

import torch
import triton
import triton.language as tl


@triton.jit
def sum_kernel(x_ptr, out_ptr, cols, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    i = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * cols + i, mask=i < cols, other=0.0).to(tl.float32)
    tl.store(out_ptr + row, tl.load(out_ptr + row) + tl.sum(x, axis=0))


def row_sum(x):
    x = x.contiguous()
    rows, cols = x.shape
    out = torch.zeros(rows, dtype=x.dtype, device=x.device)
    if rows > 0:
        sum_kernel[(rows, triton.cdiv(cols, 64))](x, out, cols, BLOCK=64)
    return out
