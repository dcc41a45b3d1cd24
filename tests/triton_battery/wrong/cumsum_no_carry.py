# task: cumsum
# family: scan
# stage: compare
# why: every block starts at zero

import torch
import triton
import triton.language as tl


@triton.jit
def cumsum_kernel(x_ptr, out_ptr, cols, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    c = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * cols + c, mask=c < cols, other=0.0).to(tl.float32)
    tl.store(out_ptr + row * cols + c, tl.cumsum(x, axis=0), mask=c < cols)


def cumsum(x):
    x = x.contiguous()
    out = torch.empty_like(x)
    rows, cols = x.shape
    if x.numel() > 0:
        cumsum_kernel[(rows, triton.cdiv(cols, 64))](x, out, cols, BLOCK=64)
    return out
