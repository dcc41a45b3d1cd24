# task: scale_add
# family: element-wise
# why: heuristics choose a constexpr from the arguments

import torch
import triton
import triton.language as tl


@triton.heuristics({"EVEN": lambda args: args["n"] % args["BLOCK"] == 0})
@triton.jit
def scale_add_kernel(x_ptr, y_ptr, out_ptr, a, n, BLOCK: tl.constexpr, EVEN: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    if EVEN:
        x = tl.load(x_ptr + i)
        y = tl.load(y_ptr + i)
        tl.store(out_ptr + i, a * x + y)
    else:
        m = i < n
        x = tl.load(x_ptr + i, mask=m)
        y = tl.load(y_ptr + i, mask=m)
        tl.store(out_ptr + i, a * x + y, mask=m)


def scale_add(x, y, a):
    x = x.contiguous()
    y = y.contiguous()
    out = torch.empty_like(x)
    n = x.numel()
    if n > 0:
        scale_add_kernel[(triton.cdiv(n, 128),)](x, y, out, a, n, BLOCK=128)
    return out
