# task: relu
# family: timing
# stage: plan
# why: the launch runs on a side stream that the clock does not wait for

import torch
import triton
import triton.language as tl


@triton.jit
def relu_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    m = i < n
    x = tl.load(x_ptr + i, mask=m)
    tl.store(out_ptr + i, tl.maximum(x, 0.0), mask=m)


side = torch.cuda.Stream()


def relu(x):
    x = x.contiguous()
    out = torch.empty_like(x)
    n = x.numel()
    with torch.cuda.stream(side):
        if n > 0:
            relu_kernel[(triton.cdiv(n, 1024),)](x, out, n, BLOCK=1024)
    return out
