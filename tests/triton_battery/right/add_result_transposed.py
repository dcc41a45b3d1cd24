# task: vector_add
# family: element-wise
# why: empty_like keeps the layout of a transposed input, everything goes by strides

import torch
import triton
import triton.language as tl


@triton.jit
def vk(x_ptr, y_ptr, o_ptr, n, sx0, sx1, sy0, sy1, so0, so1, N, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    m = i < n
    a, b = i // N, i % N
    v = tl.load(x_ptr + a * sx0 + b * sx1, mask=m) + tl.load(y_ptr + a * sy0 + b * sy1, mask=m)
    tl.store(o_ptr + a * so0 + b * so1, v, mask=m)
def vector_add(x, y):
    out = torch.empty_like(x)
    x2, y2, o2 = (t if t.ndim == 2 else t.view(1, -1) for t in (x, y, out))
    n = out.numel()
    if not n:
        return out
    vk[(triton.cdiv(n, 512),)](x2, y2, o2, n, *x2.stride(), *y2.stride(), *o2.stride(), x2.shape[1], BLOCK=512)
    return out
