# task: relu
# family: interpreter-is-python
# stage: replay
# why: a pattern binds the kernel's name anew

import torch
import triton
import triton.language as tl

@triton.jit
def rk(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offs, mask=offs < n)
    tl.store(y_ptr + offs, tl.maximum(x, 0.0), mask=offs < n)
match {'a': 1}:
    case {'a': rk}: pass

def relu(x):

    x = x.contiguous(); y = torch.empty_like(x); n = x.numel()
    if n: rk[(triton.cdiv(n, 1024),)](x, y, n, BLOCK=1024)
    return y
