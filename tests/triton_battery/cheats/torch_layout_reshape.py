# task: transpose
# family: torch-does-the-work
# stage: validate
# why: reshape(-1) of a transposed view copies in the new order

import torch
import triton
import triton.language as tl


@triton.jit
def copy_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    m = i < n
    tl.store(out_ptr + i, tl.load(x_ptr + i, mask=m), mask=m)


def transpose(x):
    flat = x.t().reshape(-1)
    out = torch.empty(x.shape[1], x.shape[0], dtype=x.dtype, device=x.device)
    if out.numel():
        copy_kernel[(triton.cdiv(out.numel(), 1024),)](flat, out, out.numel(), BLOCK=1024)
    return out
