# task: masked_fill
# family: element-wise
# stage: compare
# why: fills where the mask is false

import torch
import triton
import triton.language as tl


@triton.jit
def masked_fill_kernel(mask_ptr, x_ptr, out_ptr, value, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = i < n
    fill = tl.load(mask_ptr + i, mask=inside, other=0).to(tl.int1)
    x = tl.load(x_ptr + i, mask=inside, other=0.0)
    tl.store(out_ptr + i, tl.where(fill, x, value), mask=inside)


def masked_fill(mask, x, value):
    mask, x = mask.contiguous(), x.contiguous()
    out = torch.empty_like(x)
    n = x.numel()
    if n > 0:
        masked_fill_kernel[(triton.cdiv(n, 1024),)](mask, x, out, value, n, BLOCK=1024)
    return out
