# task: layer_norm
# family: normalisation
# stage: compare
# why: the bias is forgotten

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
    d = tl.where(m, x - mean, 0.0)
    var = tl.sum(d * d, axis=0) / cols
    w = tl.load(w_ptr + c, mask=m).to(tl.float32)
    tl.store(out_ptr + row * cols + c, d / tl.sqrt(var + eps) * w, mask=m)


def layer_norm(x, weight, bias, eps):
    x = x.contiguous()
    out = torch.empty_like(x)
    rows, cols = x.shape
    if rows > 0:
        layer_norm_kernel[(rows,)](x, weight, bias, out, cols, eps, BLOCK=triton.next_power_of_2(cols))
    return out
