# task: relu
# family: element-wise
# why: an autograd.Function under custom_fwd and custom_bwd

import torch
import triton
import triton.language as tl


@triton.jit
def rk(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    offs = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + offs, mask=offs < n)
    tl.store(y_ptr + offs, tl.maximum(x, 0.0), mask=offs < n)

class _Relu(torch.autograd.Function):
    @staticmethod
    @torch.amp.custom_fwd(device_type="cuda")
    def forward(ctx, x):
        x = x.contiguous()
        y = torch.empty_like(x)
        n = x.numel()
        if n: rk[(triton.cdiv(n, 1024),)](x, y, n, BLOCK=1024)
        ctx.save_for_backward(y)
        ctx.mark_non_differentiable(y)
        return y
    @staticmethod
    @torch.amp.custom_bwd(device_type="cuda")
    def backward(ctx, dy):
        (y,) = ctx.saved_tensors
        return dy * (y > 0)
def relu(x):
    return _Relu.apply(x) if x.requires_grad and torch.is_grad_enabled() else _Relu.apply(x.detach())
