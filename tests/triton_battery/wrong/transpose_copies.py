# task: transpose
# family: layout
# stage: compare
# why: the elements are copied in their old order

import torch
import triton
import triton.language as tl


@triton.jit
def copy_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    m = i < n
    tl.store(out_ptr + i, tl.load(x_ptr + i, mask=m), mask=m)


def transpose(x):
    x = x.contiguous()
    out = torch.empty(x.shape[1], x.shape[0], dtype=x.dtype, device=x.device)
    n = x.numel()
    if n > 0:
        copy_kernel[(triton.cdiv(n, 1024),)](x, out, n, BLOCK=1024)
    return out
