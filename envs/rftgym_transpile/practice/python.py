"""Practice methods written as Python that means what the Java means, with the slips that a translator is told to make.

What is written for what: `a / b` on numbers of 0 or more is `a // b`, and `int(a / b)` elsewhere, which is exact for
any two ints of 32 bits; `a % b` there is `a - int(a / b) * b`. Products collected in a loop are brought back into the
range of their type. Everything else is small enough in practice methods not to leave it.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Final

from rftgym_transpile.practice import syntax as s
from rftgym_transpile.practice.java import literal as java_literal

LOOSEST: Final = 0
TERNARY, OR, AND, NOT, COMPARISON, BITS, SUM, PRODUCT, UNARY, ATOM = range(1, 11)
BINDING: Final = {"+": SUM, "-": SUM, "*": PRODUCT, "//": PRODUCT, "/": PRODUCT, "%": PRODUCT}
METHODS: Final = {
    "startsWith": "startswith",
    "endsWith": "endswith",
    "indexOf": "find",
    "toUpperCase": "upper",
    "toLowerCase": "lower",
    "isDigit": "isdigit",
    "isLetter": "isalpha",
    "isUpperCase": "isupper",
    "isLowerCase": "islower",
}
JAVA_METHODS: Final = ("equals", "contains", "substring", "isEmpty", "startsWith", "endsWith", "indexOf")
EXCEPTIONS: Final = {
    "IllegalArgumentException": "ValueError",
    "IllegalStateException": "RuntimeError",
    "ArithmeticException": "ArithmeticError",
}
SLIPS: Final = (
    "signature",  # types stay in the parameter list
    "result",  # the last `return` is left out
    "division",  # `/` is kept, which divides into fractions
    "negatives",  # `//` and `%` round down where Java rounds towards zero
    "bound",  # the end of a range is off by one
    "start",  # a range starts at 0 whatever it should start at
    "logic",  # `&&`, `||` and `!` are kept
    "words",  # true, false and null are kept
    "increment",  # `++` is kept
    "length",  # `.length` is kept
    "letters",  # `.charAt(i)` is kept
    "codes",  # characters are calculated with as if they were numbers
    "joining",  # a number is added to a text
    "choice",  # `c ? a : b` is kept
    "functions",  # `Math.max` and methods of String are kept
    "ladder",  # `else if` is kept
    "depth",  # the last statement stands inside the loop before it
    "range",  # a product that leaves the range of its type is not brought back
    "declaration",  # types stay at local variables
    "raising",  # `throw new` is kept
)
"""Kinds of slips that `write` knows."""


def write(method: s.Method, slips: Collection[str] = ()) -> str:
    """The method as Python text.

    Args:
        method: what to write.
        slips: kinds of slips (see `SLIPS`) to make at every place where they can happen.
    """
    return _Writer(method, frozenset(slips)).function()


class _Writer:
    """Writes the parts of one function."""

    def __init__(self, method: s.Method, slips: frozenset[str]) -> None:
        self._method = method
        self._slips = slips

    def function(self) -> str:
        """The whole function."""
        typed = "signature" in self._slips
        parameters = ", ".join(f"{p.type} {p.name}" if typed else p.name for p in self._method.parameters)
        return "\n".join([f"def {self._method.name}({parameters}):", *self._body()])

    def _body(self) -> list[str]:
        body = self._method.body
        last = body[-1] if body else None
        lines = self._block(body[:-1] if isinstance(last, s.Return) else body, 1)
        if not isinstance(last, s.Return):
            return lines
        value = self.expr(last.value)
        inside = (
            "depth" in self._slips and len(body) > 1 and isinstance(body[-2], s.While | s.For | s.ForEach)
        )
        return [
            *lines,
            f"{'    ' * (2 if inside else 1)}{value if 'result' in self._slips else f'return {value}'}",
        ]

    # ---- statements

    def _block(self, body: s.Block, depth: int) -> list[str]:
        return [line for statement in body for line in self._statement(statement, depth)]

    def _statement(self, node: s.Statement, depth: int) -> list[str]:
        pad = "    " * depth
        match node:
            case s.If():
                return self._if(node, depth)
            case s.While(condition=condition, body=body):
                return [f"{pad}while {self.expr(condition)}:", *self._block(body, depth + 1)]
            case s.For():
                return [
                    f"{pad}for {node.var.name} in {self._range(node)}:",
                    *self._block(node.body, depth + 1),
                ]
            case s.ForEach(var=var, over=over, body=body):
                return [f"{pad}for {var.name} in {over.name}:", *self._block(body, depth + 1)]
            case _:
                return [pad + self._simple(node)]

    def _simple(self, node: s.Statement) -> str:
        match node:
            case s.Declare(var=var, value=value):
                kind = f"{var.type} " if "declaration" in self._slips else ""
                return f"{kind}{var.name} = {self.expr(value)}"
            case s.Assign():
                return self._assign(node)
            case s.Step(target=target, op=op):
                kept = "increment" in self._slips
                return f"{self.expr(target)}{op}" if kept else f"{self.expr(target)} {op[0]}= 1"
            case s.Append(builder=builder, value=value, kind=kind):
                return f"{builder.name} += {self._as_text(value, kind)}"
            case s.Return(value=value):
                return f"return {self.expr(value)}"
            case s.Throw(exception=exception, message=message):
                if "raising" in self._slips:
                    return f"throw new {exception}({json.dumps(message)})"
                return f"raise {EXCEPTIONS[exception]}({json.dumps(message)})"
            case s.Jump(word=word):
                return word
            case _:
                raise TypeError(f"not a simple statement: {type(node).__name__}")

    def _assign(self, node: s.Assign) -> str:
        target, sign = self.expr(node.target), node.op.removesuffix("=")
        if node.wraps and "range" not in self._slips:
            whole = s.Binary(sign, node.target, node.value) if sign else node.value
            half = 63 if isinstance(node.target, s.Var) and node.target.type == "long" else 31
            return f"{target} = ({self.expr(whole)} + 2**{half}) % 2**{half + 1} - 2**{half}"
        if sign in ("/", "%"):
            natural = isinstance(node.target, s.Var) and node.target.natural
            if not natural and not {"division", "negatives"} & self._slips:
                return f"{target} = {self.expr(s.Binary(sign, node.target, node.value))}"
            op = "//" if sign == "/" and "division" not in self._slips else sign
            return f"{target} {op}= {self.expr(node.value)}"
        return f"{target} {node.op} {self.expr(node.value)}"

    def _if(self, node: s.If, depth: int) -> list[str]:
        pad, lines = "    " * depth, list[str]()
        further = "else if" if "ladder" in self._slips else "elif"
        for place, (condition, body) in enumerate(node.branches):
            lines.append(f"{pad}{further if place else 'if'} {self.expr(condition)}:")
            lines += self._block(body, depth + 1)
        if node.otherwise:
            lines += [f"{pad}else:", *self._block(node.otherwise, depth + 1)]
        return lines

    def _range(self, node: s.For) -> str:
        start, end = node.start, node.end
        if node.op in ("<=", ">=") and "bound" not in self._slips:
            end = _moved(end, 1 if node.op == "<=" else -1)
        if node.step < 0:
            return f"range({self.expr(start)}, {self.expr(end)}, {node.step})"
        from_zero = "start" in self._slips or (isinstance(start, s.Constant) and start.value == 0)
        if node.step == 1:
            return f"range({self.expr(end)})" if from_zero else f"range({self.expr(start)}, {self.expr(end)})"
        return f"range({0 if from_zero else self.expr(start)}, {self.expr(end)}, {node.step})"

    # ---- expressions

    def expr(self, node: s.Expr, least: int = LOOSEST) -> str:
        """An expression, in parentheses where it binds less than `least`."""
        text, binding = self._bound(node)
        return f"({text})" if binding < least else text

    def _bound(self, node: s.Expr) -> tuple[str, int]:
        match node:
            case s.Var(name=name):
                return name, ATOM
            case s.Constant():
                return self._constant(node)
            case s.Limit(name=name):
                return ("2**31 - 1", SUM) if name == "MAX_VALUE" else ("-2**31", UNARY)
            case s.Element(array=array, index=index):
                return f"{array.name}[{self.expr(index)}]", ATOM
            case s.NewArray(size=size):
                return f"[0] * {self.expr(size, UNARY)}", PRODUCT
            case s.Negated(operand=operand):
                return f"-{self.expr(operand, ATOM)}", UNARY
            case s.Not(operand=operand):
                if "logic" in self._slips:
                    return f"!{self.expr(operand, ATOM)}", UNARY
                return f"not {self.expr(operand, NOT)}", NOT
            case s.Binary():
                return self._binary(node)
            case s.Compared(op=op, left=left, right=right):
                return self._compared(op, left, right), COMPARISON
            case s.Logical(op=op, left=left, right=right):
                level = AND if op == "&&" else OR
                word = op if "logic" in self._slips else ("and" if op == "&&" else "or")
                return f"{self.expr(left, level)} {word} {self.expr(right, level + 1)}", level
            case s.Choice(condition=condition, then=then, other=other):
                parts = (self.expr(then, OR), self.expr(condition, OR), self.expr(other, OR))
                if "choice" in self._slips:
                    return f"{parts[1]} ? {parts[0]} : {parts[2]}", TERNARY
                return f"{parts[0]} if {parts[1]} else {parts[2]}", TERNARY
            case s.Joined(parts=pieces, kinds=kinds):
                joined = zip(pieces, kinds, strict=True)
                return " + ".join(self._as_text(piece, kind) for piece, kind in joined), SUM
            case s.Call():
                return self._call(node)

    def _constant(self, node: s.Constant) -> tuple[str, int]:
        if (node.value is None or isinstance(node.value, bool)) and "words" in self._slips:
            return java_literal(node), ATOM
        if isinstance(node.value, str):
            return json.dumps(node.value), ATOM
        negative = isinstance(node.value, int) and node.value < 0
        return str(node.value), UNARY if negative else ATOM

    def _compared(self, op: str, left: s.Expr, right: s.Expr) -> str:
        if isinstance(right, s.Constant) and right.value is None:
            op = op if "words" in self._slips else ("is" if op == "==" else "is not")
        return f"{self.expr(left, BITS)} {op} {self.expr(right, BITS)}"

    def _binary(self, node: s.Binary) -> tuple[str, int]:
        op, left, right = node.op, node.left, node.right
        if op in ("/", "%") and not node.natural and not {"division", "negatives"} & self._slips:
            quotient = f"int({self.expr(left, PRODUCT)} / {self.expr(right, UNARY)})"
            if op == "/":
                return quotient, ATOM
            return f"{self.expr(left, SUM)} - {quotient} * {self.expr(right, UNARY)}", SUM
        if op == "/":
            op = "/" if "division" in self._slips else "//"
        level = BINDING.get(op, BITS)
        near = SUM if level == BITS else level
        return f"{self.expr(left, near)} {op} {self.expr(right, near + 1)}", level

    def _call(self, node: s.Call) -> tuple[str, int]:
        name, arguments = node.name, node.arguments
        first = self.expr(arguments[0], ATOM)
        rest = ", ".join(self.expr(each) for each in arguments[1:])
        every = ", ".join(self.expr(each) for each in arguments)
        kept = "functions" in self._slips
        if name == "self":
            return f"{self._method.name}({every})", ATOM
        if name in ("abs", "max", "min"):
            return f"Math.{name}({every})" if kept else f"{name}({every})", ATOM
        if name == "length":
            array = isinstance(arguments[0], s.Var) and arguments[0].type == "int[]"
            kept_length = f"{first}.length" if array else f"{first}.length()"
            return kept_length if "length" in self._slips else f"len({every})", ATOM
        if name == "charAt":
            return f"{first}.charAt({rest})" if "letters" in self._slips else f"{first}[{rest}]", ATOM
        if name == "code":
            return first if "codes" in self._slips else f"ord({every})", ATOM
        if name == "character":
            return f"char({every})" if "codes" in self._slips else f"chr({every})", ATOM
        if kept and name in JAVA_METHODS:
            return f"{first}.{name}({rest})", ATOM
        return self._text_method(name, arguments)

    def _text_method(self, name: str, arguments: tuple[s.Expr, ...]) -> tuple[str, int]:
        first, rest = arguments[0], arguments[1:]
        if name == "equals":
            return f"{self.expr(first, BITS)} == {self.expr(rest[0], BITS)}", COMPARISON
        if name == "contains":
            return f"{self.expr(rest[0], BITS)} in {self.expr(first, BITS)}", COMPARISON
        if name == "isEmpty":
            return f'{self.expr(first, BITS)} == ""', COMPARISON
        if name == "substring":
            start = "" if isinstance(rest[0], s.Constant) and rest[0].value == 0 else self.expr(rest[0])
            end = self.expr(rest[1]) if len(rest) > 1 else ""
            return f"{self.expr(first, ATOM)}[{start}:{end}]", ATOM
        inner = ", ".join(self.expr(each) for each in rest)
        return f"{self.expr(first, ATOM)}.{METHODS[name]}({inner})", ATOM

    def _as_text(self, node: s.Expr, kind: s.Type) -> str:
        if kind in ("String", "char") or "joining" in self._slips:
            return self.expr(node, PRODUCT)
        if kind == "boolean":
            return f"str({self.expr(node)}).lower()"
        return f"str({self.expr(node)})"


def _moved(end: s.Expr, by: int) -> s.Expr:
    """`end + by`, calculated where it is known."""
    if isinstance(end, s.Constant) and isinstance(end.value, int):
        return s.Constant(end.value + by, "int")
    if isinstance(end, s.Binary) and end.op in "+-" and isinstance(end.right, s.Constant):
        known = int(end.right.value or 0) * (1 if end.op == "+" else -1) + by
        if known == 0:
            return end.left
        return s.Binary("+" if known > 0 else "-", end.left, s.Constant(abs(known), "int"))
    return s.Binary("+" if by > 0 else "-", end, s.Constant(abs(by), "int"))
