"""The vendor's device library in numpy: `libdevice.tanh` and its companions.

The compiled kernel calls them by symbol, `__nv_tanhf` for float32 and `__nv_tanh` for float64. The approximations
whose names begin with "fast" are given their exact counterparts, which lie inside the error that is allowed to them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from rftgym_triton_kernels.replay import numerics
from rftgym_triton_kernels.replay.ir import Array

__all__ = ["find"]

Function = Callable[..., Any]


def _in_double(function: Function) -> Function:
    """Computed in float64: for functions whose float32 form in numpy loses bits."""

    def compute(*values: Array) -> Array:
        return np.asarray(function(*(value.astype(np.float64) for value in values))).astype(values[0].dtype)

    return compute


def _round_half_away(x: Array) -> Array:
    return np.copysign(np.floor(np.abs(x.astype(np.float64)) + 0.5), x).astype(x.dtype)


def _flag(function: Function) -> Function:
    return lambda *values: function(*values).astype(np.int32)


def _integer_power(x: Array, n: Array) -> Array:
    return np.asarray(np.power(x.astype(np.float64), n.astype(np.float64)).astype(x.dtype))


_FUNCTIONS: dict[str, Function] = {
    "abs": np.abs,
    "fabs": np.abs,
    "acos": np.arccos,
    "acosh": _in_double(np.arccosh),
    "asin": np.arcsin,
    "asinh": _in_double(np.arcsinh),
    "atan": np.arctan,
    "atan2": np.arctan2,
    "atanh": _in_double(np.arctanh),
    "cbrt": _in_double(np.cbrt),
    "ceil": np.ceil,
    "copysign": np.copysign,
    "cos": _in_double(np.cos),
    "cosh": _in_double(np.cosh),
    "cospi": _in_double(lambda x: np.cos(np.pi * np.fmod(x, 2.0))),
    "div_rn": np.divide,
    "fdiv_rn": np.divide,
    "erf": numerics.erf,
    "erfc": numerics.erfc,
    "erfcinv": lambda y: numerics.erfinv(1.0 - y.astype(np.float64)).astype(y.dtype),
    "erfinv": numerics.erfinv,
    "exp": np.exp,
    "exp10": _in_double(lambda x: np.power(10.0, x)),
    "exp2": np.exp2,
    "expm1": _in_double(np.expm1),
    "fdim": lambda x, y: np.where(np.isnan(x) | np.isnan(y), x + y, np.maximum(x - y, 0)),
    "finite": _flag(np.isfinite),
    "floor": np.floor,
    "fma": numerics.fused_multiply_add,
    "fma_rn": numerics.fused_multiply_add,
    "fmax": np.fmax,
    "fmin": np.fmin,
    "fmod": np.fmod,
    "hypot": _in_double(np.hypot),
    "ilogb": lambda x: np.frexp(x)[1].astype(np.int32) - 1,
    "isfinited": _flag(np.isfinite),
    "isinf": _flag(np.isinf),
    "isinfd": _flag(np.isinf),
    "isnan": _flag(np.isnan),
    "isnand": _flag(np.isnan),
    "ldexp": np.ldexp,
    "lgamma": numerics.lgamma,
    "llrint": lambda x: numerics.to_integer(np.rint(x), np.dtype(np.int64)),
    "llround": lambda x: numerics.to_integer(_round_half_away(x), np.dtype(np.int64)),
    "log": np.log,
    "log10": _in_double(np.log10),
    "log1p": _in_double(np.log1p),
    "log2": np.log2,
    "logb": lambda x: (np.frexp(x)[1] - 1).astype(x.dtype),
    "max": np.maximum,
    "min": np.minimum,
    "nearbyint": np.rint,
    "nextafter": np.nextafter,
    "norm3d": _in_double(lambda x, y, z: np.sqrt(x * x + y * y + z * z)),
    "pow": _in_double(np.power),
    "powi": _integer_power,
    "rcbrt": _in_double(lambda x: 1.0 / np.cbrt(x)),
    "rcp_rn": lambda x: np.divide(x.dtype.type(1), x),
    "frcp_rn": lambda x: np.divide(x.dtype.type(1), x),
    "remainder": _in_double(lambda x, y: x - y * np.rint(x / y)),
    "rhypot": _in_double(lambda x, y: 1.0 / np.hypot(x, y)),
    "rint": np.rint,
    "round": _round_half_away,
    "rsqrt": lambda x: np.divide(x.dtype.type(1), np.sqrt(x)),
    "rsqrt_rn": lambda x: np.divide(x.dtype.type(1), np.sqrt(x)),
    "frsqrt_rn": lambda x: np.divide(x.dtype.type(1), np.sqrt(x)),
    "saturate": lambda x: np.where(np.isnan(x), x.dtype.type(0), np.clip(x, 0, 1)),
    "signbit": _flag(np.signbit),
    "signbitd": _flag(np.signbit),
    "sin": _in_double(np.sin),
    "sinh": _in_double(np.sinh),
    "sinpi": _in_double(lambda x: np.sin(np.pi * np.fmod(x, 2.0))),
    "sqrt": np.sqrt,
    "sqrt_rn": np.sqrt,
    "fsqrt_rn": np.sqrt,
    "tan": _in_double(np.tan),
    "tanh": _in_double(np.tanh),
    "tgamma": _in_double(
        lambda x: np.exp(numerics.lgamma(x)) * np.where((x < 0) & (np.floor(x) % 2 != 0), -1, 1)
    ),
    "trunc": np.trunc,
    "add_rn": np.add,
    "fadd_rn": np.add,
    "dadd_rn": np.add,
    "mul_rn": np.multiply,
    "fmul_rn": np.multiply,
    "dmul_rn": np.multiply,
    "sub_rn": np.subtract,
    "fsub_rn": np.subtract,
    "fdividef": np.divide,
    "clz": lambda x: _leading_zeros(x),
    "popc": lambda x: _population(x),
    "ffs": lambda x: np.where(x == 0, 0, _population((x & -x) - 1) + 1).astype(np.int32),
    "float_as_int": lambda x: np.ascontiguousarray(x).view(np.int32),
    "int_as_float": lambda x: np.ascontiguousarray(x).view(np.float32),
    "umulhi": numerics.multiply_high_unsigned,
    "umax": lambda x, y: np.maximum(numerics.as_unsigned(x), numerics.as_unsigned(y)).view(x.dtype),
    "umin": lambda x, y: np.minimum(numerics.as_unsigned(x), numerics.as_unsigned(y)).view(x.dtype),
    "normcdf": _in_double(lambda x: 0.5 * numerics.erfc(-x / np.sqrt(2.0))),
}


def _population(x: Array) -> Array:
    bits = np.unpackbits(np.ascontiguousarray(x)[..., None].view(np.uint8), axis=-1)
    return np.asarray(bits.sum(axis=-1, dtype=np.int32))


def _leading_zeros(x: Array) -> Array:
    size = 8 * x.itemsize
    value = numerics.as_unsigned(x)
    result = np.full(x.shape, size, np.int32)
    for bit in range(size):
        result[(value >> value.dtype.type(bit)) != 0] = size - 1 - bit
    return result


_CONVERSION = re.compile(r"(float|double|int|uint|ll|ull)2(float|double|int|uint|ll|ull)_(rn|rz|rd|ru)")
_STORAGE = {"float": "f4", "double": "f8", "int": "i4", "uint": "u4", "ll": "i8", "ull": "u8"}
_ROUNDING: dict[str, Function] = {"rn": np.rint, "rz": np.trunc, "rd": np.floor, "ru": np.ceil}


def _conversion(source: str, target: str, rounding: str) -> Function | None:
    """Between numbers; a directed rounding to a float type isn't supported."""
    from_, to = np.dtype(_STORAGE[source]), np.dtype(_STORAGE[target])
    if to.kind == "f":
        return (lambda x: x.view(from_).astype(to)) if rounding == "rn" else None
    return lambda x: numerics.to_integer(_ROUNDING[rounding](x), to)


def find(symbol: str) -> Function | None:
    """The function behind a symbol such as "__nv_tanhf", "__nv_fast_expf" or "__nv_fsqrt_rn".

    Args:
        symbol: As in the intermediate representation.
    Returns:
        A function of numpy arrays, or None where there is no such function.
    """
    name = symbol.removeprefix("__nv_").removeprefix("fast_")
    conversion = _CONVERSION.fullmatch(name)
    if conversion:
        return _conversion(conversion[1], conversion[2], conversion[3])
    candidates = [name, name.removesuffix("f"), name.replace("f_rn", "_rn")]
    if name.endswith("_rn"):
        candidates.append(name[1:])  # fsqrt_rn and dsqrt_rn
    if name.startswith(("ll", "ull")):
        candidates.append(name.replace("ll", "", 1))  # llmin, ullmin, llabs
    return next((_FUNCTIONS[candidate] for candidate in candidates if candidate in _FUNCTIONS), None)
