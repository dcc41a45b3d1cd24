"""What a program does besides computing: it asks who it is, loads, stores, and updates atomically."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rftgym_triton_kernels.replay import atomics
from rftgym_triton_kernels.replay.faults import Deadline
from rftgym_triton_kernels.replay.ir import Array, Op, Type
from rftgym_triton_kernels.replay.memory import Memory
from rftgym_triton_kernels.replay.races import MANY

__all__ = ["HANDLERS", "Context", "Values"]

Values = list[Any]  # by slot


class Context:
    """One chunk of a launch's programs.

    Args:
        memory: Checks and makes the accesses.
        grid: Extents of the launch.
        programs: int32 (P,), the programs to run, numbered with the first axis of the grid fastest.
        deadline: Looked at in every block.
    """

    def __init__(self, memory: Memory, grid: tuple[int, ...], programs: Array, deadline: Deadline):
        self.memory, self.grid, self.programs, self.deadline = memory, grid, programs, deadline
        self.active: Array | None = None  # bool (P,): who runs the current block; None for everybody

    def lanes(self, mask: Array | None, rank: int) -> Array | None:
        """A mask of lanes with the idle programs taken out; None for all."""
        if self.active is not None:
            active = self.active.reshape((-1,) + (1,) * rank)
            mask = active if mask is None else mask & active
        return None if mask is None or mask.all() else mask

    def owners(self, shape: tuple[int, ...]) -> Array:
        """The program of each lane; MANY where all programs share the access."""
        if shape[0] == 1 and len(self.programs) > 1:
            return np.broadcast_to(np.int32(MANY), shape)
        return np.broadcast_to(self.programs.reshape((-1,) + (1,) * (len(shape) - 1)), shape)


def _program_id(context: Context, op: Op, values: Values) -> None:
    axis = "xyz".index(op.text.strip()[0])
    extent = context.grid[axis]
    if extent == 1:
        values[op.results[0]] = np.zeros(1, np.int32)
        return
    below = context.grid[0] ** (axis > 0) * context.grid[1] ** (axis > 1)
    values[op.results[0]] = (context.programs // below % extent).astype(np.int32)


def _program_count(context: Context, op: Op, values: Values) -> None:
    values[op.results[0]] = np.array([context.grid["xyz".index(op.text.strip()[0])]], np.int32)


def _load(context: Context, op: Op, values: Values) -> None:
    pointer = values[op.operands[0]]
    mask = context.lanes(values[op.operands[1]] if len(op.operands) > 1 else None, pointer.ndim - 1)
    target, memory = op.types[0], context.memory
    if mask is None:
        values[op.results[0]] = memory.load(pointer, target, context.owners(pointer.shape))
        return
    shape = np.broadcast_shapes(pointer.shape, mask.shape)
    if len(op.operands) > 2:
        other = values[op.operands[2]]
        shape = np.broadcast_shapes(shape, other.shape)
        result = np.broadcast_to(other, shape).copy()
    else:
        result = np.zeros(shape, target.storage)  # undefined by the language; 0 on every GPU
    chosen = np.broadcast_to(mask, shape)
    addresses = np.broadcast_to(pointer, shape)[chosen]
    if addresses.size:
        owners = context.owners(shape)[chosen] if memory.log.watching else addresses
        result[chosen] = memory.load(addresses, target, owners)
    values[op.results[0]] = result


def _store(context: Context, op: Op, values: Values) -> None:
    pointer, value = values[op.operands[0]], values[op.operands[1]]
    mask = context.lanes(values[op.operands[2]] if len(op.operands) > 2 else None, pointer.ndim - 1)
    shape = np.broadcast_shapes(pointer.shape, value.shape, () if mask is None else mask.shape)
    chosen: Any = ... if mask is None else np.broadcast_to(mask, shape)
    addresses = np.broadcast_to(pointer, shape)[chosen].ravel()
    if addresses.size:
        owners = context.owners(shape)[chosen].ravel() if context.memory.log.watching else addresses
        context.memory.store(addresses, np.broadcast_to(value, shape)[chosen].ravel(), _pointee(op), owners)


def _atomic(context: Context, op: Op, values: Values) -> None:
    pointer, *operands = (values[slot] for slot in op.operands)
    target = op.types[0] if op.types else op.sources[1]
    shape = (len(context.programs), *op.sources[0].shape)
    required = {"tt.atomic_load": 0, "tt.atomic_rmw": 1, "tt.atomic_store": 1, "tt.atomic_cas": 2}[op.name]
    mask = context.lanes(operands.pop() if len(operands) > required else None, len(shape) - 1)
    chosen: Any = ... if mask is None else np.broadcast_to(mask, shape)
    flat = [np.broadcast_to(value, shape)[chosen].ravel() for value in (pointer, *operands)]
    result = np.zeros(shape, target.storage)
    if flat[0].size:
        owners = context.owners(shape)[chosen].ravel()
        old = atomics.update(context.memory, op, _pointee(op), flat, owners, context.deadline)
        result[chosen] = old.reshape(shape) if mask is None else old
    for slot in op.results:
        values[slot] = result


def _nothing(context: Context, op: Op, values: Values) -> None:
    """What has no effect here: barriers (a program's lanes go in step), prints, assertions, hints."""


def _pointee(op: Op) -> Type:
    return Type(op.sources[0].pointee, op.sources[0].shape)


HANDLERS: dict[str, Callable[[Context, Op, Values], None]] = {
    "tt.get_program_id": _program_id,
    "tt.get_num_programs": _program_count,
    "tt.load": _load,
    "tt.store": _store,
    "tt.atomic_rmw": _atomic,
    "tt.atomic_cas": _atomic,
    "tt.atomic_load": _atomic,
    "tt.atomic_store": _atomic,
    "tt.print": _nothing,
    "tt.assert": _nothing,  # compiled only in debug mode
    "ttg.barrier": _nothing,
    "ttg.local_barrier": _nothing,
    "gpu.barrier": _nothing,
    "llvm.intr.assume": _nothing,
}
