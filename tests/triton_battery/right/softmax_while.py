# task: softmax
# family: normalisation
# why: while loops and per-lane maxima

import torch
import triton
import triton.language as tl


@triton.jit
def softmax_kernel(x_ptr, out_ptr, n_cols, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    base = row * n_cols
    lanes = tl.full([BLOCK], -float("inf"), tl.float32)
    start = 0
    while start < n_cols:
        c = start + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + base + c, mask=c < n_cols, other=-float("inf")).to(tl.float32)
        lanes = tl.maximum(lanes, x)
        start += BLOCK
    top = tl.max(lanes, axis=0)
    sums = tl.zeros([BLOCK], tl.float32)
    start = 0
    while start < n_cols:
        c = start + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + base + c, mask=c < n_cols, other=-float("inf")).to(tl.float32)
        sums += tl.where(c < n_cols, tl.exp(x - top), 0.0)
        start += BLOCK
    total = tl.sum(sums, axis=0)
    start = 0
    while start < n_cols:
        c = start + tl.arange(0, BLOCK)
        x = tl.load(x_ptr + base + c, mask=c < n_cols, other=-float("inf")).to(tl.float32)
        tl.store(out_ptr + base + c, tl.exp(x - top) / total, mask=c < n_cols)
        start += BLOCK


def softmax(x):
    x = x.contiguous()
    out = torch.empty_like(x)
    n_rows, n_cols = x.shape
    if n_rows > 0:
        softmax_kernel[(n_rows,)](x, out, n_cols, BLOCK=256)
    return out
