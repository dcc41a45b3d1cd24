# task: relu
# family: element-wise
# stage: replay
# why: the loop's variable never grows

import torch
import triton
import triton.language as tl


@triton.jit
def relu_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    start = tl.program_id(0) * BLOCK
    while start < n:
        i = start + tl.arange(0, BLOCK)
        m = i < n
        tl.store(out_ptr + i, tl.maximum(tl.load(x_ptr + i, mask=m), 0.0), mask=m)
        start += 0 * BLOCK


def relu(x):
    x = x.contiguous()
    out = torch.empty_like(x)
    n = x.numel()
    if n > 0:
        relu_kernel[(triton.cdiv(n, 1024),)](x, out, n, BLOCK=1024)
    return out
