"""Values of rational expressions in this process: exact, or modulo a prime; all bounded."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Final

from rftgym_math.expressions import Node, Unreadable

MOST_BITS: Final = 20_000
"""Of the numerator and the denominator of anything that is computed exactly."""
LARGEST_FACTORIAL: Final = 500
MOST_DEGREE: Final = 100_000
PRIME: Final = 2**61 - 1


class Undefined(Exception):
    """There is no such number: a division by zero, 0 to the power of 0, a factorial of what is no natural number."""


def exact(node: Node) -> Fraction | None:
    """The value of an expression if it is rational and can be seen to be; None otherwise.

    Roots of perfect powers are rational; whatever holds an unknown or a constant like pi is taken for irrational.

    Raises:
        Undefined: it has no value.
        Unreadable: it is too large.
    """
    if node.op == "number":
        return node.value
    if node.op not in _EXACT:
        return None
    values = []
    for each in node.args:
        value = exact(each)
        if value is None:
            return None
        values.append(value)
    return _bounded(_EXACT[node.op](*values))


def _bounded(value: Fraction | None) -> Fraction | None:
    if value is not None and max(value.numerator.bit_length(), value.denominator.bit_length()) > MOST_BITS:
        raise Unreadable("a number in it is too large to be computed exactly", "too_large")
    return value


def _sum(*values: Fraction) -> Fraction:
    total = Fraction(0)
    for value in values:
        total += value
        _bounded(total)
    return total


def _product(*values: Fraction) -> Fraction:
    total = Fraction(1)
    for value in values:
        total *= value
        _bounded(total)
    return total


def _inverse(value: Fraction) -> Fraction:
    if not value:
        raise Undefined("a division by zero")
    return 1 / value


def _power(base: Fraction, exponent: Fraction) -> Fraction | None:
    if exponent.denominator != 1:
        if exponent.denominator > 64 or base < 0:
            return None
        root = _root(base, Fraction(exponent.denominator))
        return None if root is None else _power(root, Fraction(exponent.numerator))
    if not base and exponent <= 0:
        raise Undefined("0 to a power that is not above 0")
    if base in (0, 1):
        return base
    if base == -1:
        return base if exponent % 2 else -base
    bits = max(abs(base.numerator), base.denominator).bit_length()
    if abs(exponent) * (bits - 1) > MOST_BITS:
        raise Unreadable("a power in it is too large to be computed exactly", "too_large")
    return base ** int(exponent)


def _root(value: Fraction, degree: Fraction) -> Fraction | None:
    """A root that is rational; None for any other, of negative numbers as well unless the degree is odd."""
    if degree.denominator != 1 or not 1 <= degree <= 64:
        return None
    if value < 0:
        inner = _root(-value, degree) if degree % 2 else None
        return None if inner is None else -inner
    top, bottom = (_whole_root(each, int(degree)) for each in (value.numerator, value.denominator))
    return None if top is None or bottom is None else Fraction(top, bottom)


def _whole_root(value: int, degree: int) -> int | None:
    if value < 2:
        return value
    found = math.isqrt(value) if degree == 2 else _newton(value, degree)
    return found if found**degree == value else None


def _newton(value: int, degree: int) -> int:
    """The largest whole number whose power is not above the value."""
    guess = 1 << -(-value.bit_length() // degree)
    while True:
        better = ((degree - 1) * guess + value // guess ** (degree - 1)) // degree
        if better >= guess:
            return guess
        guess = better


def _factorial(value: Fraction) -> Fraction:
    if value.denominator != 1 or value < 0:
        raise Undefined("a factorial of what is no natural number")
    if value > LARGEST_FACTORIAL:
        raise Unreadable(f"a factorial of more than {LARGEST_FACTORIAL}", "too_large")
    return Fraction(math.factorial(int(value)))


_EXACT: Final[Mapping[str, Callable[..., Fraction | None]]] = {
    "+": _sum,
    "*": _product,
    "neg": lambda value: -value,
    "inv": _inverse,
    "^": _power,
    "abs": abs,
    "sqrt": lambda value: _root(value, Fraction(2)),
    "root": _root,
    "factorial": _factorial,
}


# ---- modulo a prime: whether two rational functions are the same


def degree(node: Node) -> int | None:
    """An upper bound of the degree of a rational function's parts; None where it is none, or beyond `MOST_DEGREE`."""
    if node.op in ("number", "symbol"):
        return int(node.op == "symbol")
    if node.op not in ("+", "*", "neg", "inv", "^"):
        return None
    degrees = [degree(each) for each in node.args[: 1 if node.op == "^" else None]]
    known = [each for each in degrees if each is not None]
    if len(known) < len(degrees):
        return None
    if node.op == "^":
        exponent = exact(node.args[1])
        if exponent is None or exponent.denominator != 1 or abs(exponent) > MOST_DEGREE:
            return None
        total = known[0] * abs(int(exponent))
    else:  # a sum of quotients has the product of their denominators
        total = sum(known)
    return total if total <= MOST_DEGREE else None


def modulo(node: Node, point: Mapping[str, int]) -> int | None:
    """The value of a rational function at a point modulo `PRIME`; None where it has none.

    Args:
        node: whose `degree` is known.
        point: a value for each symbol.
    """
    if node.op == "number":
        bottom = node.value.denominator % PRIME
        return node.value.numerator * pow(bottom, -1, PRIME) % PRIME if bottom else None
    if node.op == "symbol":
        return point[node.name]
    values = []
    for each in node.args[: 1 if node.op == "^" else None]:
        value = modulo(each, point)
        if value is None:
            return None
        values.append(value)
    return _modular(node, values)


def _modular(node: Node, values: list[int]) -> int | None:
    if node.op == "+":
        return sum(values) % PRIME
    if node.op == "neg":
        return -values[0] % PRIME
    if node.op == "inv":
        return pow(values[0], -1, PRIME) if values[0] else None
    if node.op == "^":
        exponent = int(exact(node.args[1]) or 0)
        return pow(values[0], exponent, PRIME) if values[0] or exponent > 0 else None
    total = 1
    for value in values:
        total = total * value % PRIME
    return total
