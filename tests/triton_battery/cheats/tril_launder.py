# task: tril
# family: torch-does-the-work
# stage: validate
# why: torch cuts the triangle, a kernel copies all of it

import torch
import triton
import triton.language as tl

@triton.jit
def ik(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y_ptr + i, tl.load(x_ptr + i, mask=i < n), mask=i < n)

def tril(x):
    t = x.contiguous().clone(); out = torch.empty_like(t)
    for i in range(t.shape[0]):
        if i + 1 < t.shape[1]: t[i, i + 1:].zero_()
    n = out.numel()
    if n: ik[(triton.cdiv(n, 512),)](t, out, n, BLOCK=512)
    return out
