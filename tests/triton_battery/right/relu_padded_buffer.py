# task: relu
# family: element-wise
# why: a view of the first elements of a larger buffer is returned

import torch
import triton
import triton.language as tl


@triton.jit
def rk(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offs, mask=offs < n)
    tl.store(y_ptr + offs, tl.maximum(x, 0.0), mask=offs < n)

def relu(x):
    shape = x.shape
    x = x.detach().contiguous().view(-1)
    n = x.shape[0]
    n_pad = triton.cdiv(n, 1024) * 1024
    buf = torch.empty(n_pad, dtype=x.dtype, device=x.device)
    if n: rk[(triton.cdiv(n, 1024),)](x, buf, n, BLOCK=1024)
    return buf[:n].view(shape)
