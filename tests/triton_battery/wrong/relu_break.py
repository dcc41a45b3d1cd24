# task: relu
# family: element-wise
# stage: compile
# why: break in a loop of a kernel

import torch
import triton
import triton.language as tl


@triton.jit
def relu_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    start = tl.program_id(0) * BLOCK
    for k in range(0, 4):
        i = start + k * (BLOCK // 4) + tl.arange(0, BLOCK // 4)
        if start + k * (BLOCK // 4) >= n:
            break
        m = i < n
        tl.store(out_ptr + i, tl.maximum(tl.load(x_ptr + i, mask=m), 0.0), mask=m)


def relu(x):
    x = x.contiguous()
    out = torch.empty_like(x)
    n = x.numel()
    if n > 0:
        relu_kernel[(triton.cdiv(n, 1024),)](x, out, n, BLOCK=1024)
    return out
