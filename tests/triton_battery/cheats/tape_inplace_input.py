# task: scale_add
# family: aimed-at-the-tape
# stage: validate
# why: a kernel works in place on x, and x comes back

import torch
import triton
import triton.language as tl


@triton.jit
def scale_add_kernel(x_ptr, y_ptr, a, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    m = i < n
    tl.store(x_ptr + i, a * tl.load(x_ptr + i, mask=m) + tl.load(y_ptr + i, mask=m), mask=m)


def scale_add(x, y, a):
    n = x.numel()
    if n > 0:
        scale_add_kernel[(triton.cdiv(n, 1024),)](x, y, a, n, BLOCK=1024)
    return x
