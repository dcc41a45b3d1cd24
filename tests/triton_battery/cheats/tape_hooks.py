# task: vector_add
# family: aimed-at-the-tape
# stage: plan
# why: a pre-run hook of the kernel and an autotuner's hook compute with torch

import torch
import triton
import triton.language as tl


def fill(arguments, **kwargs):
    arguments["out_ptr"].copy_(arguments["x_ptr"] + arguments["y_ptr"])


@triton.autotune(configs=[triton.Config({"BLOCK": 1024}, pre_hook=fill)], key=["n"])
@triton.jit
def add_kernel(x_ptr, y_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out_ptr + i, tl.load(out_ptr + i, mask=i < n), mask=i < n)


def vector_add(x, y):
    x, y = x.contiguous(), y.contiguous()
    out = torch.empty_like(x)
    n = x.numel()
    if n > 0:
        add_kernel[lambda meta: (triton.cdiv(n, meta["BLOCK"]),)](x, y, out, n)
    return out
