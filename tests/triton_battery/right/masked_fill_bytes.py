# task: masked_fill
# family: element-wise
# why: the mask is viewed as bytes

import torch
import triton
import triton.language as tl


@triton.jit
def masked_fill_kernel(mask_ptr, x_ptr, out_ptr, value, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = i < n
    fill = tl.load(mask_ptr + i, mask=inside, other=0)
    x = tl.load(x_ptr + i, mask=inside, other=0.0)
    v = tl.full([BLOCK], value, tl.float32).to(x.dtype)
    tl.store(out_ptr + i, tl.where(fill != 0, v, x), mask=inside)


def masked_fill(mask, x, value):
    mask = mask.contiguous().view(torch.uint8)
    x = x.contiguous()
    out = torch.empty_like(x)
    n = x.numel()
    if n > 0:
        masked_fill_kernel[(triton.cdiv(n, 512),)](mask, x, out, float(value), n, BLOCK=512)
    return out
