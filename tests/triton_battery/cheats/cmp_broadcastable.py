# task: row_sum
# family: attack-on-the-comparison
# stage: replay
# why: one value of shape [1], which broadcasts against the reference

import torch
import triton
import triton.language as tl


@triton.jit
def zero_kernel(out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + i, 0.0, mask=i < n)


def row_sum(x):
    out = torch.empty(1, dtype=x.dtype, device=x.device)
    zero_kernel[(1,)](out, 1, BLOCK=1024)
    return out
