# task: relu
# family: element-wise
# why: early return for an empty input, reshape to flat and back

import torch
import triton
import triton.language as tl


@triton.jit
def relu_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    pid = tl.program_id(0)
    offsets = pid * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = tl.load(x_ptr + offsets, mask=mask, other=0.0)
    y = tl.where(x > 0, x, 0.0)
    tl.store(y_ptr + offsets, y, mask=mask)


def relu(x):
    if x.numel() == 0:
        return torch.empty_like(x)
    flat = x.contiguous().reshape(-1)
    y = torch.empty_like(flat)
    BLOCK = min(1024, triton.next_power_of_2(flat.numel()))
    relu_kernel[(triton.cdiv(flat.numel(), BLOCK),)](flat, y, flat.numel(), BLOCK=BLOCK)
    return y.reshape(x.shape)
