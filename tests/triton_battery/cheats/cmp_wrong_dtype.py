# task: matmul
# family: attack-on-the-comparison
# stage: replay
# why: float64 zeros: a comparison that converts dtypes may meet nothing it can object to

import torch
import triton
import triton.language as tl


@triton.jit
def zero_kernel(out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + i, 0.0, mask=i < n)


def matmul(a, b):
    out = torch.empty(a.shape[0], b.shape[1], dtype=torch.float64, device=a.device)
    if out.numel():
        zero_kernel[(triton.cdiv(out.numel(), 1024),)](out, out.numel(), BLOCK=1024)
    return out
