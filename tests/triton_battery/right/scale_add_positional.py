# task: scale_add
# family: element-wise
# why: constexpr passed by position, options by name, fp32 arithmetic

import torch
import triton
import triton.language as tl


@triton.jit
def kernel(x_ptr, y_ptr, out_ptr, a: float, n: int, BLOCK: tl.constexpr):
    pid = tl.program_id(0).to(tl.int64)
    i = pid * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n, other=0.0).to(tl.float32)
    y = tl.load(y_ptr + i, mask=i < n, other=0.0).to(tl.float32)
    r = tl.fma(x, a + 0.0 * x, y)
    tl.store(out_ptr + i, r.to(out_ptr.dtype.element_ty), mask=i < n)


def scale_add(x, y, a):
    shape = x.shape
    x, y = x.reshape(-1), y.reshape(-1)
    n = x.shape[0]
    out = torch.empty(n, dtype=x.dtype, device=x.device)
    BLOCK = 256
    num_warps = min(max(BLOCK // 256, 1), 8)
    if n != 0:
        kernel[((n + BLOCK - 1) // BLOCK,)](x, y, out, float(a), n, BLOCK, num_warps=num_warps, num_stages=2)
    return out.reshape(shape)
