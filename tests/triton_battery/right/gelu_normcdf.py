# task: gelu
# family: element-wise
# why: normcdf of libdevice in a jit helper

import torch
import triton
import triton.language as tl
from triton.language.extra import libdevice


@triton.jit
def cdf(x):
    return libdevice.normcdf(x)


@triton.jit
def gelu_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    m = i < n
    x = tl.load(x_ptr + i, mask=m, other=0.0).to(tl.float32)
    tl.store(out_ptr + i, x * cdf(x), mask=m)


def gelu(x):
    x = x.contiguous()
    out = torch.empty_like(x)
    n = x.numel()
    if n > 0:
        gelu_kernel[(triton.cdiv(n, 1024),)](x, out, n, BLOCK=1024)
    return out
