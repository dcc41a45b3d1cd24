# task: cumsum
# family: interpreter-is-python
# stage: extract
# why: the kernel's body calls numpy on the interpreter's handles

import numpy as np
import torch
import triton
import triton.language as tl


@triton.jit
def cumsum_kernel(x_ptr, out_ptr, cols, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    i = tl.arange(0, BLOCK)
    x = tl.load(x_ptr + row * cols + i, mask=i < cols, other=0.0)
    x.handle.data = np.cumsum(x.handle.data)
    tl.store(out_ptr + row * cols + i, x, mask=i < cols)


def cumsum(x):
    x = x.contiguous()
    out = torch.empty_like(x)
    if x.numel():
        cumsum_kernel[(x.shape[0],)](x, out, x.shape[1], BLOCK=triton.next_power_of_2(x.shape[1]))
    return out
