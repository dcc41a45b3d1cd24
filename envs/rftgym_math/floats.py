"""Numbers in this process as floats: whether two can be the same at all, and how many digits tell them apart."""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Mapping
from typing import Final

from rftgym_math.exact import Undefined, exact
from rftgym_math.expressions import Node, Unreadable

TRUSTED: Final = 1e6
"""Where something larger than this comes up on the way, a float's last digits say nothing about the first ones."""


def approximate(node: Node) -> complex | None:
    """About the value of a number, to six digits or better; None where floats cannot tell or it has none."""
    seen: list[float] = []
    try:
        value = _float(node, seen)
    except (ArithmeticError, ValueError, TypeError):
        return None
    return value if value is not None and all(size <= TRUSTED for size in seen) else None


def _float(node: Node, seen: list[float]) -> complex | None:
    value: complex | None
    if node.op == "number":
        value = complex(float(node.value))
    elif node.op == "constant":
        value = {"pi": complex(math.pi), "e": complex(math.e), "i": 1j}.get(node.name)
    elif node.op in _FLOATS:
        parts = [_float(each, seen) for each in node.args]
        known = [each for each in parts if each is not None]
        value = complex(_FLOATS[node.op](*known)) if len(known) == len(parts) else None
    else:
        value = None
    if value is not None:
        seen.append(abs(value))
    return value


def _real_root(value: complex, index: complex) -> complex:
    """An odd root of a negative number is the negative one, as school has it."""
    if not value.imag and value.real < 0 and index.real % 2 == 1:
        return complex(-math.exp(math.log(-value.real) / index.real))
    return complex(value ** (1 / index))


def _float_factorial(value: complex) -> complex:
    if value.imag or value.real < 0 or value.real != int(value.real) or value.real > 170:
        raise ValueError("no factorial that a float can hold")
    return complex(math.factorial(int(value.real)))


def _float_sum(*values: complex) -> complex:
    return sum(values, 0j)


def _float_product(*values: complex) -> complex:
    total = 1 + 0j
    for value in values:
        total *= value
    return total


_FLOATS: Final[Mapping[str, Callable[..., complex]]] = {
    "+": _float_sum,
    "*": _float_product,
    "neg": lambda value: -value,
    "inv": lambda value: 1 / value,
    "^": lambda base, exponent: complex(base**exponent),
    "abs": lambda value: complex(abs(value)),
    "sqrt": cmath.sqrt,
    "root": _real_root,
    "factorial": _float_factorial,
    "exp": cmath.exp,
    "ln": cmath.log,
    "log": lambda value, base=10: cmath.log(value) / cmath.log(base),
    "sin": cmath.sin,
    "cos": cmath.cos,
    "tan": cmath.tan,
    "cot": lambda value: 1 / cmath.tan(value),
    "sec": lambda value: 1 / cmath.cos(value),
    "csc": lambda value: 1 / cmath.sin(value),
    "arcsin": cmath.asin,
    "arccos": cmath.acos,
    "arctan": cmath.atan,
    "sinh": cmath.sinh,
    "cosh": cmath.cosh,
    "tanh": cmath.tanh,
}


# ---- how many digits tell two numbers apart

UNKNOWN_POWER: Final = 10.0
"""For the size of an exponent that holds an unknown."""
LARGEST_WEIGHT: Final = 1e9


def weight(node: Node) -> float:
    """How many digits an expression can hide: those of its numbers, as often as powers multiply them.

    No number this short to write differs from another one by much less than 1 in the 10th power of their weights.
    """
    if node.op == "number":
        return (node.value.numerator.bit_length() + node.value.denominator.bit_length()) * math.log10(2) + 1
    if node.op in ("^", "exp"):
        base = weight(node.args[0]) if node.op == "^" else 1.0
        exponent = node.args[-1]
        return min(base * max(1.0, _size(exponent)) + weight(exponent), LARGEST_WEIGHT)
    return min(1.0 + sum(weight(each) for each in node.args), LARGEST_WEIGHT)


def _size(exponent: Node) -> float:
    if exponent.symbols:
        return UNKNOWN_POWER * weight(exponent)
    try:
        rational = exact(exponent)
    except (Unreadable, Undefined):
        return LARGEST_WEIGHT
    if rational is not None:
        return LARGEST_WEIGHT if abs(rational) > LARGEST_WEIGHT else float(abs(rational))
    value = approximate(exponent)
    return LARGEST_WEIGHT if value is None else min(abs(value), LARGEST_WEIGHT)
