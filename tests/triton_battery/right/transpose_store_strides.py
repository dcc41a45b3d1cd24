# task: transpose
# family: layout
# why: the output is written through the strides of its own transposed view

import torch
import triton
import triton.language as tl


@triton.jit
def move_kernel(x_ptr, out_ptr, rows, cols, xs0, xs1, os0, os1, BR: tl.constexpr, BC: tl.constexpr):
    r = tl.program_id(0) * BR + tl.arange(0, BR)[:, None]
    c = tl.program_id(1) * BC + tl.arange(0, BC)[None, :]
    m = (r < rows) & (c < cols)
    tl.store(out_ptr + r * os0 + c * os1, tl.load(x_ptr + r * xs0 + c * xs1, mask=m), mask=m)


def transpose(x):
    x = x.contiguous()
    out = torch.empty(x.shape[1], x.shape[0], dtype=x.dtype, device=x.device)
    view = out.t()
    if x.numel():
        move_kernel[(triton.cdiv(x.shape[0], 16), triton.cdiv(x.shape[1], 64))](
            x, out, x.shape[0], x.shape[1], x.stride(0), x.stride(1), view.stride(0), view.stride(1), BR=16, BC=64
        )
    return out
