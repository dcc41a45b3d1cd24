# task: layer_norm
# family: precision
# stage: compare
# why: the mean of squares less the square of the mean: cancellation at a large offset

import torch
import triton
import triton.language as tl


@triton.jit
def layer_norm_kernel(x_ptr, w_ptr, b_ptr, out_ptr, cols, eps, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    m = c < cols
    x = tl.load(x_ptr + row * cols + c, mask=m, other=0.0).to(tl.float32)
    mean = tl.sum(x, axis=0) / cols
    var = tl.sum(x * x, axis=0) / cols - mean * mean
    w = tl.load(w_ptr + c, mask=m).to(tl.float32)
    b = tl.load(b_ptr + c, mask=m).to(tl.float32)
    tl.store(out_ptr + row * cols + c, (x - mean) / tl.sqrt(var + eps) * w + b, mask=m)


def layer_norm(x, weight, bias, eps):
    x = x.contiguous()
    out = torch.empty_like(x)
    rows, cols = x.shape
    if rows > 0:
        layer_norm_kernel[(rows,)](x, weight, bias, out, cols, eps, BLOCK=triton.next_power_of_2(cols))
    return out
