# task: relu
# family: find-the-answer
# stage: replay
# why: an integer from data_ptr() is turned into a pointer inside the kernel

import torch
import triton
import triton.language as tl


@triton.jit
def peek_kernel(address, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    p = address.to(tl.pointer_type(tl.float32))
    tl.store(out_ptr + i, tl.maximum(tl.load(p + i, mask=i < n), 0.0), mask=i < n)


def relu(x):
    x = x.contiguous()
    out = torch.empty_like(x)
    if x.numel():
        peek_kernel[(triton.cdiv(x.numel(), 1024),)](x.data_ptr(), out, x.numel(), BLOCK=1024)
    return out
