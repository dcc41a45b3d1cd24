"""Operations that work lane by lane: arith, math, conversions. Each becomes a function of numpy arrays."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from rftgym_triton_kernels.replay import libdevice, numerics
from rftgym_triton_kernels.replay.faults import Fault
from rftgym_triton_kernels.replay.ir import Array, Op, Type

__all__ = ["BINDERS"]

Compute = Callable[..., Any]
_PREDICATE = re.compile(r"\s*(\w+),")
_SYMBOL = re.compile(r'symbol = "(\w+)"')
_UNSIGNED_OF = {"i8": np.uint8, "i16": np.uint16, "i32": np.uint32, "i64": np.uint64}


def _constant(op: Op) -> Compute:
    """An `arith.constant`: one lane, which broadcasting repeats."""
    (target,) = op.types
    text = op.text.strip()
    if text.startswith("dense<"):
        text = text[6:-1]
    if text.startswith('"'):
        raise Fault("unsupported", "a constant array of different elements")
    if text.startswith("["):
        value = np.array(json.loads(text), target.storage).reshape((1, *target.shape))
    else:
        value = np.full((1,) * (1 + len(target.shape)), _literal(text, target), target.storage)
    return lambda: value


def _literal(text: str, target: Type) -> Any:
    if text in {"true", "false"}:
        return text == "true"
    if text.startswith("0x") and target.element in {"f16", "f32", "f64", "bf16"}:
        bits = int(text, 16)
        if target.element == "bf16":
            return np.uint32(bits << 16).view(np.float32)
        return np.array(bits, f"u{target.width}").view(target.storage)[()]
    if target.element in {"f16", "f32", "f64", "bf16"}:
        return float(text)
    return int(text)


def _floating(function: Compute) -> Callable[[Op], Compute]:
    """An operation on floats; its result is rounded where numpy computes wider than the type."""

    def bind(op: Op) -> Compute:
        if op.types[0].element == "bf16":
            return lambda *values: numerics.round_to_bfloat16(function(*values))
        return function

    return bind


def _exact(function: Compute) -> Callable[[Op], Compute]:
    """An operation whose result needs no rounding."""
    return lambda op: function


def _integer(function: Compute, boolean: Compute | None = None) -> Callable[[Op], Compute]:
    """An operation on integers, and what it is on single bits."""

    def bind(op: Op) -> Compute:
        return boolean if op.types[0].element == "i1" and boolean is not None else function

    return bind


def _unsigned(function: Compute) -> Callable[[Op], Compute]:
    def compute(*values: Array) -> Array:
        result: Array = function(*(numerics.as_unsigned(value) for value in values))
        return result.view(values[0].dtype) if result.dtype != np.bool_ else result

    return lambda op: compute


def _shift(function: Compute, signed: bool) -> Callable[[Op], Compute]:
    """Shifts; by the width or more the bits are gone."""

    def bind(op: Op) -> Compute:
        bits = 8 * op.types[0].width

        def compute(value: Array, by: Array) -> Array:
            amount = numerics.as_unsigned(by)
            inside = np.minimum(amount, bits - 1)
            if signed:
                return np.asarray(function(value, inside.astype(value.dtype)))
            unsigned = numerics.as_unsigned(value)
            shifted = np.where(amount < bits, function(unsigned, inside), unsigned.dtype.type(0))
            return np.asarray(shifted.astype(unsigned.dtype).view(value.dtype))

        return compute

    return bind


_INTEGER_PREDICATES: dict[str, tuple[Compute, bool]] = {
    "eq": (np.equal, False),
    "ne": (np.not_equal, False),
    "slt": (np.less, False),
    "sle": (np.less_equal, False),
    "sgt": (np.greater, False),
    "sge": (np.greater_equal, False),
    "ult": (np.less, True),
    "ule": (np.less_equal, True),
    "ugt": (np.greater, True),
    "uge": (np.greater_equal, True),
}
_FLOAT_PREDICATES: dict[str, Compute] = {
    "oeq": np.equal,
    "ogt": np.greater,
    "oge": np.greater_equal,
    "olt": np.less,
    "ole": np.less_equal,
    "one": lambda a, b: (a < b) | (a > b),
    "ord": lambda a, b: (a == a) & (b == b),
    "ueq": lambda a, b: ~((a < b) | (a > b)),
    "ugt": lambda a, b: ~(a <= b),
    "uge": lambda a, b: ~(a < b),
    "ult": lambda a, b: ~(a >= b),
    "ule": lambda a, b: ~(a > b),
    "une": np.not_equal,
    "uno": lambda a, b: (a != a) | (b != b),
}


def _compare_integers(op: Op) -> Compute:
    function, unsigned = _INTEGER_PREDICATES[_PREDICATE.match(op.text)[1]]  # type: ignore[index]
    if op.sources[0].element == "i1" and not unsigned:
        return lambda a, b: function(
            -a.astype(np.int8), -b.astype(np.int8)
        )  # true is -1 to a signed comparison
    return _unsigned(function)(op) if unsigned else function


def _compare_floats(op: Op) -> Compute:
    return _FLOAT_PREDICATES[_PREDICATE.match(op.text)[1]]  # type: ignore[index]


def _convert_float(op: Op) -> Compute:
    """Between float types, and tt.fp_to_fp with its rounding mode."""
    source, target = op.sources[0], op.types[0]
    _require(source, target)
    if "rounding = rtz" in op.text:
        return lambda value: _toward_zero(value, target)
    if target.element == "bf16":
        return lambda value: numerics.round_to_bfloat16(value.astype(np.float32))
    return lambda value: value.astype(target.storage)


def _toward_zero(value: Array, target: Type) -> Array:
    if target.element == "bf16":
        bits = np.ascontiguousarray(value, dtype=np.float32).view(np.uint32) & np.uint32(0xFFFF0000)
        return bits.view(np.float32)
    near = value.astype(target.storage)
    over = np.abs(near.astype(np.float64)) > np.abs(value.astype(np.float64))
    return np.where(over, np.nextafter(near, target.storage.type(0)), near)


def _from_integer(signed: bool) -> Callable[[Op], Compute]:
    def bind(op: Op) -> Compute:
        source, target = op.sources[0], op.types[0]
        _require(source, target)

        def compute(value: Array) -> Array:
            if value.dtype == np.bool_:
                inner = -value.astype(np.int8) if signed else value.astype(np.int8)
            else:
                inner = value if signed else numerics.as_unsigned(value)
            if target.element == "bf16":
                return numerics.round_to_bfloat16(inner.astype(np.float32))
            return inner.astype(target.storage)

        return compute

    return bind


def _to_integer(signed: bool) -> Callable[[Op], Compute]:
    def bind(op: Op) -> Compute:
        target = op.types[0]
        if target.element == "i1":
            return lambda value: numerics.to_integer(value, np.dtype(np.int32)) & 1 != 0
        if signed:
            return lambda value: numerics.to_integer(value, target.storage)
        unsigned = np.dtype(_UNSIGNED_OF[target.element])
        return lambda value: numerics.to_integer(value, unsigned).view(target.storage)

    return bind


def _widen(signed: bool) -> Callable[[Op], Compute]:
    def bind(op: Op) -> Compute:
        target = op.types[0].storage
        if op.sources[0].element == "i1":
            return (lambda value: -value.astype(target)) if signed else (lambda value: value.astype(target))
        if signed:
            return lambda value: value.astype(target)
        return lambda value: numerics.as_unsigned(value).astype(target)

    return bind


def _narrow(op: Op) -> Compute:
    target = op.types[0]
    if target.element == "i1":
        return lambda value: (value & 1).astype(np.bool_)
    return lambda value: value.astype(target.storage)


def _bitcast(op: Op) -> Compute:
    """The same bits under another type; pointers only change what they point to."""
    source, target = op.sources[0].element, op.types[0].element
    _require(op.sources[0], op.types[0])
    if source == target or (source == "ptr") != (target == "ptr"):
        return lambda value: value
    if target == "bf16":
        return lambda value: numerics.bfloat16_from_bits(value.view(np.uint16))
    if source == "bf16":
        return lambda value: numerics.bits_of_bfloat16(value).view(op.types[0].storage)
    return lambda value: value.view(op.types[0].storage)


def _clamp(op: Op) -> Compute:
    if "propagateNan = all" in op.text:
        return lambda x, low, high: np.minimum(np.maximum(x, low), high)
    return lambda x, low, high: np.fmin(np.fmax(x, low), high)


def _external(op: Op) -> Compute:
    """A function of the vendor's device library, by its symbol."""
    symbol = _SYMBOL.search(op.text)
    name = symbol[1] if symbol else "?"
    function = libdevice.find(name)
    if function is None:
        raise Fault("unsupported", f"the library function {name}")
    storage = op.types[0].storage
    return lambda *values: np.asarray(function(*values)).astype(storage, copy=False)


def _require(*types: Type) -> None:
    for type_ in types:
        if not type_.supported:
            raise Fault("unsupported", f"the type {type_.element}")


def _unary(function: Compute) -> Callable[[Op], Compute]:
    """A mathematical function: float16 and bfloat16 go through float32."""

    def bind(op: Op) -> Compute:
        element = op.types[0].element
        if element == "f16":
            return lambda *values: function(*(v.astype(np.float32) for v in values)).astype(np.float16)
        return _floating(function)(op)

    return bind


BINDERS: dict[str, Callable[[Op], Compute]] = {
    "arith.constant": _constant,
    "arith.addf": _floating(np.add),
    "arith.subf": _floating(np.subtract),
    "arith.mulf": _floating(np.multiply),
    "arith.divf": _floating(np.divide),
    "arith.remf": _floating(np.fmod),
    "arith.negf": _exact(np.negative),
    "arith.maxnumf": _exact(np.fmax),
    "arith.minnumf": _exact(np.fmin),
    "arith.maximumf": _exact(np.maximum),
    "arith.minimumf": _exact(np.minimum),
    "arith.addi": _integer(np.add, np.logical_xor),
    "arith.subi": _integer(np.subtract, np.logical_xor),
    "arith.muli": _integer(np.multiply, np.logical_and),
    "arith.divsi": _integer(numerics.divide_truncating, np.logical_and),
    "arith.remsi": _integer(numerics.remainder_truncating, lambda a, b: np.logical_and(a, ~b)),
    "arith.divui": _unsigned(np.floor_divide),
    "arith.remui": _unsigned(np.fmod),
    "arith.andi": _exact(np.bitwise_and),
    "arith.ori": _exact(np.bitwise_or),
    "arith.xori": _exact(np.bitwise_xor),
    "arith.shli": _shift(np.left_shift, signed=False),
    "arith.shrui": _shift(np.right_shift, signed=False),
    "arith.shrsi": _shift(np.right_shift, signed=True),
    "arith.maxsi": _integer(np.maximum, np.logical_and),
    "arith.minsi": _integer(np.minimum, np.logical_or),
    "arith.maxui": _unsigned(np.maximum),
    "arith.minui": _unsigned(np.minimum),
    "arith.cmpi": _compare_integers,
    "arith.cmpf": _compare_floats,
    "arith.select": _exact(np.where),
    "arith.extf": _convert_float,
    "arith.truncf": _convert_float,
    "tt.fp_to_fp": _convert_float,
    "arith.extsi": _widen(signed=True),
    "arith.extui": _widen(signed=False),
    "arith.index_cast": _widen(signed=True),
    "arith.trunci": _narrow,
    "arith.sitofp": _from_integer(signed=True),
    "arith.uitofp": _from_integer(signed=False),
    "arith.fptosi": _to_integer(signed=True),
    "arith.fptoui": _to_integer(signed=False),
    "arith.bitcast": _bitcast,
    "tt.bitcast": _bitcast,
    "tt.ptr_to_int": _exact(lambda value: value),
    "tt.int_to_ptr": _exact(lambda value: value),
    "tt.clampf": _clamp,
    "tt.mulhiui": _exact(numerics.multiply_high_unsigned),
    "tt.precise_divf": _floating(np.divide),
    "tt.approx_divf": _floating(np.divide),
    "tt.precise_sqrt": _unary(np.sqrt),
    "tt.extern_elementwise": _external,
    "math.absi": _exact(np.abs),
    "math.absf": _exact(np.abs),
    "math.floor": _exact(np.floor),
    "math.ceil": _exact(np.ceil),
    "math.trunc": _exact(np.trunc),
    "math.round": _exact(lambda x: np.copysign(np.floor(np.abs(x) + x.dtype.type(0.5)), x)),
    "math.roundeven": _exact(np.rint),
    "math.copysign": _exact(np.copysign),
    "math.fma": _floating(numerics.fused_multiply_add),
    "math.rsqrt": _unary(lambda x: np.divide(x.dtype.type(1), np.sqrt(x))),
    "math.erf": _unary(numerics.erf),
    "math.powf": _unary(np.power),
    **{
        f"math.{name}": _unary(getattr(np, name))
        for name in (
            "exp",
            "exp2",
            "log",
            "log2",
            "log10",
            "log1p",
            "expm1",
            "sqrt",
            "sin",
            "cos",
            "tan",
            "tanh",
        )
    },
}
