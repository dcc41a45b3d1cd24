"""Tests written as ``assert`` lines, as many collections of programming problems have them.

They are read, never run: a line is taken apart into a call with literal arguments and a literal that it is compared
with. ``assert f(1) == 2``, ``assert f("a") is None``, ``assert not f([])``, ``assert math.isclose(f(2), 1.41)`` and
``assert abs(f(2) - 1.41) < 1e-6`` are understood; so is a ``def check(candidate):`` around them. A tolerance that a
line names counts where it is wider than this environment's own.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from typing import Any, Final

from rftgym.errors import UsageError
from rftgym.sandbox import values
from rftgym.sandbox.functions import Call
from rftgym.syntax import parse
from rftgym_code.testing import Outcome, Test

LONGEST: Final = 1 << 18
_SPECIAL_FLOATS: Final = ("nan", "inf", "-inf", "+inf", "infinity", "-infinity")


class _Refused(Exception):
    """This is not of the shape; the text says why."""


def read_asserts(text: str, entry: str) -> list[Test]:
    """The tests of some lines.

    Args:
        text: the lines.
        entry: name of the function that is called.
    Raises:
        UsageError: names the line, shows it, and says what is understood.
    """
    if len(text) > LONGEST:
        raise UsageError(f"tests of {len(text)} characters; at most {LONGEST}")
    try:
        body = parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        where = f"line {line}: " if line else ""
        raise UsageError(f"tests: {where}not Python ({type(error).__name__})") from error
    try:
        return _tests(body, entry)
    except RecursionError:
        raise UsageError("tests: a line is nested too deep") from None


def _tests(body: list[ast.stmt], entry: str) -> list[Test]:
    names = {entry}
    tests = []
    for statement in _statements(body, names):
        try:
            tests.append(_test(statement, names))
        except (_Refused, ValueError, TypeError, OverflowError, MemoryError) as error:
            shown = (
                ast.unparse(statement)[:80] if isinstance(statement, ast.Assert) else type(statement).__name__
            )
            why = str(error) if isinstance(error, _Refused) else "not made of literals"
            raise UsageError(
                f"tests: line {statement.lineno}: {shown!r}: {why}; a test reads: assert {entry}(1, 'a') == [2]"
            ) from error
    return tests


def _statements(body: list[ast.stmt], names: set[str]) -> Iterator[ast.stmt]:
    """What may be a test, with what stands around tests taken away."""
    for statement in body:
        if (
            isinstance(statement, ast.FunctionDef)
            and statement.name == "check"
            and len(statement.args.args) == 1
        ):
            names.add(statement.args.args[0].arg)
            yield from _statements(statement.body, names)
        elif not _beside_the_point(statement):
            yield statement


def _beside_the_point(statement: ast.stmt) -> bool:
    """An import, the call of ``check``, metadata, or a comment in the guise of a string."""
    if isinstance(statement, ast.Assign):
        return ast.unparse(statement.targets[0]) == "METADATA"
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant) or ast.unparse(statement.value).startswith("check(")
    return isinstance(statement, ast.Import | ast.ImportFrom | ast.Pass)


def _test(statement: ast.stmt, names: set[str]) -> Test:
    if not isinstance(statement, ast.Assert):
        raise _Refused("not an assert")
    call, outcome = _sides(statement.test, names)
    args = tuple(map(_literal, call.args))
    if call.keywords:
        raise _Refused("the call has keyword arguments")
    for value in (*args, outcome.value):
        if not values.plain(values.decode(values.encode(value))):
            raise _Refused("a value that is not plain, or too large")
    return Test(Call(args), (outcome,))


def _sides(test: ast.expr, names: set[str]) -> tuple[ast.Call, Outcome]:
    """The call, and what it has to come to."""
    if _is_call(test, names):
        return _call(test), Outcome(True)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) and _is_call(test.operand, names):
        return _call(test.operand), Outcome(False)
    if isinstance(test, ast.Call) and ast.unparse(test.func) in ("math.isclose", "isclose"):
        return _isclose(test, names)
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        raise _Refused("neither a call nor one comparison")
    left, operator, right = test.left, test.ops[0], test.comparators[0]
    if isinstance(operator, ast.Lt | ast.LtE):
        return _difference(left, right, names)
    if isinstance(operator, ast.Eq) or (isinstance(operator, ast.Is) and isinstance(right, ast.Constant)):
        call, expected = _pair(left, right, names)
        return call, Outcome(expected)
    raise _Refused("compared by something else than ==")


def _isclose(test: ast.Call, names: set[str]) -> tuple[ast.Call, Outcome]:
    """``math.isclose(f(x), value, rel_tol=..., abs_tol=...)``."""
    allowed = {each.arg: _number(each.value) for each in test.keywords}
    if len(test.args) != 2 or not allowed.keys() <= {"rel_tol", "abs_tol"}:
        raise _Refused("isclose takes two numbers, rel_tol and abs_tol")
    call, value = _pair(test.args[0], test.args[1], names)
    expected = float(value)
    tolerance = max(allowed.get("rel_tol", 0.0) * abs(expected), allowed.get("abs_tol", 0.0))
    return call, Outcome(expected, tolerance=tolerance if math.isfinite(tolerance) else 0.0)


def _number(node: ast.expr) -> float:
    value = _literal(node)
    if not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise _Refused("a tolerance is a number from 0 on")
    return float(value)


def _difference(left: ast.expr, right: ast.expr, names: set[str]) -> tuple[ast.Call, Outcome]:
    """``abs(f(x) - value) < tolerance``."""
    inner = (
        left.args[0] if isinstance(left, ast.Call) and ast.unparse(left.func) == "abs" and left.args else None
    )
    if not isinstance(inner, ast.BinOp) or not isinstance(inner.op, ast.Sub):
        raise _Refused("compared by something else than ==")
    call, expected = _pair(inner.left, inner.right, names)
    return call, Outcome(float(expected), tolerance=_number(right))


def _pair(left: ast.expr, right: ast.expr, names: set[str]) -> tuple[ast.Call, Any]:
    if _is_call(left, names):
        return _call(left), _literal(right)
    if _is_call(right, names):
        return _call(right), _literal(left)
    raise _Refused("neither side calls the function directly")


def _is_call(node: ast.expr, names: set[str]) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in names


def _call(node: ast.expr) -> ast.Call:
    if not isinstance(node, ast.Call):
        raise _Refused("not a call")
    return node


def _literal(node: ast.expr) -> Any:
    """The value of a literal; ``float("inf")`` and its like are taken for one."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "float" and len(node.args) == 1:
        text = ast.literal_eval(node.args[0])
        if isinstance(text, str) and text.lower() in _SPECIAL_FLOATS:
            return float(text)
    return ast.literal_eval(node)
