"""Practice methods written as Java."""

from __future__ import annotations

import json
from typing import Final

from rftgym_transpile.practice import syntax as s

LOOSEST: Final = 0
TERNARY, OR, AND, COMPARISON, BITS, SUM, PRODUCT, UNARY, ATOM = range(1, 10)
BINDING: Final = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "%": PRODUCT}
METHODS: Final = frozenset(
    {"charAt", "equals", "isEmpty", "substring", "contains", "startsWith", "endsWith", "indexOf"}
    | {"toUpperCase", "toLowerCase"}
)


def write(method: s.Method) -> str:
    """The method as Java text, four spaces a level, no newline at the end."""
    parameters = ", ".join(f"{each.type} {each.name}" for each in method.parameters)
    head = f"{method.modifiers} {method.returns} {method.name}({parameters}) {{"
    return "\n".join([head, *_Writer(method).block(method.body, 1), "}"])


class _Writer:
    """Writes the parts of one method."""

    def __init__(self, method: s.Method) -> None:
        self._method = method

    # ---- statements

    def block(self, body: s.Block, depth: int) -> list[str]:
        """Lines of a block."""
        return [line for statement in body for line in self._statement(statement, depth)]

    def _statement(self, node: s.Statement, depth: int) -> list[str]:
        pad = "    " * depth
        match node:
            case s.If():
                return self._if(node, depth)
            case s.While():
                return self._braced(f"while ({self.expr(node.condition)})", node.body, depth)
            case s.For():
                return self._braced(f"for ({self._for_head(node)})", node.body, depth)
            case s.ForEach():
                over = node.over.name + (".toCharArray()" if node.over.type == "String" else "")
                return self._braced(f"for ({node.var.type} {node.var.name} : {over})", node.body, depth)
            case _:
                return [f"{pad}{self._simple(node)};"]

    def _simple(self, node: s.Statement) -> str:
        match node:
            case s.Declare(var=var, value=value):
                first = "new StringBuilder()" if var.type == "StringBuilder" else self.expr(value)
                return f"{var.type} {var.name} = {first}"
            case s.Assign(target=target, op=op, value=value):
                return f"{self.expr(target)} {op} {self.expr(value)}"
            case s.Step(target=target, op=op):
                return f"{self.expr(target)}{op}"
            case s.Append(builder=builder, value=value):
                return f"{builder.name}.append({self.expr(value)})"
            case s.Return(value=value):
                built = isinstance(value, s.Var) and value.type == "StringBuilder"
                return f"return {self.expr(value)}{'.toString()' if built else ''}"
            case s.Throw(exception=exception, message=message):
                return f"throw new {exception}({json.dumps(message)})"
            case s.Jump(word=word):
                return word
            case _:
                raise TypeError(f"not a simple statement: {type(node).__name__}")

    def _if(self, node: s.If, depth: int) -> list[str]:
        pad = "    " * depth
        lines: list[str] = []
        for place, (condition, body) in enumerate(node.branches):
            word = f"{pad}}} else if" if place else f"{pad}if"
            lines += [f"{word} ({self.expr(condition)}) {{", *self.block(body, depth + 1)]
        if node.otherwise:
            lines += [f"{pad}}} else {{", *self.block(node.otherwise, depth + 1)]
        return [*lines, f"{pad}}}"]

    def _braced(self, head: str, body: s.Block, depth: int) -> list[str]:
        pad = "    " * depth
        return [f"{pad}{head} {{", *self.block(body, depth + 1), f"{pad}}}"]

    def _for_head(self, node: s.For) -> str:
        name, size = node.var.name, abs(node.step)
        sign = "+" if node.step > 0 else "-"
        step = f"{name}{sign}{sign}" if size == 1 else f"{name} {sign}= {size}"
        kind = node.var.type
        return f"{kind} {name} = {self.expr(node.start)}; {name} {node.op} {self.expr(node.end)}; {step}"

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
                return literal(node), ATOM if not _negative(node) else UNARY
            case s.Limit(name=name):
                return f"Integer.{name}", ATOM
            case s.Element(array=array, index=index):
                return f"{array.name}[{self.expr(index)}]", ATOM
            case s.NewArray(size=size):
                return f"new int[{self.expr(size)}]", ATOM
            case s.Negated(operand=operand):
                return f"-{self.expr(operand, ATOM)}", UNARY
            case s.Not(operand=operand):
                return f"!{self.expr(operand, ATOM)}", UNARY
            case s.Binary(op=op, left=left, right=right):
                level = BINDING.get(op, BITS)
                near = SUM if level == BITS else level
                return f"{self.expr(left, near)} {op} {self.expr(right, near + 1)}", level
            case s.Compared(op=op, left=left, right=right):
                return f"{self.expr(left, SUM)} {op} {self.expr(right, SUM)}", COMPARISON
            case s.Logical(op=op, left=left, right=right):
                level = AND if op == "&&" else OR
                inner = COMPARISON if op == "&&" else AND
                return f"{self.expr(left, level)} {op} {self.expr(right, inner)}", level
            case s.Choice(condition=condition, then=then, other=other):
                return f"{self.expr(condition, OR)} ? {self.expr(then, OR)} : {self.expr(other, OR)}", TERNARY
            case s.Joined(parts=parts):
                return " + ".join(self.expr(part, PRODUCT) for part in parts), SUM
            case s.Call():
                return self._call(node)

    def _call(self, node: s.Call) -> tuple[str, int]:
        name, arguments = node.name, node.arguments
        first = self.expr(arguments[0], ATOM)
        rest = ", ".join(self.expr(each) for each in arguments[1:])
        if name == "self":
            return f"{self._method.name}({', '.join(self.expr(each) for each in arguments)})", ATOM
        if name in ("abs", "max", "min"):
            return f"Math.{name}({', '.join(self.expr(each) for each in arguments)})", ATOM
        if name == "length":
            is_array = isinstance(arguments[0], s.Var) and arguments[0].type == "int[]"
            return f"{first}.length" if is_array else f"{first}.length()", ATOM
        if name == "code":
            return first, ATOM  # a character counts as a number by itself
        if name == "character":
            return f"(char) {self.expr(arguments[0], ATOM)}", UNARY
        if name in METHODS:
            return f"{first}.{name}({rest})", ATOM
        return f"Character.{name}({self.expr(arguments[0])})", ATOM


def literal(node: s.Constant) -> str:
    """A constant in Java."""
    if node.value is None:
        return "null"
    if isinstance(node.value, bool):
        return "true" if node.value else "false"
    if isinstance(node.value, int):
        return f"{node.value}L" if node.type == "long" and abs(node.value) >= 2**31 else str(node.value)
    return f"'{node.value}'" if node.type == "char" else json.dumps(node.value)


def _negative(node: s.Constant) -> bool:
    return isinstance(node.value, int) and not isinstance(node.value, bool) and node.value < 0
