"""What mathematical text is read into: trees of nodes, and the limits that keep hostile ones small."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

LONGEST: Final = 2_000
"""Characters of an answer; a longer one is not read."""
DEEPEST: Final = 40
"""Brackets, powers and functions inside one another."""
LONGEST_NUMBER: Final = 1_000
"""Digits of one number."""

FUNCTIONS: Final = (
    "sqrt", "root", "abs", "exp", "ln", "log", "sin", "cos", "tan", "cot", "sec", "csc",
    "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "factorial",
)  # fmt: skip
"""Operations of the name `function`; "root" has the degree as its second argument, "log" the base."""
CONSTANTS: Final = ("pi", "e", "i", "oo")


class Unreadable(Exception):
    """A text that is no expression, or a too large one.

    Attributes:
        kind: of the verdict, see `rftgym_math.judge.Kind`.
    """

    def __init__(self, message: str, kind: str = "syntax") -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression.

    Attributes:
        op: "number", "symbol", "constant", one of `FUNCTIONS`, or: "+" and "*" (any number of arguments), "neg", "inv"
            (one over), "^", "pm" (plus or minus), "=", "<", "<=" (two arguments), "list" (without brackets), "set",
            "union", or a sequence in brackets: "()", "[]", "(]", "[)".
        args: the parts that it is made of.
        value: of a number.
        name: of a symbol or a constant.
    """

    op: str
    args: tuple[Node, ...] = ()
    value: Fraction = Fraction(0)
    name: str = ""

    @property
    def symbols(self) -> frozenset[str]:
        """Names of the unknowns in it."""
        if self.op == "symbol":
            return frozenset((self.name,))
        return frozenset().union(*(each.symbols for each in self.args))

    def as_json(self) -> list[Any]:
        """As nested lists, for another process: [op, name or value as text, arguments]."""
        text = str(self.value) if self.op == "number" else self.name
        return [self.op, text, [each.as_json() for each in self.args]]

    def holds(self, *ops: str) -> bool:
        """Whether one of these operations occurs anywhere in it."""
        return self.op in ops or any(each.holds(*ops) for each in self.args)


SEQUENCES: Final = ("()", "[]", "(]", "[)")
COLLECTIONS: Final = ("list", "set", "union", *SEQUENCES)
RELATIONS: Final = ("=", "<", "<=")


def number(value: Fraction | int) -> Node:
    """A number's node."""
    return Node("number", value=Fraction(value))


def negated(node: Node) -> Node:
    """Minus a node; of a number, the number below zero."""
    return number(-node.value) if node.op == "number" else Node("neg", (node,))


def constant(name: str) -> Node:
    """A constant's node."""
    return Node("constant", name=name)


def quotient(top: Node, bottom: Node) -> Node:
    """One node over another."""
    return Node("*", (top, Node("inv", (bottom,))))
