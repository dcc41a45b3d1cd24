"""Runs references of the plain sort with numpy.

Of the plain sort are assignments and a return, arithmetic, element-wise torch functions, and reductions over the last
dimension. Nothing is executed, so a source need not be trusted, and torch is not needed.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rftgym.syntax import parse

Array = NDArray[Any]
Observer = Callable[[Any, Sequence[Any]], None]
"""Told of each operation: its value and its operands."""

_erf = np.vectorize(math.erf, otypes=[np.float64])


def _like(x: Any, values: Any) -> Any:
    return np.asarray(values).astype(np.asarray(x).dtype)


ELEMENTWISE: Final[Mapping[str, Callable[..., Any]]] = {
    "abs": np.abs,
    "cos": np.cos,
    "erf": lambda x: _like(x, _erf(x)) if np.size(x) else x,
    "exp": np.exp,
    "exp2": np.exp2,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "log2": np.log2,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "neg": np.negative,
    "reciprocal": lambda x: 1 / x,
    "relu": lambda x: np.maximum(x, 0),
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "sin": np.sin,
    "sqrt": np.sqrt,
    "square": np.square,
    "tanh": np.tanh,
    "where": np.where,
}
REDUCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "amax": np.max,
    "amin": np.min,
    "argmax": np.argmax,
    "argmin": np.argmin,
    "mean": np.mean,
    "sum": np.sum,
}
OPERATORS: Final[Mapping[type, Callable[..., Any]]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
    ast.Gt: lambda a, b: a > b,
    ast.Lt: lambda a, b: a < b,
    ast.GtE: lambda a, b: a >= b,
    ast.LtE: lambda a, b: a <= b,
}


class NotPlain(ValueError):
    """The reference uses something that is not of the plain sort."""


def run(source: str, name: str, arguments: Sequence[Array | float], observe: Observer | None = None) -> Array:
    """The result of a reference; computed in the arrays' own dtype.

    Args:
        source: defines the function.
        name: of the function.
        arguments: by position, one for each parameter.
        observe: is called after each operation.

    Raises:
        NotPlain: the source holds something unknown.
    """
    function = _function(source, name)
    names = [parameter.arg for parameter in function.args.args]
    if len(names) != len(arguments):
        raise NotPlain(f"{len(arguments)} arguments for {len(names)} parameters")
    scope: dict[str, Any] = dict(zip(names, arguments, strict=True))
    with np.errstate(all="ignore"):
        for statement in function.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=target)], value=value):
                    scope[target] = _value(value, scope, observe)
                case ast.Return(value=ast.expr() as value):
                    return np.asarray(_value(value, scope, observe))
                case _:
                    raise NotPlain(ast.unparse(statement))
    raise NotPlain("no return")


@lru_cache(maxsize=64)
def _function(source: str, name: str) -> ast.FunctionDef:
    for statement in parse(source).body:
        if isinstance(statement, ast.FunctionDef) and statement.name == name:
            return statement
    raise NotPlain(f"no function {name!r}")


def _value(node: ast.expr, scope: Mapping[str, Any], observe: Observer | None) -> Any:
    named: dict[str, Any] = {}
    function: Callable[..., Any]
    match node:
        case ast.Name(id=name) if name in scope:
            return scope[name]
        case ast.Constant(value=int() | float() as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            nodes, function = [operand], np.negative
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            nodes, function = [left, right], OPERATORS[type(op)]
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in OPERATORS:
            nodes, function = [left, right], OPERATORS[type(op)]
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id="torch"), attr=name), args=nodes, keywords=keywords
        ):
            named = {keyword.arg or "": _value(keyword.value, scope, None) for keyword in keywords}
            function = _torch(name)
        case _:
            raise NotPlain(ast.unparse(node))
    operands = [_value(each, scope, observe) for each in nodes]
    try:
        result = function(*operands, **named)
    except TypeError as error:
        raise NotPlain(ast.unparse(node)) from error
    if observe is not None:
        observe(result, operands)
    return result


def _torch(name: str) -> Callable[..., Any]:
    """The function of torch's name."""
    if name == "clamp":
        return _clamp
    if name in REDUCTIONS:
        return _reduction(REDUCTIONS[name])
    if name not in ELEMENTWISE:
        raise NotPlain(f"torch.{name}")
    return ELEMENTWISE[name]


def _clamp(x: Any, min: Any = None, max: Any = None) -> Any:  # noqa: A002  # torch's names
    limited = x if min is None else np.maximum(x, min)
    return limited if max is None else np.minimum(limited, max)


def _reduction(function: Callable[..., Any]) -> Callable[..., Any]:
    def reduced(x: Any, *, dim: int, keepdim: bool = False) -> Any:
        if dim != -1:
            raise NotPlain(f"dim={dim}")
        return function(x, axis=-1, keepdims=bool(keepdim))

    return reduced
