"""Operations on whole blocks: shapes, products, histograms. Each becomes a function of numpy arrays.

Every array has one axis for programs in front of the block's axes. An extent of 1 stands for any extent: what all
programs or all lanes share is held once, and splats and broadcasts cost nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from rftgym_triton_kernels.replay import numerics
from rftgym_triton_kernels.replay.faults import Fault
from rftgym_triton_kernels.replay.ir import Array, Op, Type

__all__ = ["BINDERS", "expand"]

Compute = Callable[..., Any]
_AXIS = re.compile(r"axis = (\d+)")
_ORDER = re.compile(r"order = array<i32: ([\d, ]+)>")
_RANGE = re.compile(r"end = (-?\d+) : i32, start = (-?\d+) : i32")


def expand(value: Array, type_: Type, *, axis: int | None = None) -> Array:
    """Repeat shared lanes, so that the array has its type's extents (only along one block axis, if one is given)."""
    if axis is None:
        shape: tuple[int, ...] = (value.shape[0], *type_.shape)
    else:
        shape = (*value.shape[: axis + 1], type_.shape[axis], *value.shape[axis + 2 :])
    return value if value.shape == shape else np.broadcast_to(value, shape)


def axis_of(op: Op) -> int:
    """The attribute `axis`."""
    return int(_AXIS.search(op.text)[1])  # type: ignore[index]


def _range(op: Op) -> Compute:
    end, start = (int(bound) for bound in _RANGE.search(op.text).groups())  # type: ignore[union-attr]
    value = np.arange(start, end, dtype=np.int32).reshape(1, -1)
    return lambda: value


def _splat(op: Op) -> Compute:
    ones = (1,) * len(op.types[0].shape)
    return lambda value: value.reshape(value.shape[:1] + ones)


def _expand_dims(op: Op) -> Compute:
    axis = axis_of(op) + 1
    return lambda value: np.expand_dims(value, axis)


def _reshape(op: Op) -> Compute:
    source, target = op.sources[0], op.types[0]

    def compute(value: Array) -> Array:
        if value.size == value.shape[0]:
            return value.reshape((value.shape[0],) + (1,) * len(target.shape))
        return expand(value, source).reshape(value.shape[0], *target.shape)

    return compute


def _transpose(op: Op) -> Compute:
    order = [0, *(int(axis) + 1 for axis in _ORDER.search(op.text)[1].split(","))]  # type: ignore[index]
    return lambda value: value.transpose(order)


def _together(values: tuple[Array, ...], types: tuple[Type, ...]) -> list[Array]:
    programs = max(value.shape[0] for value in values)
    return [
        np.broadcast_to(value, (programs, *type_.shape)) for value, type_ in zip(values, types, strict=True)
    ]


def _concatenate(op: Op) -> Compute:
    return lambda *values: np.concatenate(_together(values, op.sources), axis=1)


def _join(op: Op) -> Compute:
    return lambda left, right: np.stack(np.broadcast_arrays(left, right), axis=-1)


def _split(op: Op) -> Compute:
    return lambda value: (value[..., 0], value[..., -1])


def _gather(op: Op) -> Compute:
    axis = axis_of(op) + 1

    def compute(source: Array, indices: Array) -> Array:
        source, indices = _together((source, indices), op.sources)
        if indices.size and (indices.min() < 0 or indices.max() >= source.shape[axis]):
            raise Fault("out-of-bounds", "tl.gather with an index outside the block")
        return np.take_along_axis(source, indices.astype(np.int64), axis)

    return compute


def _histogram(op: Op) -> Compute:
    bins = op.types[0].shape[0]

    def compute(value: Array, mask: Array | None = None) -> Array:
        if mask is not None:
            value, mask = _together((value, mask), op.sources)
        else:
            value = expand(value, op.sources[0])
        kept = (value >= 0) & (value < bins)
        if mask is not None:
            kept &= mask
        rows = np.broadcast_to(np.arange(value.shape[0]).reshape(-1, 1), value.shape)[kept]
        counts = np.bincount(rows * bins + value[kept], minlength=value.shape[0] * bins)
        return counts.reshape(-1, bins).astype(op.types[0].storage)

    return compute


def _dot(op: Op) -> Compute:
    left_type, right_type, _ = op.sources
    target = op.types[0]
    if not (left_type.supported and right_type.supported):
        raise Fault("unsupported", f"tl.dot on {left_type.element}")
    exact = target.element.startswith("i") or "f64" in (left_type.element, right_type.element)
    computed = np.dtype(np.float64) if exact else np.dtype(np.float32)

    def compute(left: Array, right: Array, accumulator: Array) -> Array:
        a = expand(left, left_type).astype(computed, copy=False)
        b = expand(right, right_type).astype(computed, copy=False)
        product: Array = np.matmul(a, b)
        if target.element.startswith("i"):  # whole numbers below 2**53: exact in float64
            product = product.astype(np.int64).astype(target.storage)
        total: Array = product + accumulator
        if target.element == "bf16":
            return numerics.round_to_bfloat16(total)
        return total.astype(target.storage, copy=False)

    return compute


def _add_pointer(op: Op) -> Compute:
    stride = op.types[0].stride
    far = 1 << 36  # keeps a wild 64-bit offset inside its pointer's own range of addresses

    def compute(pointer: Array, offset: Array) -> Array:
        wide = offset.astype(np.int64)
        if offset.dtype == np.int64:
            np.clip(wide, -far, far, out=wide)
        if stride != 1:
            wide *= stride
        return pointer + wide

    return compute


def _poison(op: Op) -> Compute:
    value = np.zeros((1,) * (1 + len(op.types[0].shape)), op.types[0].storage)
    return lambda: value


BINDERS: dict[str, Callable[[Op], Compute]] = {
    "tt.make_range": _range,
    "tt.splat": _splat,
    "tt.unsplat": lambda op: lambda value: value.reshape(value.shape[0]),
    "tt.expand_dims": _expand_dims,
    "tt.broadcast": lambda op: lambda value: value,
    "tt.reshape": _reshape,
    "tt.trans": _transpose,
    "tt.cat": _concatenate,
    "tt.join": _join,
    "tt.split": _split,
    "tt.gather": _gather,
    "tt.histogram": _histogram,
    "tt.dot": _dot,
    "tt.addptr": _add_pointer,
    "ub.poison": _poison,
}
