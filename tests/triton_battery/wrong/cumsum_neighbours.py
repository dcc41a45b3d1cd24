# task: cumsum
# family: scan
# stage: replay
# why: programs read what their neighbours write

import torch
import triton
import triton.language as tl


@triton.jit
def cumsum_kernel(x_ptr, out_ptr, cols):
    row = tl.program_id(0)
    c = tl.program_id(1)
    before = tl.load(out_ptr + row * cols + c - 1, mask=c > 0, other=0.0)
    tl.store(out_ptr + row * cols + c, before + tl.load(x_ptr + row * cols + c))


def cumsum(x):
    x = x.contiguous()
    out = torch.zeros_like(x)
    rows, cols = x.shape
    if x.numel() > 0:
        cumsum_kernel[(rows, cols)](x, out, cols)
    return out
