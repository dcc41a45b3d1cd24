"""Element types as raw bytes: sizes, decoding, and correct rounding; numpy only, so bfloat16 is done by hand."""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

DtypeName = Literal[
    "float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"
]
Bytes = bytes | bytearray | memoryview

ITEMSIZE: Final[dict[str, int]] = {
    "float64": 8,
    "float32": 4,
    "float16": 2,
    "bfloat16": 2,
    "int64": 8,
    "int32": 4,
    "int16": 2,
    "int8": 1,
    "uint8": 1,
    "bool": 1,
}
POINTERS: Final = {
    "float64": "*fp64",
    "float32": "*fp32",
    "float16": "*fp16",
    "bfloat16": "*bf16",
    "int64": "*i64",
    "int32": "*i32",
    "int16": "*i16",
    "int8": "*i8",
    "uint8": "*u8",
    "bool": "*i1",
}
"""What Triton calls a pointer to each type."""
FLOATS: Final = ("float64", "float32", "float16", "bfloat16")
INTEGERS: Final = ("int64", "int32", "int16", "int8", "uint8")
OVERFLOW: Final[dict[str, float]] = {
    "float64": float("inf"),
    "float32": 2.0**128 - 2.0**103,
    "float16": 65520.0,
    "bfloat16": 2.0**128 - 2.0**119,
}
"""From this magnitude on a number rounds to infinity: the largest finite one and half a step more."""


def decode(data: Bytes, dtype: str) -> NDArray[Any]:
    """The elements of raw bytes, one-dimensional: float64, int64, or for "bool" uint8 (as it lies, even 255)."""
    if dtype == "bool":
        return np.frombuffer(data, np.uint8)
    if dtype == "bfloat16":
        bits = np.frombuffer(data, np.uint16).astype(np.uint32) << 16
        return bits.view(np.float32).astype(np.float64)
    return np.frombuffer(data, np.dtype(dtype)).astype(np.float64 if dtype in FLOATS else np.int64)


def encode(values: NDArray[Any], dtype: str) -> bytes:
    """The elements in C order, rounded to nearest even (integers wrap around; for "bool", whatever is not 0 is 1)."""
    if dtype == "bool":
        bits: NDArray[np.uint8] = np.not_equal(values, 0).astype(np.uint8)
        return bits.tobytes()
    if dtype == "bfloat16":
        return _bfloat16_bits(values).tobytes()
    with np.errstate(over="ignore"):  # to infinity is how large numbers round
        cast: NDArray[Any] = values.astype(np.dtype(dtype))
    return cast.tobytes()


def rounded(values: NDArray[np.float64], dtype: str) -> NDArray[np.float64]:
    """The nearest numbers that a float dtype can hold; too large ones become infinite."""
    if dtype == "float64":
        return values
    if dtype == "bfloat16":
        bits = _bfloat16_bits(values).astype(np.uint32) << 16
        return bits.view(np.float32).astype(np.float64)
    with np.errstate(over="ignore"):
        return values.astype(np.dtype(dtype)).astype(np.float64)


def _bfloat16_bits(values: NDArray[Any]) -> NDArray[np.uint16]:
    """Through float32 rounded to odd, so that rounding twice gives what rounding once would."""
    exact = np.asarray(values, np.float64)
    with np.errstate(over="ignore"):
        single = np.atleast_1d(exact.astype(np.float32))
    nan = np.isnan(single)
    back = single.astype(np.float64).reshape(exact.shape)
    bits = single.view(np.uint32).reshape(exact.shape)
    truncated = bits - (np.abs(back) > np.abs(exact)).astype(np.uint32)
    odd = truncated | ((back != exact) & ~np.isnan(back)).astype(np.uint32)
    nearest = (odd + np.uint32(0x7FFF) + ((odd >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)
    return np.where(nan.reshape(exact.shape), np.uint32(0x7FC0), nearest).astype(np.uint16)
