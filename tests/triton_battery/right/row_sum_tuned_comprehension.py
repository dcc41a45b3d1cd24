# task: row_sum
# family: reduction
# why: eighteen configurations by comprehension, shapes and strides splatted

import torch
import triton
import triton.language as tl


@triton.autotune(
    configs=[
        triton.Config({"BLOCK_M": bm, "BLOCK_N": bn}, num_warps=w)
        for bm in (1, 4, 16)
        for bn in (64, 256)
        for w in (2, 4, 8)
    ],
    key=["M", "N"],
)
@triton.jit
def rs(X, Y, stride_xm: tl.int64, stride_xn: tl.int64, M, N, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr):
    m = tl.program_id(0) * BLOCK_M + tl.arange(0, BLOCK_M)
    acc = tl.zeros([BLOCK_M, BLOCK_N], dtype=tl.float32)
    for start in tl.range(0, N, BLOCK_N):
        n = start + tl.arange(0, BLOCK_N)
        mask = (m < M)[:, None] & (n < N)[None, :]
        acc += tl.load(X + m[:, None] * stride_xm + n[None, :] * stride_xn, mask, 0.0)
    tl.store(Y + m, tl.sum(acc, 1), mask=m < M)

def row_sum(x: torch.Tensor) -> torch.Tensor:
    y = torch.empty((x.shape[0],), device=x.device, dtype=x.dtype)
    if x.shape[0] == 0:
        return y
    grid = lambda meta: (triton.cdiv(x.shape[0], meta["BLOCK_M"]),)
    rs[grid](x, y, *x.stride(), *x.shape, )
    return y
