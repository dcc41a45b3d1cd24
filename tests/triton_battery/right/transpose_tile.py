# task: transpose
# family: layout
# why: a tile is loaded, transposed in registers and stored

import torch
import triton
import triton.language as tl


@triton.jit
def transpose_kernel(x_ptr, out_ptr, rows, cols, stride_r, stride_c, BLOCK: tl.constexpr):
    r = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    c = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    tile = tl.load(
        x_ptr + r[:, None] * stride_r + c[None, :] * stride_c, mask=(r[:, None] < rows) & (c[None, :] < cols)
    )
    tl.store(
        out_ptr + c[:, None] * rows + r[None, :], tl.trans(tile), mask=(c[:, None] < cols) & (r[None, :] < rows)
    )


def transpose(x):
    rows, cols = x.shape
    out = torch.empty((cols, rows), dtype=x.dtype, device=x.device)
    if x.numel() > 0:
        grid = (triton.cdiv(rows, 32), triton.cdiv(cols, 32))
        transpose_kernel[grid](x, out, rows, cols, x.stride(0), x.stride(1), BLOCK=32)
    return out
