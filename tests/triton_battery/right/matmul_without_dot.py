# task: matmul
# family: matrix
# why: products and sums instead of tl.dot

import torch
import triton
import triton.language as tl


@triton.jit
def matmul_kernel(a_ptr, b_ptr, c_ptr, N, K, BN: tl.constexpr, BK: tl.constexpr):
    row = tl.program_id(0)
    n = tl.program_id(1) * BN + tl.arange(0, BN)
    acc = tl.zeros([BN], dtype=tl.float32)
    for start in range(0, K, BK):
        k = start + tl.arange(0, BK)
        a = tl.load(a_ptr + row * K + k, mask=k < K, other=0.0).to(tl.float32)
        b = tl.load(b_ptr + k[:, None] * N + n[None, :], mask=(k[:, None] < K) & (n[None, :] < N), other=0.0)
        acc += tl.sum(a[:, None] * b.to(tl.float32), axis=0)
    tl.store(c_ptr + row * N + n, acc, mask=n < N)


def matmul(a, b):
    a = a.contiguous()
    b = b.contiguous()
    m, k = a.size()
    n = b.size(1)
    c = a.new_zeros((m, n))
    if m * n > 0:
        matmul_kernel[(m, triton.cdiv(n, 64))](a, b, c, n, k, BN=64, BK=16)
    return c
