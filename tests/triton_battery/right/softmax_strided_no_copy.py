# task: softmax
# family: normalisation
# why: reads a non-contiguous input through its strides

import torch
import triton
import triton.language as tl


@triton.jit
def softmax_kernel(
    x_ptr, out_ptr,
    stride_xr, stride_xc, stride_or, stride_oc,
    n_cols,
    BLOCK: tl.constexpr,
):
    row = tl.program_id(0)
    c = tl.arange(0, BLOCK)
    mask = c < n_cols
    x = tl.load(x_ptr + row * stride_xr + c * stride_xc, mask=mask, other=float("-inf")).to(tl.float32)
    x = x - tl.max(x, 0)
    e = tl.exp2(x * 1.4426950408889634)
    y = e / tl.sum(e, 0)
    tl.store(out_ptr + row * stride_or + c * stride_oc, y.to(out_ptr.dtype.element_ty), mask=mask)


def softmax(x):
    out = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    rows, cols = x.shape[0], x.shape[1]
    if rows * cols == 0:
        return out
    softmax_kernel[(rows,)](
        x, out, x.stride(0), x.stride(1), out.stride(0), out.stride(1), cols, BLOCK=triton.next_power_of_2(cols)
    )
    return out
