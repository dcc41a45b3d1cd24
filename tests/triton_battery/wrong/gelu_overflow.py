# task: gelu
# family: precision
# stage: compare
# why: exp of a large argument overflows: inf / inf

import torch
import triton
import triton.language as tl


@triton.jit
def gelu_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    m = i < n
    x = tl.load(x_ptr + i, mask=m, other=0.0).to(tl.float32)
    u = 1.5957691216057308 * (x + 0.044715 * x * x * x)
    e = tl.exp(u)
    tl.store(out_ptr + i, x * e / (1.0 + e), mask=m)


def gelu(x):
    x = x.contiguous()
    out = torch.empty_like(x)
    n = x.numel()
    if n > 0:
        gelu_kernel[(triton.cdiv(n, 1024),)](x, out, n, BLOCK=1024)
    return out
