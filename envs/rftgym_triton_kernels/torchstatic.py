"""Reads, without running it, what a file of the nn.Module sort says about sizes and inputs.

Understood are module-level sizes, arithmetic on them, and inputs drawn by ``torch.rand`` and its like, moved and scaled
by numbers. Anything else raises `CannotTell` with the reason.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

DTYPES: Final = {
    "float64": "float64",
    "double": "float64",
    "float32": "float32",
    "float": "float32",
    "float16": "float16",
    "half": "float16",
    "bfloat16": "bfloat16",
    "int64": "int64",
    "long": "int64",
    "int32": "int32",
    "int": "int32",
    "int16": "int16",
    "int8": "int8",
    "uint8": "uint8",
    "bool": "bool",
}
NUMERIC: Final[Mapping[type, Callable[[Any, Any], Any]]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.FloorDiv: lambda a, b: a // b,
    ast.Mod: lambda a, b: a % b,
    ast.Pow: lambda a, b: a**b,
}
BUILTINS: Final[Mapping[str, Callable[..., Any]]] = {
    "int": int,
    "float": float,
    "len": len,
    "max": max,
    "min": min,
    "tuple": tuple,
    "list": list,
}
UNCHANGED: Final = ("cuda", "cpu", "contiguous", "clone", "detach", "requires_grad_")
LARGEST_POWER: Final = 64
MOST_REPEATS: Final = 16


class CannotTell(ValueError):
    """The file says it in a way that is not understood; the message says which."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A random tensor: ``value * scale + offset``, see `rftgym_triton_kernels.problems.TensorArgument`."""

    shape: tuple[int, ...]
    dtype: str = "float32"
    kind: str = "normal"
    scale: float = 1.0
    offset: float = 0.0
    high: int = 10

    def specification(self) -> dict[str, Any]:
        """As an argument of a case."""
        said: dict[str, Any] = {"shape": list(self.shape), "dtype": self.dtype}
        if self.kind not in {"normal", "integers"}:
            said["kind"] = self.kind
        if self.kind == "integers":
            said["high"] = self.high
        if self.scale != 1:
            said["scale"] = self.scale
        if self.offset:
            said["offset"] = self.offset
        return said


@dataclass(frozen=True, slots=True)
class Static:
    """Evaluates expressions over known names.

    Attributes:
        names: what is known.
        literal: what becomes of a size that is written out as a number.
    """

    names: dict[str, Any]
    literal: Callable[[int], int] = int

    def value(self, node: ast.expr) -> Any:
        """The value of an expression: a number, text, tuple, or a `Drawn`.

        Raises:
            CannotTell: it is not understood.
        """
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name) if name in self.names:
                return self.names[name]
            case ast.Tuple(elts=items) | ast.List(elts=items):
                return tuple(self._listed(items))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._scaled(self.value(operand), ast.Mult(), -1)
            case ast.BinOp(left=left, op=op, right=right):
                return self._binary(self.value(left), op, self.value(right))
            case ast.Subscript(value=base, slice=index):
                return self._item(self.value(base), self.value(index))
            case ast.Attribute(value=ast.Name(id="torch"), attr=name) if name in DTYPES:
                return DTYPES[name]
            case ast.Attribute(value=ast.Name(id="self"), attr=name) if f"self.{name}" in self.names:
                return self.names[f"self.{name}"]
            case (
                ast.Attribute(value=base, attr="shape")
                | ast.Call(func=ast.Attribute(value=base, attr="size"), args=[])
            ):
                return self._shape(self.value(base))
            case ast.Call(func=ast.Name(id=name), args=args) if name in BUILTINS:
                return self._builtin(name, self._listed(args))
            case ast.Call(func=ast.Attribute(value=ast.Name(id="torch"), attr=name)):
                return self._drawn(name, node)
            case ast.Call(func=ast.Attribute(value=ast.Call(), attr="sample"), args=[size]):
                return Drawn(
                    self._sizes([size]), kind="uniform"
                )  # of a distribution: any positive numbers will do
            case ast.Call(func=ast.Attribute(value=base, attr=name), args=args):
                return self._method(self.value(base), name, args)
        raise CannotTell(f"`{_short(node)}` is not understood")

    def _listed(self, nodes: Iterable[ast.expr]) -> list[Any]:
        values: list[Any] = []
        for each in nodes:
            if isinstance(each, ast.Starred):
                values += self.value(each.value)
            else:
                values.append(self.value(each))
        return values

    def _shape(self, value: Any) -> tuple[int, ...]:
        if not isinstance(value, Drawn):
            raise CannotTell(f"the shape of {value!r}")
        return value.shape

    def _item(self, base: Any, index: Any) -> Any:
        try:
            return base[index]
        except (TypeError, LookupError) as error:
            raise CannotTell(f"[{index!r}] of {base!r}") from error

    def _builtin(self, name: str, values: Sequence[Any]) -> Any:
        try:
            return BUILTINS[name](*values)
        except (TypeError, ValueError) as error:
            raise CannotTell(f"{name}{tuple(values)}") from error

    def _binary(self, left: Any, op: ast.operator, right: Any) -> Any:
        if isinstance(left, Drawn) and isinstance(right, Drawn):
            if isinstance(op, ast.Mult) and not (left.shape and right.shape):
                return left if left.shape else right  # one random number as a factor
            raise CannotTell("an input is computed from random tensors")
        if isinstance(left, Drawn):
            return self._scaled(left, op, right)
        if isinstance(right, Drawn):
            if isinstance(op, ast.Add | ast.Mult):
                return self._scaled(right, op, left)
            if isinstance(op, ast.Sub):
                return self._scaled(self._scaled(right, ast.Mult(), -1), ast.Add(), left)
            raise CannotTell("an input is computed from random tensors")
        if isinstance(left, tuple) and isinstance(right, int) and right > MOST_REPEATS:
            raise CannotTell(f"a list {right} times")
        if type(op) not in NUMERIC or (isinstance(op, ast.Pow) and not 0 <= right <= LARGEST_POWER):
            raise CannotTell(f"operator {type(op).__name__}")
        try:
            return NUMERIC[type(op)](left, right)
        except (TypeError, ArithmeticError) as error:
            raise CannotTell(f"{left!r} and {right!r} under {type(op).__name__}") from error

    def _scaled(self, value: Any, op: ast.operator, by: Any) -> Any:
        """A random tensor times, over, plus or minus a number."""
        if not isinstance(value, Drawn):
            return NUMERIC[type(op)](value, by)
        if not isinstance(by, int | float) or value.kind == "integers":
            raise CannotTell("an input is computed from random tensors")
        match op:
            case ast.Mult():
                return replace(value, scale=value.scale * by, offset=value.offset * by)
            case ast.Div():
                return replace(value, scale=value.scale / by, offset=value.offset / by)
            case ast.Add():
                return replace(value, offset=value.offset + by)
            case ast.Sub():
                return replace(value, offset=value.offset - by)
        raise CannotTell(f"operator {type(op).__name__} on a random tensor")

    def _drawn(self, name: str, call: ast.Call) -> Any:
        """A tensor that torch draws or fills."""
        named = {keyword.arg: keyword.value for keyword in call.keywords}
        dtype = self.value(named["dtype"]) if "dtype" in named else "float32"
        sizes = [named["size"]] if "size" in named else call.args
        if name in {"rand", "randn"}:
            return Drawn(self._sizes(sizes), dtype, "uniform" if name == "rand" else "normal")
        if name in {"ones", "zeros"}:
            return Drawn(self._sizes(sizes), dtype, scale=0.0, offset=float(name == "ones"))
        if name == "randint":
            return self._integers(call, named)
        raise CannotTell(f"an input is made by torch.{name}()")

    def _integers(self, call: ast.Call, named: Mapping[str | None, ast.expr]) -> Drawn:
        *bounds, size = [*call.args, *(named[key] for key in ("low", "high", "size") if key in named)]
        values = [self.value(each) for each in bounds]
        low, high = (0, *values) if len(values) == 1 else values
        dtype = self.value(named["dtype"]) if "dtype" in named else "int64"
        return Drawn(self._sizes([size]), dtype, "integers", offset=float(low), high=max(1, high - low))

    def _sizes(self, nodes: Sequence[ast.expr]) -> tuple[int, ...]:
        """A shape: sizes one by one, or in one tuple."""
        if len(nodes) == 1 and isinstance(nodes[0], ast.Tuple | ast.List):
            nodes = nodes[0].elts
        shape: list[Any] = []
        for each in nodes:
            if isinstance(each, ast.Constant) and isinstance(each.value, int):
                shape.append(self.literal(each.value))
                continue
            found = self.value(each.value if isinstance(each, ast.Starred) else each)
            shape += found if isinstance(found, tuple | list) else [found]
        if not all(type(size) is int and size >= 0 for size in shape):
            raise CannotTell(f"{shape} is no shape")
        return tuple(shape)

    def _method(self, base: Any, name: str, args: Sequence[ast.expr]) -> Any:
        if not isinstance(base, Drawn):
            raise CannotTell(f".{name}() is not understood")
        if name in UNCHANGED:
            return base
        if name == "to":
            wanted = self.value(args[0]) if args else None
            return self._cast(base, wanted) if wanted in ITEM_TYPES else base
        if name in DTYPES:
            return self._cast(base, DTYPES[name])
        raise CannotTell(f"an input is made by .{name}()")

    def _cast(self, base: Drawn, dtype: str) -> Drawn:
        if base.kind == "integers" and (dtype.startswith(("float", "bfloat")) or dtype == "bool"):
            if base.high != 2 or (dtype == "bool" and base.offset):
                raise CannotTell(f"an input of integers is cast to {dtype}")
            return replace(base, dtype=dtype, kind="mask")
        return replace(base, dtype=dtype)


ITEM_TYPES: Final = frozenset(DTYPES.values())


def executed(body: Sequence[ast.stmt], static: Static) -> Any:
    """What a function's body returns, statement by statement.

    Raises:
        CannotTell: a statement is not understood, or there is no return.
    """
    for statement in body:
        match statement:
            case ast.Expr(value=ast.Constant()) | ast.Pass():
                continue
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                static.names[name] = static.value(value)
            case ast.Return(value=ast.expr() as value):
                return static.value(value)
            case _:
                raise CannotTell(f"`{_short(statement)}` is not understood")
    raise CannotTell("nothing is returned")


def names_in(node: ast.AST) -> set[str]:
    """The names that are read in a piece of source."""
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}


def product(shape: Iterable[int]) -> int:
    """How many elements a shape has."""
    return math.prod(shape)


def _short(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
