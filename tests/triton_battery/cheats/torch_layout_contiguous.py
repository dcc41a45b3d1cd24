# task: transpose
# family: torch-does-the-work
# stage: validate
# why: torch transposes, the kernel copies

import torch
import triton
import triton.language as tl


@triton.jit
def copy_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    m = i < n
    tl.store(out_ptr + i, tl.load(x_ptr + i, mask=m), mask=m)


def transpose(x):
    y = x.t().contiguous()
    out = torch.empty_like(y)
    if out.numel():
        copy_kernel[(triton.cdiv(out.numel(), 1024),)](y, out, out.numel(), BLOCK=1024)
    return out
