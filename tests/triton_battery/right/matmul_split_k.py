# task: matmul
# family: matrix
# why: split-k with atomics: pre_hook, early_config_prune and heuristics at once

import torch
import triton
import triton.language as tl


def _zero_out(nargs):
    nargs["c_ptr"].zero_()

def configs():
    out = []
    for bm in [32, 64]:
        for bn in (32, 64):
            for sk in [1, 2]:
                for nw in [2, 4]:
                    out.append(triton.Config(dict(BM=bm, BN=bn, BK=32, SPLIT_K=sk), num_warps=nw, num_stages=2, pre_hook=_zero_out))
    return out

def prune(configs, named_args, **kwargs):
    m = named_args["M"]
    return [c for c in configs if c.kwargs["BM"] <= max(32, triton.next_power_of_2(m))] or configs[:1]

@triton.autotune(configs=configs(), key=["M", "N", "K"], prune_configs_by={"early_config_prune": prune})
@triton.heuristics({"EVEN_K": lambda args: args["K"] % (args["BK"] * args["SPLIT_K"]) == 0})
@triton.jit
def mm(a_ptr, b_ptr, c_ptr, M, N, K, sam, sak, sbk, sbn, scm, scn,
       BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr, SPLIT_K: tl.constexpr, EVEN_K: tl.constexpr):
    pid_m, pid_n, pid_k = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    rm = pid_m * BM + tl.arange(0, BM)
    rn = pid_n * BN + tl.arange(0, BN)
    rk = pid_k * BK + tl.arange(0, BK)
    A = a_ptr + rm[:, None] * sam + rk[None, :] * sak
    B = b_ptr + rk[:, None] * sbk + rn[None, :] * sbn
    acc = tl.zeros((BM, BN), dtype=tl.float32)
    for k in range(K, 0, -BK * SPLIT_K):
        if EVEN_K:
            a = tl.load(A, mask=rm[:, None] < M, other=0.)
            b = tl.load(B, mask=rn[None, :] < N, other=0.)
        else:
            a = tl.load(A, mask=(rm[:, None] < M) & (rk[None, :] < k), other=0.)
            b = tl.load(B, mask=(rk[:, None] < k) & (rn[None, :] < N), other=0.)
        acc += tl.dot(a, b, allow_tf32=False)
        A += BK * SPLIT_K * sak
        B += BK * SPLIT_K * sbk
    C = c_ptr + rm[:, None] * scm + rn[None, :] * scn
    tl.atomic_add(C, acc, mask=(rm[:, None] < M) & (rn[None, :] < N))

def matmul(a, b):
    M, K = a.shape
    _, N = b.shape
    c = torch.zeros((M, N), device=a.device, dtype=torch.float32)
    if M * N > 0:
        grid = lambda META: (triton.cdiv(M, META["BM"]), triton.cdiv(N, META["BN"]), META["SPLIT_K"])
        mm[grid](a, b, c, M, N, K, *a.stride(), *b.stride(), *c.stride())
    return c.to(a.dtype)
