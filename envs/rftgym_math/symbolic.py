"""What runs in the sandbox: sympy evaluates two expressions to many digits, at many points where they hold unknowns.

The trees come from our own parser; no text is ever given to sympy. How many digits: several times as many as both
expressions could hide, so that no answer agrees by having been written down to enough places (see `floats.weight`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from random import Random
from typing import Any

POINTS = 8
LOOKED_AT = 48
"""Points that are tried until `POINTS` of them lie where the accepted answer is a real number."""


def preload() -> None:
    """Import sympy, and let it make what it makes on first use."""
    sympy = _sympy()
    (sympy.sqrt(2) + sympy.sin(1)).evalf(30)


def equal(header: Mapping[str, Any], blobs: Sequence[Any]) -> tuple[dict[str, Any], tuple[bytes, ...]]:
    """Whether two expressions are the same: a job of the sandbox.

    Args:
        header: "gold" and "answer", trees as of `Node.as_json`; "digits" to compare; "seed" of the points; "tolerance"
            (a fraction as text), or "" to compare exactly.
        blobs: none.
    Returns:
        {"equal": True, False, or None where one of them has no value}.
    """
    sympy = _sympy()
    gold, answer = (_built(header[name], sympy) for name in ("gold", "answer"))
    unknowns = sorted(gold.free_symbols | answer.free_symbols, key=str)
    digits = int(header["digits"])
    if not unknowns:
        return {"equal": _close(gold, answer, digits, header["tolerance"], sympy)}, ()
    rng, agreed = Random(header["seed"]), 0
    for _ in range(LOOKED_AT):
        point = {each: sympy.Rational(rng.randint(-4000, 6000), rng.randint(700, 1300)) for each in unknowns}
        left, right = gold.subs(point), answer.subs(point)
        if not _real(left, sympy):
            continue  # outside of where the accepted answer is defined, nothing is asked of another
        if _close(left, right, digits, header["tolerance"], sympy) is not True:
            return {"equal": False}, ()
        agreed += 1
        if agreed == POINTS:
            return {"equal": True}, ()
    return {"equal": None}, ()


def _sympy() -> Any:
    """The library: a second to import, so only here, in the sandbox."""
    import sympy  # type: ignore[import-untyped]

    return sympy


def _real(value: Any, sympy: Any) -> bool:
    number = value.evalf(20)
    return bool(number.is_number and number.is_finite and abs(sympy.im(number)) < 1e-15)


def _close(gold: Any, answer: Any, digits: int, tolerance: str, sympy: Any) -> bool | None:
    """Whether two numbers agree to so many digits; None where one of them is none."""
    one, other = gold.evalf(digits + 10), answer.evalf(digits + 10)
    if not all(each.is_number and each.is_finite for each in (one, other)):
        return None
    apart, size = abs(one - other), max(abs(one), 1)
    allowed = sympy.Rational(tolerance) if tolerance else sympy.Rational(1, 10**digits)
    return bool(apart <= allowed * size if not tolerance else apart <= allowed)


def _built(tree: Sequence[Any], sympy: Any) -> Any:
    op, text, args = tree
    if op == "number":
        value = Fraction(text)
        return sympy.Rational(value.numerator, value.denominator)
    if op == "symbol":
        return sympy.Symbol("u_" + text)
    if op == "constant":
        return {"pi": sympy.pi, "e": sympy.E, "i": sympy.I, "oo": sympy.oo}[text]
    values = [_built(each, sympy) for each in args]
    if op == "log" and len(values) == 1:
        values.append(sympy.Integer(10))
    makers = {
        "+": sympy.Add,
        "*": sympy.Mul,
        "neg": lambda value: -value,
        "inv": lambda value: sympy.Pow(value, -1),
        "^": lambda base, exponent: sympy.Pow(base, exponent, evaluate=False),
        "root": _root,
        "ln": sympy.log,
        "arcsin": sympy.asin,
        "arccos": sympy.acos,
        "arctan": sympy.atan,
        "abs": sympy.Abs,
    }
    maker = makers.get(op) or getattr(
        sympy, op
    )  # ops are a closed set: the parser makes them, the judge checks them
    return maker(*values)


def _root(value: Any, degree: Any) -> Any:
    sympy = _sympy()
    return sympy.real_root(value, degree) if degree.is_odd and value.is_real else sympy.root(value, degree)
