"""Arithmetic as the GPU does it, on numpy arrays: rounding, wrapping, truncating; and functions that numpy lacks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial

from rftgym_triton_kernels.replay.ir import Array

__all__ = [
    "as_unsigned",
    "bfloat16_from_bits",
    "bits_of_bfloat16",
    "divide_truncating",
    "erf",
    "erfc",
    "erfinv",
    "fused_multiply_add",
    "lgamma",
    "multiply_high_unsigned",
    "remainder_truncating",
    "round_to_bfloat16",
    "to_integer",
]

_UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}


def as_unsigned(value: Array) -> Array:
    """The same bits as unsigned integers."""
    return value if value.dtype == np.bool_ else value.view(_UNSIGNED[value.itemsize])


def round_to_bfloat16(value: Array) -> Array:
    """float32 rounded to the nearest bfloat16, ties to even; still float32."""
    bits = np.ascontiguousarray(value, dtype=np.float32).view(np.uint32)
    rounded = bits + (((bits >> 16) & 1) + np.uint32(0x7FFF))
    rounded &= np.uint32(0xFFFF0000)
    result = rounded.view(np.float32)
    invalid = np.isnan(value)
    if invalid.any():  # the carry could turn a NaN into an infinity or into zero
        result[invalid] = np.float32(np.nan)
    return result


def bits_of_bfloat16(value: Array) -> Array:
    """The 16 bits of a bfloat16 held as float32, as uint16."""
    return (np.ascontiguousarray(value).view(np.uint32) >> 16).astype(np.uint16)


def bfloat16_from_bits(bits: Array) -> Array:
    """uint16 bits as the float32 that holds the bfloat16."""
    return (bits.astype(np.uint32) << 16).view(np.float32)


def divide_truncating(left: Array, right: Array) -> Array:
    """C's integer division; by zero gives 0 where hardware gives anything."""
    quotient = np.floor_divide(left, right)
    if left.dtype.kind == "i":
        wrong = (quotient < 0) & (quotient * right != left)
        if wrong.any():
            quotient = quotient + wrong.astype(quotient.dtype)
    return quotient


def remainder_truncating(left: Array, right: Array) -> Array:
    """C's remainder: it has the sign of the left operand."""
    return np.fmod(left, right)


def to_integer(value: Array, target: np.dtype[Any]) -> Array:
    """Float to integer as the hardware's conversion does it: toward zero, saturating, NaN to 0."""
    wide = np.dtype(np.int64) if target.itemsize == 8 else np.dtype(np.int32)
    if target.kind == "u":
        wide = as_unsigned(np.zeros(0, wide)).dtype
    limits = np.iinfo(wide)
    exact = np.nan_to_num(value.astype(np.float64), nan=0.0, posinf=np.inf, neginf=-np.inf)
    high = exact >= float(limits.max)  # as a float64 the limit of 64 bits is one too large: convert it apart
    low = exact <= float(limits.min)
    result = np.where(high | low, 0.0, exact).astype(wide)
    result = np.where(high, limits.max, np.where(low, limits.min, result)).astype(wide)
    return result.astype(target)


def multiply_high_unsigned(left: Array, right: Array) -> Array:
    """Upper half of the unsigned product."""
    a, b = as_unsigned(left), as_unsigned(right)
    if a.itemsize < 8:
        wide = a.astype(np.uint64) * b.astype(np.uint64)
        return (wide >> np.uint64(8 * a.itemsize)).astype(a.dtype).view(left.dtype)
    low, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
    a0, a1, b0, b1 = a & low, a >> shift, b & low, b >> shift
    middle = a1 * b0 + ((a0 * b0) >> shift)
    upper = a0 * b1 + (middle & low)
    high: Array = a1 * b1 + (middle >> shift) + (upper >> shift)
    return high.view(left.dtype)


def fused_multiply_add(x: Array, y: Array, z: Array) -> Array:
    """x * y + z with (nearly) one rounding: through float64, in which a product of two float32 is exact."""
    if x.dtype == np.float64:
        return x * y + z
    return (x.astype(np.float64) * y + z).astype(x.dtype)


def _fitted(
    function: Callable[[float], float], low: float, high: float, degree: int
) -> Callable[[Array], Array]:
    """A polynomial through the Chebyshev points of an interval, evaluated in float64."""
    series = Chebyshev.interpolate(np.vectorize(function, otypes=[np.float64]), degree, domain=[low, high])
    polynomial = series.convert(kind=Polynomial, domain=[low, high], window=[-1, 1])
    coefficients = polynomial.coef[::-1].tolist()
    scale, shift = 2.0 / (high - low), -(high + low) / (high - low)

    def evaluate(x: Array) -> Array:
        t = x * scale
        t += shift
        total = np.full(x.shape, coefficients[0])
        for coefficient in coefficients[1:]:
            total *= t
            total += coefficient
        return total

    return evaluate


def _erf_ratio(square: float) -> float:
    """erf(x) / x, a smooth function of x squared."""
    x = math.sqrt(square)
    return math.erf(x) / x if x > 1e-9 else 2.0 / math.sqrt(math.pi)


_ERF_END = 4.0  # from here on erf is 1 in float32
_erf_series = _fitted(_erf_ratio, 0.0, _ERF_END**2, 26)
_erf_vector = np.vectorize(math.erf, otypes=[np.float64])
_erfc_vector = np.vectorize(math.erfc, otypes=[np.float64])
_lgamma_vector = np.vectorize(
    lambda x: math.lgamma(x) if x > 0 or x != math.floor(x) else math.inf, otypes=[np.float64]
)


def erf(x: Array) -> Array:
    """The error function, to the last bit or so of its type."""
    if x.dtype == np.float64:
        return np.asarray(_erf_vector(x)).reshape(x.shape)
    inside = np.clip(x.astype(np.float64), -_ERF_END, _ERF_END)
    result = _erf_series(inside * inside)
    result *= inside
    return np.clip(result, -1.0, 1.0).astype(x.dtype)


def erfc(x: Array) -> Array:
    """1 - erf(x) without cancellation."""
    return np.asarray(_erfc_vector(x)).reshape(x.shape).astype(x.dtype)


def lgamma(x: Array) -> Array:
    """Logarithm of the gamma function's absolute value."""
    return np.asarray(_lgamma_vector(x)).reshape(x.shape).astype(x.dtype)


def erfinv(y: Array) -> Array:
    """Inverse of erf: a rough start, then Newton's method on erf or, near 1, on the logarithm of erfc."""
    target = y.astype(np.float64)
    tail = np.log1p(-np.minimum(target * target, 1.0 - 1e-300))
    guess = 2.0 / (math.pi * 0.147) + tail / 2.0
    x = np.sqrt(np.maximum(np.sqrt(guess * guess - tail / 0.147) - guess, 0.0))  # Winitzki's approximation
    magnitude = np.abs(target)
    for _ in range(4):
        density = 2.0 / math.sqrt(math.pi) * np.exp(-x * x)
        x = x - (_erf_vector(x) - magnitude) / np.maximum(density, 1e-300)
    x = np.where(magnitude == 1.0, np.inf, np.where(magnitude > 1.0, np.nan, np.copysign(x, target)))
    return np.asarray(x).astype(y.dtype)
