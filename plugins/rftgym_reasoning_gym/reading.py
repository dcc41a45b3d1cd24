"""Reading hostile answers as arithmetic, polynomials, terms and lists, without evaluating anything.

Some scorers of reasoning-gym hand an answer to ``eval``, or to sympy, which does. What passes
here can do no harm there.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection
from fractions import Fraction
from typing import Any, Final

from rftgym.syntax import parse_expression

FUNCTIONS: Final = frozenset(
    {
        "Abs", "acos", "acosh", "acot", "asin", "asinh", "atan", "atanh", "cos", "cosh", "cot", "csc", "exp", "ln",
        "log", "sec", "sin", "sinh", "sqrt", "tan", "tanh",
    }
)  # fmt: skip
"""What a term may call: nothing that integrates or differentiates by itself."""
LARGEST_EXPONENT: Final = 64
_LARGE: Final = re.compile(r"[0-9.][eE][+-]?[0-9_]{3}")
_SIGNS: Final = (ast.UAdd, ast.USub)
_FOUR: Final = (ast.Add, ast.Sub, ast.Mult, ast.Div)


class Unreadable(Exception):
    """The answer is not of the form that was asked for; says why."""


def tree(answer: str, longest: int) -> ast.expr:
    """The syntax of an expression.

    Raises:
        Unreadable: it is none, or longer than ``longest`` characters.
    """
    if len(answer) > longest:
        raise Unreadable(f"longer than {longest} characters")
    if _LARGE.search(answer):
        raise Unreadable("a number with a large exponent")  # sympy would write it out
    try:
        return parse_expression(answer.strip())
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise Unreadable("no expression") from error


def arithmetic(answer: str, longest: int = 200) -> Fraction:
    """The exact value of whole numbers joined by ``+ - * /`` and parentheses.

    Raises:
        Unreadable: there is anything else in it, or it has no value.
    """
    try:
        return _value(tree(answer, longest))
    except ZeroDivisionError as error:
        raise Unreadable("a division by zero") from error


def _value(node: ast.expr) -> Fraction:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return Fraction(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, _SIGNS):
        value = _value(node.operand)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp) and isinstance(node.op, _FOUR):
        left, right = _value(node.left), _value(node.right)
        if isinstance(node.op, ast.Add):
            return left + right
        if isinstance(node.op, ast.Sub):
            return left - right
        return left * right if isinstance(node.op, ast.Mult) else left / right
    raise Unreadable("only whole numbers, + - * / and parentheses are asked for")


def literal(answer: str, longest: int) -> None:
    """Whether it is a list or tuple of numbers and strings, perhaps nested.

    Raises:
        Unreadable: it is anything else.
    """
    node = tree(answer, longest)
    if not isinstance(node, ast.List | ast.Tuple):
        raise Unreadable("no list")
    for each in ast.walk(node):
        if not isinstance(each, ast.List | ast.Tuple | ast.Constant | ast.UnaryOp | ast.USub | ast.Load):
            raise Unreadable("no plain list")


def polynomial(answer: str, names: Collection[str], longest: int = 2000) -> None:
    """Whether it is a sum of products of numbers and powers of ``names``, all multiplied out.

    Raises:
        Unreadable: it is anything else.
    """
    _sum(tree(answer, longest), names)


def _sum(node: ast.expr, names: Collection[str]) -> None:
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        _product(node.right, names)
        node = node.left
    _product(node, names)


def _product(node: ast.expr, names: Collection[str]) -> None:
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        _factor(node.right, names)
        node = node.left
    _factor(node, names)


def _factor(node: ast.expr, names: Collection[str]) -> None:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, _SIGNS):
        _product(node.operand, names)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        exponent = node.right.value if isinstance(node.right, ast.Constant) else None
        if not (isinstance(node.left, ast.Name) and type(exponent) is int and exponent <= LARGEST_EXPONENT):
            raise Unreadable("no polynomial that is multiplied out")
        _factor(node.left, names)
    elif not (_number(node) or (isinstance(node, ast.Name) and node.id in names)):
        raise Unreadable("no polynomial that is multiplied out")


def _number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def term(answer: str, names: Collection[str], longest: int = 2000) -> None:
    """Whether it consists of numbers, ``names``, ``+ - * / **`` and :data:`FUNCTIONS`.

    Raises:
        Unreadable: there is anything else in it.
    """
    for node in ast.walk(tree(answer, longest)):
        test = _TERM.get(type(node))
        if test is None or not test(node, names):
            raise Unreadable("only numbers, the variable, + - * / ** and the usual functions are asked for")
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and _towers(node.right):
            raise Unreadable(f"no exponent above {LARGEST_EXPONENT} is asked for")


def _towers(exponent: ast.expr) -> bool:
    """Whether an exponent is, or holds, a number that would take long to raise anything to."""
    for node in ast.walk(exponent):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, int | float)
            and node.value > LARGEST_EXPONENT
        ):
            return True
        named = any(isinstance(each, ast.Name) for each in ast.walk(node))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and not named:
            return True
    return False


_TERM: Final[dict[type, Callable[[Any, Collection[str]], bool]]] = {
    ast.Constant: lambda node, names: _number(node),
    ast.Name: lambda node, names: node.id in names or node.id in FUNCTIONS,
    ast.Call: lambda node, names: (
        isinstance(node.func, ast.Name)
        and node.func.id in FUNCTIONS
        and not node.keywords
        and len(node.args) in (1, 2)
    ),
    ast.BinOp: lambda node, names: True,
    ast.UnaryOp: lambda node, names: True,
    **{kind: lambda node, names: True for kind in (*_FOUR, *_SIGNS, ast.Pow, ast.Load)},
}
