# task: softmax
# family: attack-on-the-comparison
# stage: validate
# why: a tensor on the meta device has a shape and no values

import torch
import triton
import triton.language as tl


@triton.jit
def zero_kernel(out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + i, 0.0, mask=i < n)


def softmax(x):
    scratch = torch.empty_like(x)
    if x.numel():
        zero_kernel[(triton.cdiv(x.numel(), 1024),)](scratch, x.numel(), BLOCK=1024)
    return torch.empty(x.shape, dtype=x.dtype, device="meta")
