# task: scale_add
# family: element-wise
# why: dataclass and NamedTuple under postponed annotations, a partial of a launch

from __future__ import annotations
import torch
import triton
import triton.language as tl

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import NamedTuple

class Tile(NamedTuple):
    block: int = 512
    warps: int = 4

@dataclass(frozen=True)
class LaunchConfig:
    block: int
    num_warps: int = 4

    def grid(self, n: int) -> tuple[int]:
        return (triton.cdiv(n, self.block),)

@lru_cache(maxsize=None)
def pick(n: int) -> LaunchConfig:
    t = Tile()
    return LaunchConfig(t.block if n < 4096 else 1024, t.warps)

@triton.jit
def k(x_ptr, y_ptr, o_ptr, a, n, BLOCK: tl.constexpr):
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    m = i < n
    x = tl.load(x_ptr + i, mask=m, other=0.0).to(tl.float32)
    y = tl.load(y_ptr + i, mask=m, other=0.0).to(tl.float32)
    tl.store(o_ptr + i, (a * x + y).to(o_ptr.dtype.element_ty), mask=m)

def scale_add(x: torch.Tensor, y: torch.Tensor, a: float) -> torch.Tensor:
    if x.shape != y.shape:
        raise ValueError(f"shapes differ: {tuple(x.shape)} vs {tuple(y.shape)}")
    if x.device.type != "cuda" or not torch.cuda.is_available():
        raise RuntimeError(f"expected CUDA tensors, got {x.device}")
    x_flat, y_flat = x.reshape(-1), y.reshape(-1)
    out = torch.empty(x.shape, dtype=x.dtype, device=x.device)
    n = out.numel()
    if n == 0:
        return out
    cfg = pick(n)
    launch = partial(k[cfg.grid(n)], x_flat, y_flat, out)
    launch(float(a), n, BLOCK=cfg.block, num_warps=cfg.num_warps)
    return out
