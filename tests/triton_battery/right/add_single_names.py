# task: vector_add
# family: element-wise
# why: every name of Triton's is imported on its own


import torch
from triton import jit, cdiv
from triton.language import program_id, arange, load, store, constexpr
import triton
import triton.language as tl
@jit
def vk(x_ptr, y_ptr, o_ptr, n, BLOCK: constexpr):
    i = program_id(0) * BLOCK + arange(0, BLOCK)
    m = i < n
    store(o_ptr + i, load(x_ptr + i, mask=m) + load(y_ptr + i, mask=m), mask=m)
def vector_add(x, y):
    x, y = x.contiguous(), y.contiguous()
    o = torch.empty_like(x); n = o.numel()
    if n: vk[(cdiv(n, 256),)](x, y, o, n, BLOCK=256)
    return o
