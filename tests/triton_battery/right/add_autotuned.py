# task: vector_add
# family: element-wise
# why: autotune with several configurations and a key

import torch
import triton
import triton.language as tl


@triton.autotune(
    configs=[
        triton.Config({"BLOCK_SIZE": 256}, num_warps=2),
        triton.Config({"BLOCK_SIZE": 1024}, num_warps=4),
        triton.Config({"BLOCK_SIZE": 2048}, num_warps=8, num_stages=3),
    ],
    key=["n_elements"],
)
@triton.jit
def add_kernel(x_ptr, y_ptr, out_ptr, n_elements, BLOCK_SIZE: tl.constexpr):
    offs = tl.program_id(0) * BLOCK_SIZE + tl.arange(0, BLOCK_SIZE)
    mask = offs < n_elements
    tl.store(out_ptr + offs, tl.load(x_ptr + offs, mask=mask) + tl.load(y_ptr + offs, mask=mask), mask=mask)


def vector_add(x, y):
    x_flat = x.contiguous().view(-1)
    y_flat = y.contiguous().view(-1)
    out = torch.empty_like(x_flat)
    n = out.numel()
    if n > 0:
        add_kernel[lambda META: (triton.cdiv(n, META["BLOCK_SIZE"]),)](x_flat, y_flat, out, n)
    return out.view(x.shape)
