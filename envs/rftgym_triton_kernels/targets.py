"""The GPUs that kernels can be compiled for without having one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rftgym.errors import UsageError


@dataclass(frozen=True, slots=True)
class Target:
    """A GPU, as a kernel meets it.

    Attributes:
        name: "backend:architecture", as ``--target`` takes it.
        shared_bytes: the most shared memory that one program can have.
        registers: the most registers that a thread can have.
        warp: threads a warp.
        processors: multiprocessors of a typical device.
        capability: as ``torch.cuda.get_device_capability`` gives it.

    Source: CUDA C++ Programming Guide, technical specifications per compute capability ("maximum amount of shared
    memory per thread block": 163, 99, 227 KB); AMD Instinct MI300 instruction set (64 KB of local data share, 512
    registers).
    """

    name: str
    shared_bytes: int
    registers: int
    warp: int
    processors: int
    capability: tuple[int, int]

    @property
    def backend(self) -> str:
        """Of Triton: "cuda" or "hip"."""
        return self.name.partition(":")[0]

    @property
    def architecture(self) -> int | str:
        """90, or "gfx942"."""
        text = self.name.partition(":")[2]
        return int(text) if text.isdigit() else text

    def triton(self) -> Any:
        """As Triton's ``GPUTarget``."""
        from triton.backends.compiler import GPUTarget

        return GPUTarget(self.backend, self.architecture, self.warp)


TARGETS = {
    target.name: target
    for target in (
        Target("cuda:80", 163 << 10, 255, 32, 108, (8, 0)),
        Target("cuda:89", 99 << 10, 255, 32, 142, (8, 9)),
        Target("cuda:90", 227 << 10, 255, 32, 132, (9, 0)),
        Target("cuda:100", 227 << 10, 255, 32, 148, (10, 0)),
        Target("hip:gfx942", 64 << 10, 512, 64, 304, (9, 4)),
    )
}


def target_of(name: str) -> Target:
    """The target of a name.

    Raises:
        UsageError: there is none; lists those there are.
    """
    if name not in TARGETS:
        raise UsageError(f"no target {name!r}; targets are {', '.join(TARGETS)}")
    return TARGETS[name]
