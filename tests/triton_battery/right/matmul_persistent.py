# task: matmul
# family: matrix
# why: a fixed number of programs takes tiles in turn; launch_metadata, str.format in an error

import torch
import triton
import triton.language as tl


@triton.jit
def _pid(tile, num_n):
    return tile // num_n, tile % num_n
@triton.jit(launch_metadata=lambda grid, kernel, args: {"name": "mm"})
def mm(a_ptr, b_ptr, c_ptr, M, N, K, sam, sak, sbk, sbn, scm, scn, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr, NUM_SMS: tl.constexpr):
    start = tl.program_id(0)
    num_n = tl.cdiv(N, BN)
    tiles = tl.cdiv(M, BM) * num_n
    for t in tl.range(start, tiles, NUM_SMS, flatten=True):
        pm, pn = _pid(t, num_n)
        rm = pm * BM + tl.arange(0, BM)
        rn = pn * BN + tl.arange(0, BN)
        acc = tl.zeros((BM, BN), tl.float32)
        for k in range(tl.cdiv(K, BK)):
            rk = k * BK + tl.arange(0, BK)
            a = tl.load(a_ptr + rm[:, None] * sam + rk[None, :] * sak, mask=(rm[:, None] < M) & (rk[None, :] < K), other=0.0)
            b = tl.load(b_ptr + rk[:, None] * sbk + rn[None, :] * sbn, mask=(rk[:, None] < K) & (rn[None, :] < N), other=0.0)
            acc = tl.dot(a, b, acc)
        if c_ptr.dtype.element_ty == tl.float16:
            c = acc.to(tl.float16)
        elif c_ptr.dtype.element_ty == tl.bfloat16:
            c = acc.to(tl.bfloat16)
        else:
            c = acc
        tl.store(c_ptr + rm[:, None] * scm + rn[None, :] * scn, c, mask=(rm[:, None] < M) & (rn[None, :] < N))
def matmul(a, b):
    if a.shape[1] != b.shape[0]:
        raise ValueError("Incompatible dimensions: {} and {}".format(tuple(a.shape), tuple(b.shape)))
    M, K = a.shape; N = b.shape[1]
    c = a.new_zeros(M, N)
    NUM_SMS = torch.cuda.get_device_properties("cuda").multi_processor_count
    if M and N: mm[lambda m: (min(NUM_SMS, triton.cdiv(M, m["BM"]) * triton.cdiv(N, m["BN"])),)](a, b, c, M, N, K, *a.stride(), *b.stride(), *c.stride(), BM=32, BN=32, BK=32, NUM_SMS=NUM_SMS)
    return c
