# task: cumsum
# family: scan
# why: block after block with a carry

import torch
import triton
import triton.language as tl


@triton.jit
def cumsum_kernel(x_ptr, out_ptr, cols, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    carry = tl.sum(tl.zeros([BLOCK], tl.float32), axis=0)
    for start in range(0, cols, BLOCK):
        c = start + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + row * cols + c, mask=c < cols, other=0.0).to(tl.float32)
        tl.store(out_ptr + row * cols + c, carry + tl.cumsum(x, axis=0), mask=c < cols)
        carry += tl.sum(x, axis=0)


def cumsum(x):
    x = x.contiguous()
    out = torch.empty_like(x)
    rows, cols = x.shape
    if x.numel() > 0:
        cumsum_kernel[(rows,)](x, out, cols, BLOCK=256)
    return out
