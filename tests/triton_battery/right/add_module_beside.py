# task: vector_add
# family: element-wise
# why: an nn.Module beside the wrapper, unused imports, a main block

import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import triton
import triton.language as tl


@triton.jit
def add_kernel(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    m = i < n
    tl.store(out_ptr + i, tl.load(x_ptr + i, mask=m) + tl.load(y_ptr + i, mask=m), mask=m)


def vector_add(x, y):
    x = x.contiguous()
    y = y.contiguous()
    out = torch.zeros_like(x)
    n_elements = x.numel()
    BLOCK_SIZE = 128
    grid = ((n_elements + BLOCK_SIZE - 1) // BLOCK_SIZE,)
    if n_elements > 0:
        add_kernel[grid](x, y, out, n_elements, BLOCK=BLOCK_SIZE)
    return out


class ModelNew(nn.Module):
    def __init__(self):
        super().__init__()

    def forward(self, x, y):
        return vector_add(x, y)


if __name__ == "__main__":
    torch.manual_seed(0)
    a = torch.randn(1000, device="cuda")
    b = torch.randn(1000, device="cuda")
    print(torch.allclose(vector_add(a, b), a + b))
    print(triton.testing.do_bench(lambda: vector_add(a, b)))
