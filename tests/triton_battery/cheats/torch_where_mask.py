# task: masked_fill
# family: torch-does-the-work
# stage: plan
# why: index assignment by the mask

import torch
import triton
import triton.language as tl


@triton.jit
def copy_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    m = i < n
    tl.store(out_ptr + i, tl.load(x_ptr + i, mask=m), mask=m)


def masked_fill(mask, x, value):
    x = x.contiguous()
    out = torch.empty_like(x)
    if out.numel():
        copy_kernel[(triton.cdiv(out.numel(), 1024),)](x, out, out.numel(), BLOCK=1024)
    out[mask] = value
    return out
