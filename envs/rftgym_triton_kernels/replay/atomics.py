"""Atomic operations: one lane after the other, in the order of the programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rftgym_triton_kernels.replay import numerics
from rftgym_triton_kernels.replay.faults import Deadline, Fault
from rftgym_triton_kernels.replay.ir import Array, Op, Type
from rftgym_triton_kernels.replay.memory import Memory, decode, encode

__all__ = ["update"]

_OPERATORS: dict[str, np.ufunc] = {
    "add": np.add,
    "fadd": np.add,
    "max": np.maximum,
    "min": np.minimum,
    "umax": np.maximum,
    "umin": np.minimum,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
}
_CHECK_EVERY = 4096


def update(
    memory: Memory, op: Op, pointee: Type, flat: list[Array], programs: Array, deadline: Deadline
) -> Array:
    """Carry out one atomic operation for many lanes.

    Args:
        memory: Where the addresses point to.
        op: The operation.
        pointee: Type of the elements.
        flat: Addresses and operands of the lanes, (N,) each.
        programs: int32 (N,), whose lane it is.
        deadline: Looked at now and then.
    Returns:
        What each lane found, (N,).
    """
    addresses, *operands = flat
    old = np.zeros(len(addresses), pointee.storage)
    for buffer, offsets, lanes in memory.locate(addresses, pointee, "atomic operation"):
        memory.log.update(buffer, offsets, pointee.width, programs[lanes], "relaxed" not in op.text)
        if isinstance(offsets, slice):
            offsets = np.arange(offsets.start, offsets.stop)
        content = buffer.typed(pointee.element)
        old[lanes] = _apply(op, pointee, content, offsets, [operand[lanes] for operand in operands], deadline)
    return old


def _apply(
    op: Op, pointee: Type, content: Array, offsets: Array, operands: list[Array], deadline: Deadline
) -> Array:
    if op.name == "tt.atomic_load":
        return decode(content.take(offsets), pointee)
    alone = len(np.unique(offsets)) == len(offsets)
    if op.name == "tt.atomic_cas":
        return _compare_and_swap(content, offsets, operands, pointee, deadline)
    kind = "exch" if op.name == "tt.atomic_store" else op.text.split(",")[0].strip()
    if kind not in _OPERATORS and kind != "exch":
        raise Fault("unsupported", f"the atomic operation {kind}")
    (operand,) = operands
    if alone:
        before = decode(content.take(offsets), pointee)
        after = operand if kind == "exch" else _operator(kind, pointee)(before, operand)
        content[offsets] = encode(after, pointee)
        return before
    return _one_by_one(kind, pointee, content, offsets, operand, deadline)


def _operator(kind: str, pointee: Type) -> Callable[[Any, Any], Any]:
    ufunc = _OPERATORS[kind]
    if kind.startswith("u"):
        return lambda a, b: ufunc(numerics.as_unsigned(a), numerics.as_unsigned(b)).view(pointee.storage)
    if pointee.element == "bf16":
        return lambda a, b: numerics.round_to_bfloat16(ufunc(a, b))
    return ufunc


def _one_by_one(
    kind: str, pointee: Type, content: Array, offsets: Array, operand: Array, deadline: Deadline
) -> Array:
    """Lanes that share addresses: sort them by address, then apply the first of each, the second of each, ..."""
    order = np.argsort(offsets, kind="stable")
    grouped = offsets[order]
    starts = np.flatnonzero(np.r_[True, grouped[1:] != grouped[:-1]])
    rank = np.arange(len(grouped)) - np.repeat(starts, np.diff(np.r_[starts, len(grouped)]))
    if len(starts) == 1 and kind in {"add", "fadd"} and pointee.element != "bf16":
        return _running_total(content, offsets, operand)
    old = np.empty(len(offsets), pointee.storage)
    function = None if kind == "exch" else _operator(kind, pointee)
    by_rank = np.argsort(rank, kind="stable")
    limits = np.cumsum(np.bincount(rank))
    begin = 0
    for round_, end in enumerate(limits.tolist()):
        if round_ % 256 == 0:
            deadline.check()
        lanes = order[by_rank[begin:end]]
        before = decode(content.take(offsets[lanes]), pointee)
        old[lanes] = before
        content[offsets[lanes]] = encode(
            operand[lanes] if function is None else function(before, operand[lanes]), pointee
        )
        begin = end
    return old


def _running_total(content: Array, offsets: Array, operand: Array) -> Array:
    """All lanes add to one address: a sequential sum in the element's own precision."""
    place = offsets[0]
    running = np.add.accumulate(np.concatenate([content[place : place + 1], operand]), dtype=content.dtype)
    content[place] = running[-1]
    return running[:-1]


def _compare_and_swap(
    content: Array, offsets: Array, operands: list[Array], pointee: Type, deadline: Deadline
) -> Array:
    expected, desired = (encode(operand, pointee) for operand in operands)
    old = np.empty(len(offsets), content.dtype)
    for lane, place in enumerate(offsets.tolist()):
        if lane % _CHECK_EVERY == 0:
            deadline.check()
        old[lane] = content[place]
        if old[lane] == expected[lane]:
            content[place] = desired[lane]
    return decode(old, pointee)
