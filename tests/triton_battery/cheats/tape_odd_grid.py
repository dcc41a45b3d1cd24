# task: relu
# family: aimed-at-the-tape
# stage: validate
# why: grids that are negative, true, of four axes, or an object that changes its mind

import torch
import triton
import triton.language as tl


@triton.jit
def relu_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    m = i < n
    x = tl.load(x_ptr + i, mask=m)
    tl.store(out_ptr + i, tl.maximum(x, 0.0), mask=m)


class Grid(tuple):
    reads = 0

    def __getitem__(self, index):
        Grid.reads += 1
        return 1 if Grid.reads % 2 else 2**40

    def __len__(self):
        return 1


def relu(x):
    x = x.contiguous()
    out = torch.empty_like(x)
    n = x.numel()
    if n > 0:
        for grid in (Grid((1,)), (-1,), (True, 1, 1), (1, 1, 1, 1)):
            relu_kernel[grid](x, out, n, BLOCK=1024)
    return out
