# task: gelu
# family: element-wise
# why: erf of libdevice

import torch
import triton
import triton.language as tl
from triton.language.extra import libdevice

INV_SQRT2 = tl.constexpr(0.7071067811865476)


@triton.jit
def gelu_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    m = i < n
    x = tl.load(x_ptr + i, mask=m, other=0.0).to(tl.float32)
    y = 0.5 * x * (1.0 + libdevice.erf(x * INV_SQRT2))
    tl.store(out_ptr + i, y.to(out_ptr.dtype.element_ty), mask=m)


def gelu(x):
    x = x.contiguous()
    out = torch.empty_like(x)
    n = x.numel()
    if n > 0:
        gelu_kernel[(triton.cdiv(n, 512),)](x, out, n, BLOCK=512, num_warps=4)
    return out
