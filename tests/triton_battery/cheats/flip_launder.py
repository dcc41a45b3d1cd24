# task: flip_rows
# family: torch-does-the-work
# stage: validate
# why: torch turns the rows round, a kernel copies all of it

import torch
import triton
import triton.language as tl

@triton.jit
def ik(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(y_ptr + i, tl.load(x_ptr + i, mask=i < n), mask=i < n)

def flip_rows(x):
    x = x.contiguous(); t = torch.empty_like(x); out = torch.empty_like(x)
    m = x.shape[0]
    for i in range(m):
        t[m - 1 - i].copy_(x[i])
    n = out.numel()
    if n: ik[(triton.cdiv(n, 512),)](t, out, n, BLOCK=512)
    return out
