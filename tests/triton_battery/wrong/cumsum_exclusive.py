# task: cumsum
# family: scan
# stage: compare
# why: the sum without the element itself

import torch
import triton
import triton.language as tl


@triton.jit
def cumsum_kernel(x_ptr, out_ptr, cols, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * cols + c, mask=c < cols, other=0.0).to(tl.float32)
    tl.store(out_ptr + row * cols + c, tl.cumsum(x, axis=0) - x, mask=c < cols)


def cumsum(x):
    x = x.contiguous()
    out = torch.empty_like(x)
    rows, cols = x.shape
    if x.numel() > 0:
        cumsum_kernel[(rows,)](x, out, cols, BLOCK=triton.next_power_of_2(cols))
    return out
