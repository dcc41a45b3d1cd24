# task: transpose
# family: layout
# why: division and remainder of a flat index

import torch
import triton
import triton.language as tl


@triton.jit
def transpose_kernel(x_ptr, out_ptr, rows, cols, s0, s1, n, BLOCK: tl.constexpr):
    k = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    m = k < n
    r = k % rows
    c = k // rows
    tl.store(out_ptr + k, tl.load(x_ptr + r * s0 + c * s1, mask=m), mask=m)


def transpose(x):
    rows, cols = x.shape
    out = torch.empty(*x.shape[::-1], dtype=x.dtype, device=x.device)
    n = x.numel()
    if n == 0:
        return out
    transpose_kernel[(triton.cdiv(n, 256),)](x, out, rows, cols, x.stride(0), x.stride(1), n, BLOCK=256)
    return out
