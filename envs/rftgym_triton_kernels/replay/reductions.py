"""tl.reduce and tl.associative_scan: numpy's own where the combining function is a plain operator, else by halves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rftgym_triton_kernels.replay import numerics
from rftgym_triton_kernels.replay.blocks import axis_of, expand
from rftgym_triton_kernels.replay.ir import Array, Op

__all__ = ["reduce", "scan", "shortcut"]

Combine = Callable[[tuple[Array, ...], tuple[Array, ...]], tuple[Array, ...]]

_UFUNCS: dict[str, np.ufunc] = {
    "arith.addf": np.add,
    "arith.addi": np.add,
    "arith.mulf": np.multiply,
    "arith.muli": np.multiply,
    "arith.maxnumf": np.fmax,
    "arith.minnumf": np.fmin,
    "arith.maximumf": np.maximum,
    "arith.minimumf": np.minimum,
    "arith.maxsi": np.maximum,
    "arith.minsi": np.minimum,
    "arith.maxui": np.maximum,
    "arith.minui": np.minimum,
    "arith.andi": np.bitwise_and,
    "arith.ori": np.bitwise_or,
    "arith.xori": np.bitwise_xor,
}
_ROUNDING = frozenset({"arith.addf", "arith.mulf"})


def shortcut(op: Op) -> tuple[np.ufunc, bool] | None:
    """The one operator that a reduction's or scan's region consists of, and whether it sees unsigned numbers.

    Args:
        op: A tt.reduce or tt.scan.
    Returns:
        None where the region does more, and where partial results have to be rounded to 16 bits at every step.
    """
    block = op.regions[0].blocks[0]
    if len(op.regions[0].blocks) != 1 or len(block.ops) != 2 or len(block.arguments) != 2:
        return None
    inner, end = block.ops
    element = op.sources[0].element
    if (
        inner.name not in _UFUNCS
        or set(inner.operands) != set(block.arguments)
        or end.operands != inner.results
    ):
        return None
    if element == "i1" or (inner.name in _ROUNDING and element in {"f16", "bf16"}):
        return None
    return _UFUNCS[inner.name], inner.name.endswith("ui")


def reduce(op: Op, values: tuple[Array, ...], combine: Combine) -> tuple[Array, ...]:
    """Fold one axis.

    Args:
        op: The tt.reduce.
        values: Its operands' arrays.
        combine: Runs the region on two sets of arrays.
    """
    axis = axis_of(op)
    values = tuple(expand(value, type_, axis=axis) for value, type_ in zip(values, op.sources, strict=True))
    simple = shortcut(op)
    if simple:
        ufunc, unsigned = simple
        value = numerics.as_unsigned(values[0]) if unsigned else values[0]
        folded: Array = ufunc.reduce(value, axis=axis + 1, dtype=value.dtype)
        return (folded.view(values[0].dtype),)
    moved = tuple(np.moveaxis(value, axis + 1, -1) for value in np.broadcast_arrays(*values))
    while moved[0].shape[-1] > 1:
        moved = combine(tuple(v[..., 0::2] for v in moved), tuple(v[..., 1::2] for v in moved))
    return tuple(value[..., 0] for value in moved)


def scan(op: Op, values: tuple[Array, ...], combine: Combine) -> tuple[Array, ...]:
    """Running fold along one axis, from the other end where the operation says so."""
    axis = axis_of(op)
    reverse = "reverse = true" in op.text
    values = tuple(expand(value, type_, axis=axis) for value, type_ in zip(values, op.sources, strict=True))
    moved = tuple(np.moveaxis(value, axis + 1, -1) for value in np.broadcast_arrays(*values))
    if reverse:
        moved = tuple(value[..., ::-1] for value in moved)
    simple = shortcut(op)
    if simple:
        ufunc, unsigned = simple
        value = numerics.as_unsigned(moved[0]) if unsigned else moved[0]
        running: Any = ufunc.accumulate(value, axis=-1, dtype=value.dtype)
        moved = (running.view(moved[0].dtype),)
    else:
        moved = _doubling(moved, combine)
    if reverse:
        moved = tuple(value[..., ::-1] for value in moved)
    return tuple(np.moveaxis(value, -1, axis + 1) for value in moved)


def _doubling(values: tuple[Array, ...], combine: Combine) -> tuple[Array, ...]:
    distance = 1
    while distance < values[0].shape[-1]:
        merged = combine(tuple(v[..., :-distance] for v in values), tuple(v[..., distance:] for v in values))
        values = tuple(
            np.concatenate(
                [
                    np.broadcast_to(old, np.broadcast_shapes(old.shape, (*new.shape[:-1], 1)))[
                        ..., :distance
                    ],
                    new,
                ],
                axis=-1,
            )
            for old, new in zip(values, merged, strict=True)
        )
        distance *= 2
    return values
