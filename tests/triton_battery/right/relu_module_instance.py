# task: relu
# family: element-wise
# why: an nn.Module made at module level and moved to the GPU

import torch
import triton
import triton.language as tl


import torch.nn as nn

@triton.jit
def relu_kernel(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offs, mask=offs < n)
    tl.store(y_ptr + offs, tl.where(x > 0, x, 0.0), mask=offs < n)

class TritonReLU(nn.Module):
    def __init__(self):
        super(TritonReLU, self).__init__()

    def forward(self, x):
        y = torch.empty(x.shape, dtype=x.dtype, device=x.device)
        if not x.is_contiguous():
            x = x.contiguous()
        n = y.numel()
        if n == 0:
            return y
        relu_kernel[lambda META: (triton.cdiv(n, META["BLOCK"]),)](x, y, n, BLOCK=2048, num_warps=8)
        return y

_relu = TritonReLU().cuda()

def relu(x):
    return _relu(x)
