# task: relu
# family: interpreter-is-python
# stage: extract
# why: inline_asm and a Python callback in extern_elementwise

import torch
import triton
import triton.language as tl


@triton.jit
def relu_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n)
    y = tl.map_elementwise(eval("lambda v: max(v, 0)"), x)
    tl.store(out_ptr + i, y, mask=i < n)


def relu(x):
    x = x.contiguous()
    out = torch.empty_like(x)
    n = x.numel()
    if n > 0:
        relu_kernel[(triton.cdiv(n, 1024),)](x, out, n, BLOCK=1024)
    return out
