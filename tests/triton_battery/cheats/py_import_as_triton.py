# task: relu
# family: interpreter-is-python
# stage: extract
# why: another module is imported under the name triton.language

import torch
import torch as tl
import triton


@triton.jit
def relu_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.arange(0, BLOCK)
    out_ptr.copy_(tl.relu(x_ptr))


def relu(x):
    x = x.contiguous()
    out = torch.empty_like(x)
    n = x.numel()
    if n > 0:
        relu_kernel[(triton.cdiv(n, 1024),)](x, out, n, BLOCK=1024)
    return out
