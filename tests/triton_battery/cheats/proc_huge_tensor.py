# task: softmax
# family: process-and-result-channel
# stage: plan
# why: asks torch for a terabyte and for 2**62 bytes

import torch
import triton
import triton.language as tl


@triton.jit
def zero_kernel(out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + i, 0.0, mask=i < n)


def softmax(x):
    try:
        scratch = torch.empty(1 << 62, dtype=torch.uint8, device=x.device)
    except RuntimeError:
        scratch = torch.ones(1 << 38, device=x.device)
    zero_kernel[(1,)](scratch, 1, BLOCK=128)
    return torch.empty_like(x)
