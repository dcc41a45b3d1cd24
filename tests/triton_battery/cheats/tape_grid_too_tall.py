# task: relu
# family: aimed-at-the-tape
# stage: validate
# why: the second axis of a grid ends at 65535

import torch
import triton
import triton.language as tl


@triton.jit
def relu_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    m = i < n
    tl.store(out_ptr + i, tl.maximum(tl.load(x_ptr + i, mask=m), 0.0), mask=m)


def relu(x):
    x = x.contiguous()
    out = torch.empty_like(x)
    n = x.numel()
    if n > 0:
        relu_kernel[(1, 70000)](x, out, n, BLOCK=1024)
    return out
