# task: row_sum
# family: reduction
# why: atomic additions into a zeroed float32 buffer, and a second kernel that converts

import torch
import triton
import triton.language as tl


@triton.jit
def partial_kernel(x_ptr, acc_ptr, cols, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    i = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * cols + i, mask=i < cols, other=0.0).to(tl.float32)
    tl.atomic_add(acc_ptr + row, tl.sum(x, axis=0))


@triton.jit
def convert_kernel(acc_ptr, out_ptr, rows, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + i, tl.load(acc_ptr + i, mask=i < rows), mask=i < rows)


def row_sum(x):
    x = x.contiguous()
    rows, cols = x.shape
    acc = torch.zeros(rows, dtype=torch.float32, device=x.device)
    out = torch.empty(rows, dtype=x.dtype, device=x.device)
    if rows > 0:
        partial_kernel[(rows, triton.cdiv(cols, 1024))](x, acc, cols, BLOCK=1024)
        convert_kernel[(triton.cdiv(rows, 64),)](acc, out, rows, BLOCK=64)
    return out
