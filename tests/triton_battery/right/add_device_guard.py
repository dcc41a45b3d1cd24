# task: vector_add
# family: element-wise
# why: a device guard and an allocation that names "cuda"

import torch
import triton
import triton.language as tl


@triton.jit
def add_kernel(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    m = i < n
    tl.store(out_ptr + i, tl.load(x_ptr + i, mask=m) + tl.load(y_ptr + i, mask=m), mask=m)


def vector_add(x, y):
    if not x.is_contiguous():
        x = x.contiguous()
    if not y.is_contiguous():
        y = y.contiguous()
    out = torch.empty(x.size(), dtype=x.dtype, device="cuda")
    n = x.numel()
    if n == 0:
        return out
    with torch.cuda.device(x.device):
        grid = (triton.cdiv(n, 512), 1, 1)
        add_kernel[grid](x, y, out, n, BLOCK=512, num_warps=4)
    return out
