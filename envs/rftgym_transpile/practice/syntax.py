"""The little language that practice methods are made of: a tree that is written as Java and as Python.

A node says what a method means. `java.py` writes it as Java and `python.py` as Python with Java's meaning, so the two
texts agree by construction. Types are Java's: "int", "long", "boolean", "char", "String", "int[]" and "StringBuilder".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Type = Literal["int", "long", "boolean", "char", "String", "int[]", "StringBuilder"]


@dataclass(frozen=True, slots=True)
class Var:
    """A local variable or parameter.

    Attributes:
        name: the same in both languages.
        type: its Java type.
        natural: known to be 0 or more wherever it is read, so that Python's `//` and `%` do what Java's do.
    """

    name: str
    type: Type
    natural: bool = False


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant: an int, a bool, a str, or a character (then `type` is "char")."""

    value: int | bool | str | None
    type: Type


@dataclass(frozen=True, slots=True)
class Limit:
    """`Integer.MAX_VALUE` or `Integer.MIN_VALUE`."""

    name: Literal["MAX_VALUE", "MIN_VALUE"]


@dataclass(frozen=True, slots=True)
class Binary:
    """`left op right` on numbers: + - * / % & | ^ >>.

    Attributes:
        natural: result of / or % on operands of 0 or more; elsewhere it says that the result is 0 or more.
    """

    op: str
    left: Expr
    right: Expr
    natural: bool = False


@dataclass(frozen=True, slots=True)
class Negated:
    """Unary minus."""

    operand: Expr


@dataclass(frozen=True, slots=True)
class Compared:
    """`left op right` with < <= > >= == !=."""

    op: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Logical:
    """`left && right` or `left || right`."""

    op: Literal["&&", "||"]
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Not:
    """`!operand`."""

    operand: Expr


@dataclass(frozen=True, slots=True)
class Choice:
    """`condition ? then : other`."""

    condition: Expr
    then: Expr
    other: Expr


@dataclass(frozen=True, slots=True)
class Call:
    """A function or method that both languages have in some shape.

    Attributes:
        name: "abs", "max", "min", "length", "charAt", "equals", "isEmpty", "substring", "contains", "startsWith",
            "endsWith", "indexOf", "toUpperCase", "toLowerCase", "isDigit", "isLetter", "isUpperCase", "isLowerCase",
            "code" (a character as a number), "character" (a number as a character) or "self" (a recursive call).
        arguments: the receiver first.
    """

    name: str
    arguments: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Element:
    """`array[index]`."""

    array: Var
    index: Expr


@dataclass(frozen=True, slots=True)
class NewArray:
    """`new int[size]`."""

    size: Expr


@dataclass(frozen=True, slots=True)
class Joined:
    """Parts put together as text; `kinds` are their types. Starts with a text."""

    parts: tuple[Expr, ...]
    kinds: tuple[Type, ...]


Expr = (
    Var
    | Constant
    | Limit
    | Binary
    | Negated
    | Compared
    | Logical
    | Not
    | Choice
    | Call
    | Element
    | NewArray
    | Joined
)


@dataclass(frozen=True, slots=True)
class Declare:
    """`type name = value;`."""

    var: Var
    value: Expr


@dataclass(frozen=True, slots=True)
class Assign:
    """`target op value;` where op is = += -= *= /= %= ^= or |=.

    Attributes:
        wraps: the value may leave the range of the target's type, as with products collected in a loop.
    """

    target: Var | Element
    op: str
    value: Expr
    wraps: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """`name++;` or `name--;`, of a variable or an element."""

    target: Var | Element
    op: Literal["++", "--"]


@dataclass(frozen=True, slots=True)
class If:
    """`if`, any number of `else if`, perhaps `else`."""

    branches: tuple[tuple[Expr, Block], ...]
    otherwise: Block = ()


@dataclass(frozen=True, slots=True)
class While:
    """`while (condition)`."""

    condition: Expr
    body: Block


@dataclass(frozen=True, slots=True)
class For:
    """`for (int var = start; var op end; var += step)`; neither `var` nor what `end` reads changes in the body."""

    var: Var
    start: Expr
    op: Literal["<", "<=", ">", ">="]
    end: Expr
    step: int
    body: Block


@dataclass(frozen=True, slots=True)
class ForEach:
    """`for (int var : array)`, or over the characters of a text with `toCharArray`."""

    var: Var
    over: Var
    body: Block


@dataclass(frozen=True, slots=True)
class Append:
    """`builder.append(value);`."""

    builder: Var
    value: Expr
    kind: Type


@dataclass(frozen=True, slots=True)
class Return:
    """`return value;`; a builder is returned as its text."""

    value: Expr


@dataclass(frozen=True, slots=True)
class Throw:
    """`throw new exception("message");`."""

    exception: str
    message: str


@dataclass(frozen=True, slots=True)
class Jump:
    """`break;` or `continue;`."""

    word: Literal["break", "continue"]


Statement = Declare | Assign | Step | If | While | For | ForEach | Append | Return | Throw | Jump
Block = tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Method:
    """A static method.

    Attributes:
        name: the same in both languages.
        returns: its Java type.
        parameters: in order.
        body: its statements.
        modifiers: "static" or "public static".
    """

    name: str
    returns: Type
    parameters: tuple[Var, ...]
    body: Block
    modifiers: str = "static"
