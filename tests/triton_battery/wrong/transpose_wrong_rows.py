# task: transpose
# family: layout
# stage: compare
# why: the output's row length is taken for the input's

import torch
import triton
import triton.language as tl


@triton.jit
def transpose_kernel(x_ptr, out_ptr, rows, cols, B: tl.constexpr):
    r = tl.program_id(0) * B + tl.arange(0, B)
    c = tl.program_id(1) * B + tl.arange(0, B)
    m = (r[:, None] < rows) & (c[None, :] < cols)
    tile = tl.load(x_ptr + r[:, None] * cols + c[None, :], mask=m)
    tl.store(out_ptr + c[None, :] * cols + r[:, None], tile, mask=m & (c[None, :] * cols + r[:, None] < rows * cols))


def transpose(x):
    x = x.contiguous()
    rows, cols = x.shape
    out = torch.empty((cols, rows), dtype=x.dtype, device=x.device)
    if x.numel() > 0:
        transpose_kernel[(triton.cdiv(rows, 32), triton.cdiv(cols, 32))](x, out, rows, cols, B=32)
    return out
