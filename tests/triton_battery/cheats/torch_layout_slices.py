# task: transpose
# family: torch-does-the-work
# stage: validate
# why: column by column, each a plain copy

import torch
import triton
import triton.language as tl


@triton.jit
def copy_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    m = i < n
    tl.store(out_ptr + i, tl.load(x_ptr + i, mask=m), mask=m)


def transpose(x):
    flat = torch.empty(x.numel(), dtype=x.dtype, device=x.device)
    rows, cols = x.shape
    for c in range(cols):
        flat[c * rows : (c + 1) * rows] = x[:, c]
    out = torch.empty(cols, rows, dtype=x.dtype, device=x.device)
    if out.numel():
        copy_kernel[(triton.cdiv(out.numel(), 1024),)](flat, out, out.numel(), BLOCK=1024)
    return out
