"""Translates expressions of PyTorch references into Triton's language, operator by operator.

Only what the bundled problems are made of is known: arithmetic, comparisons, `torch.where`, element-wise functions,
and reductions over the last dimension. Anything else raises `Untranslatable`.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Final

from rftgym_triton_kernels.pieces import Piece, Slip, own

FUNCTIONS: Final = {
    "abs": "tl.abs(",
    "ceil": "tl.ceil(",
    "cos": "tl.cos(",
    "erf": "tl.erf(",
    "exp": "tl.exp(",
    "exp2": "tl.exp2(",
    "floor": "tl.floor(",
    "log": "tl.log(",
    "log2": "tl.log2(",
    "maximum": "tl.maximum(",
    "minimum": "tl.minimum(",
    "rsqrt": "tl.rsqrt(",
    "sigmoid": "tl.sigmoid(",
    "sin": "tl.sin(",
    "sqrt": "tl.sqrt(",
    "where": "tl.where(",
}
"""Element-wise functions that both have."""
OWN_FUNCTIONS: Final = {
    "tanh": "return tl.where(tl.abs(x) < 0.1, x - x * x * x / 3.0, 2.0 * tl.sigmoid(2.0 * x) - 1.0)",
    "log1p": "return tl.log(1.0 + x)",
    "expm1": "return tl.exp(x) - 1.0",
    "square": "return x * x",
}
"""Element-wise functions that Triton lacks: bodies of definitions, of a parameter x."""
REDUCTIONS: Final = {
    "sum": ("tl.sum(tl.where(ok, ", ", 0.0), 0)"),
    "mean": ("tl.sum(tl.where(ok, ", ", 0.0), 0) / cols"),
    "amax": ("tl.max(tl.where(ok, ", ', float("-inf")), 0)'),
    "amin": ("tl.min(tl.where(ok, ", ', float("inf")), 0)'),
    "argmax": ("tl.argmax(tl.where(ok, ", ', float("-inf")), 0)'),
    "argmin": ("tl.argmin(tl.where(ok, ", ', float("inf")), 0)'),
}
ALIASES: Final = {"absolute": "abs", "negative": "neg", "clip": "clamp", "special.erf": "erf"}
SWAPPED: Final = {
    " + ": " - ",
    " - ": " + ",
    " * ": " + ",
    " / ": " * ",
    " > ": " < ",
    " < ": " > ",
    " >= ": " <= ",
    " <= ": " >= ",
    "tl.exp(": "tl.log(",
    "tl.log(": "tl.exp(",
    "tl.sqrt(": "tl.rsqrt(",
    "tl.rsqrt(": "tl.sqrt(",
    "tl.abs(": "tl.exp(",
    "tl.sigmoid(": "tl.exp(",
    "tl.maximum(": "tl.minimum(",
    "tl.minimum(": "tl.maximum(",
    "tl.sin(": "tl.cos(",
    "tl.cos(": "tl.sin(",
    "tl.erf(": "tl.exp(",
    "tanh(": "tl.exp(",
    "log1p(": "tl.log(",
    "expm1(": "tl.exp(",
    "square(": "tl.sqrt(",
    "tl.where(": "tl.maximum(",
}
"""What is written for an operator by mistake."""
MISSING: Final = {"tanh": "tl.tanh(", "log1p": "tl.log1p(", "expm1": "tl.expm1(", "square": "tl.square("}
"""Functions which many believe that Triton has."""
BINARY: Final = {ast.Add: (" + ", 11), ast.Sub: (" - ", 11), ast.Mult: (" * ", 12), ast.Div: (" / ", 12)}
COMPARED: Final = {
    ast.Gt: " > ",
    ast.Lt: " < ",
    ast.GtE: " >= ",
    ast.LtE: " <= ",
    ast.Eq: " == ",
    ast.NotEq: " != ",
}


class Untranslatable(ValueError):
    """A reference uses something that these templates don't cover."""


@dataclass(slots=True)
class Translation:
    """An expression in Triton's language.

    Attributes:
        pieces: its text.
        wide: it has one value a column; False: one a row (or one in all).
        tight: how tightly its outermost operator binds, as Python's precedence orders them; 20 needs no parentheses.
        index: it is a position (argmax and argmin).
    """

    pieces: list[Piece]
    wide: bool
    tight: int = 20
    index: bool = False


@dataclass(slots=True)
class Translator:
    """Translates the expressions of one reference.

    Attributes:
        wide: names that hold one value a column (or an element), and those that hold one a row; False for numbers.
        rows: reductions over the last dimension are allowed.
        used: functions of `OWN_FUNCTIONS` that occurred, in order.
    """

    wide: dict[str, bool]
    rows: bool = True
    used: list[str] = field(default_factory=list)

    def expression(self, node: ast.expr) -> Translation:
        """Translate an expression.

        Raises:
            Untranslatable: it holds something unknown.
        """
        match node:
            case ast.Name(id=name) if name in self.wide:
                return Translation([own(name)], self.wide[name])
            case ast.Constant(value=bool()):
                pass
            case ast.Constant(value=int() | float() as value):
                return Translation([own(repr(value))], wide=False)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
                return self._infix(left, *BINARY[type(op)], right)
            case ast.BinOp(left=base, op=ast.Pow(), right=ast.Constant(value=2)):
                return self._call("square", [base])
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in COMPARED:
                return self._infix(left, COMPARED[type(op)], 8, right)
            case ast.Subscript(value=inner) if "None" in ast.unparse(node.slice):
                return self.expression(inner)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                bound = self._bound(self.expression(operand), 13)
                return Translation([Piece("-"), *bound.pieces], bound.wide, 13)
            case ast.Call(func=ast.Attribute(value=base, attr=name)) if _is_torch(base):
                return self._torch(ALIASES.get(name, name), node.args, node.keywords)
            case ast.Call(func=ast.Attribute(value=base, attr=name)):
                return self._torch(ALIASES.get(name, name), [base, *node.args], node.keywords)
        raise Untranslatable(ast.unparse(node))

    def _bound(self, inner: Translation, tight: int) -> Translation:
        """In parentheses where its operator binds less tightly than asked for."""
        if inner.tight >= tight:
            return inner
        return Translation([Piece("("), *inner.pieces, Piece(")")], inner.wide, index=inner.index)

    def _infix(self, left: ast.expr, sign: str, tight: int, right: ast.expr) -> Translation:
        one = self._bound(self.expression(left), tight)
        two = self._bound(self.expression(right), tight + 1)
        return Translation([*one.pieces, operator(sign), *two.pieces], one.wide or two.wide, tight)

    def _torch(self, name: str, args: list[ast.expr], keywords: list[ast.keyword]) -> Translation:
        named = {keyword.arg: keyword.value for keyword in keywords}
        if name in REDUCTIONS and self.rows:
            return self._reduce(name, args, named)
        if name == "clamp":
            return self._clamp(args, named)
        if name == "neg" and len(args) == 1:
            return self.expression(ast.UnaryOp(ast.USub(), args[0]))
        if name == "pow" and len(args) == 2 and isinstance(args[1], ast.Constant) and args[1].value == 2:
            return self._call("square", args[:1])
        if name == "relu" and len(args) == 1:
            return self._listed(
                operator("tl.maximum("), [self.expression(args[0]), Translation([own("0.0")], wide=False)]
            )
        if named or name not in FUNCTIONS | OWN_FUNCTIONS:
            raise Untranslatable(f"{name}()")
        return self._call(name, args)

    def _call(self, name: str, args: list[ast.expr]) -> Translation:
        inner = [self.expression(arg) for arg in args]
        if name in OWN_FUNCTIONS:
            if name not in self.used:
                self.used.append(name)
            slips = [Slip("function", MISSING[name])] if name in MISSING else []
            opening = operator(f"{name}(", *slips)
        else:
            opening = operator(FUNCTIONS[name])
        return self._listed(opening, inner)

    def _listed(self, opening: Piece, inner: list[Translation]) -> Translation:
        pieces = [opening]
        for number, each in enumerate(inner):
            pieces += [Piece(", ")] * (number > 0) + each.pieces
        return Translation([*pieces, Piece(")")], any(each.wide for each in inner))

    def _clamp(self, args: list[ast.expr], named: dict[str | None, ast.expr]) -> Translation:
        low = args[1] if len(args) > 1 else named.get("min")
        high = args[2] if len(args) > 2 else named.get("max")
        result = self.expression(args[0])
        if low is not None and high is not None:
            bounds = [self.expression(low), self.expression(high)]
            pieces = [
                Piece("tl.minimum("),
                Piece("tl.maximum("),
                *result.pieces,
                Piece(", "),
                *bounds[0].pieces,
            ]
            pieces += [Piece(")"), Piece(", "), *bounds[1].pieces, Piece(")")]
            return Translation(pieces, result.wide)
        bound = low if low is not None else high
        if bound is None:
            raise Untranslatable("clamp() without bounds")
        opening = operator("tl.maximum(" if low is not None else "tl.minimum(")
        return self._listed(opening, [result, self.expression(bound)])

    def _reduce(self, name: str, args: list[ast.expr], named: dict[str | None, ast.expr]) -> Translation:
        dim = args[1] if len(args) > 1 else named.get("dim")
        if dim is None or ast.unparse(dim) not in {"-1", "1"}:
            raise Untranslatable(f"{name}() over all or over the first dimension")
        inner = self.expression(args[0])
        if not inner.wide:
            raise Untranslatable(f"{name}() of one value a row")
        opening, closing = REDUCTIONS[name]
        slips = [Slip("axis", closing.replace(", 0)", ", 1)"))]
        if "inf" in closing:
            slips.append(
                Slip("neutral", closing.replace('float("-inf")', "0.0").replace('float("inf")', "0.0"))
            )
        if "cols" in closing:
            slips.append(Slip("divisor", closing.replace("cols", "BLOCK")))
        pieces = [Piece(opening), *inner.pieces, Piece(closing, tuple(slips))]
        return Translation(
            pieces, wide=False, tight=12 if name == "mean" else 20, index=name.startswith("arg")
        )


def operator(text: str, *slips: Slip) -> Piece:
    """An operator, with what is written for it by mistake."""
    swapped = (Slip("operator", SWAPPED[text]),) if text in SWAPPED else ()
    return Piece(text, (*swapped, *slips))


def _is_torch(node: ast.expr) -> bool:
    return ast.unparse(node) in {"torch", "F", "torch.nn.functional", "torch.special"}
