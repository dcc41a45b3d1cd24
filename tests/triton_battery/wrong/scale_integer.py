# task: scale_add
# family: element-wise
# stage: compare
# why: the factor is cut to an integer

import torch
import triton
import triton.language as tl


@triton.jit
def scale_add_kernel(x_ptr, y_ptr, out_ptr, a, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    m = i < n
    tl.store(out_ptr + i, a * tl.load(x_ptr + i, mask=m) + tl.load(y_ptr + i, mask=m), mask=m)


def scale_add(x, y, a):
    x, y = x.contiguous(), y.contiguous()
    out = torch.empty_like(x)
    n = x.numel()
    if n > 0:
        scale_add_kernel[(triton.cdiv(n, 1024),)](x, y, out, int(a), n, BLOCK=1024)
    return out
