"""Constexpr globals of an answer: literal values, worked out without executing anything."""

from __future__ import annotations

import ast
import math
import operator as op
import re
from collections.abc import Callable, Mapping
from typing import Any

from rftgym_triton_kernels.names import path_of

Literal = float | int | bool | str | None
CONSTANTS = {"pi": math.pi, "e": math.e, "tau": math.tau, "inf": math.inf, "nan": math.nan}
FUNCTIONS: Mapping[str, Callable[[float], float]] = {
    "sqrt": math.sqrt,
    "log": math.log,
    "log2": math.log2,
    "exp": math.exp,
}
OPERATORS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: op.add,
    ast.Sub: op.sub,
    ast.Mult: op.mul,
    ast.Div: op.truediv,
    ast.FloorDiv: op.floordiv,
    ast.Mod: op.mod,
    ast.Pow: op.pow,
}


def constants_of(tree: ast.Module, modules: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """Module-level constexprs with a literal value: canonical source by name."""
    constants: dict[str, str] = {}
    values: dict[str, Literal] = {}
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            annotated = path_of(node.annotation, modules) == ("tl", "constexpr")
            target, value = node.target.id, node.value
        elif (
            isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
        ):
            annotated, target, value = False, node.targets[0].id, node.value
        else:
            continue
        constants.pop(target, None)
        if isinstance(value, ast.Call) and path_of(value.func, modules) == ("tl", "constexpr"):
            if len(value.args) != 1 or value.keywords:
                continue
            annotated, value = True, value.args[0]
        path = path_of(value, modules)
        try:
            literal = _evaluated(value, values)
        except (ValueError, ArithmeticError):
            if annotated and len(path) == 2 and path[0] == "tl" and _is_dtype(path[1]):
                constants[target] = f"{target} = tl.constexpr({'.'.join(path)})"
            continue
        values[target] = literal
        if annotated:
            text = repr(literal) if not _non_finite(literal) else f"float('{literal}')"
            constants[target] = f"{target} = tl.constexpr({text})"
    return constants


def _non_finite(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


_DTYPE = re.compile(r"(u?int(1|8|16|32|64)|float(16|32|64|8\w+)|bfloat16)")


def _is_dtype(name: str) -> bool:
    return _DTYPE.fullmatch(name) is not None


def _evaluated(node: ast.AST, values: Mapping[str, Literal]) -> Literal:
    """The value of an expression over literals, earlier constants and ``math``.

    Raises:
        ValueError: it is something else, or large.
        ArithmeticError: it has no value.
    """
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float | str | None):
        if isinstance(node.value, int) and abs(node.value) > 2**64:
            raise ValueError("not a number of usual size")
        return node.value
    if isinstance(node, ast.Name) and node.id in values:
        return values[node.id]
    if isinstance(node, ast.UnaryOp):
        operand = _number(node.operand, values)
        if isinstance(node.op, ast.USub):
            return -operand
        if isinstance(node.op, ast.UAdd):
            return operand
    if isinstance(node, ast.BinOp):
        return _arithmetic(node.op, _number(node.left, values), _number(node.right, values))
    if (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "math"
        and node.attr in CONSTANTS
    ):
        return CONSTANTS[node.attr]
    if isinstance(node, ast.Call):
        return _called(node, values)
    raise ValueError(type(node).__name__)


def _called(node: ast.Call, values: Mapping[str, Literal]) -> float:
    """``float("inf")``, ``math.log(2)`` and the like."""
    if len(node.args) != 1 or node.keywords:
        raise ValueError("a call")
    (argument,) = node.args
    if isinstance(node.func, ast.Name) and node.func.id == "float" and isinstance(argument, ast.Constant):
        if not isinstance(argument.value, str | int | float):
            raise ValueError("no number")
        return float(argument.value)
    if (
        isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "math"
        and node.func.attr in FUNCTIONS
    ):
        return FUNCTIONS[node.func.attr](_number(argument, values))
    raise ValueError("a call")


def _number(node: ast.AST, values: Mapping[str, Literal]) -> float | int:
    value = _evaluated(node, values)
    if not isinstance(value, int | float) or (isinstance(value, int) and abs(value) > 2**64):
        raise ValueError("not a number of usual size")
    return value


def _arithmetic(operator: ast.operator, left: float, right: float) -> float | int:
    if isinstance(operator, ast.Pow) and (abs(left) > 2**16 or abs(right) > 64):
        raise ValueError("a power of unusual size")
    if (
        isinstance(operator, ast.LShift)
        and isinstance(left, int)
        and isinstance(right, int)
        and 0 <= right <= 64
    ):
        return left << right
    if type(operator) not in OPERATORS:
        raise ValueError(type(operator).__name__)
    value: object = OPERATORS[type(operator)](left, right)
    if not isinstance(value, int | float):
        raise ValueError("complex")
    return value
