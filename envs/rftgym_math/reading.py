"""Answers as they are read: the mathematics in them, and what can be seen of it before anything is compared."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Final

from rftgym_math.comparing import is_infinite, is_name
from rftgym_math.exact import exact
from rftgym_math.expressions import COLLECTIONS, FUNCTIONS, LONGEST, RELATIONS, Node, Unreadable
from rftgym_math.parsing import parse
from rftgym_math.units import Bare, bare
from rftgym_math.verdict import Verdict

_COMMANDS: Final = re.compile(r"\\(?!text|mbox)[A-Za-z]+")
_LONG_WORD: Final = re.compile(r"[A-Za-z]{3,}")
_MATHEMATICAL: Final = frozenset(
    {*FUNCTIONS, "infinity", "infty", "inf", "and", "asin", "acos", "atan", "cbrt"}
)
_CHOICE: Final = re.compile(r"\(([a-z])\)")
"""(B), of several choices, is B."""
_MARKUP: Final = re.compile(r"\\(?:text|textbf|textrm|mbox|mathrm)|[\s{}$.]")


@dataclass(frozen=True, slots=True)
class Read:
    """A text as it was read: its tree, the unit it carries, and whether it ends with a percent sign."""

    node: Node
    unit: str
    percent: bool


def read(
    text: str,
    units: tuple[str, ...] = (),
    *,
    thousands: bool = True,
    any_unit: bool = False,
    question: str = "",
) -> Read:
    """Read an answer; see `rftgym_math.units.bare` and `rftgym_math.lexing.tokens` for what may be chosen.

    Raises:
        Unreadable: it is no mathematics, or too large.
    """
    if len(text) > LONGEST:
        raise Unreadable(f"{len(text):,} characters are too many; at most {LONGEST:,} are read", "too_long")
    found: Bare = bare(text, units, any_unit=any_unit, question=question)
    return Read(parse(found.text, thousands=thousands), found.unit, found.percent)


@functools.lru_cache(maxsize=4096)
def accepted(text: str, units: tuple[str, ...] = ()) -> Read:
    """An accepted answer, read once.

    Raises:
        Unreadable: see `read`.
    """
    return read(text, units, any_unit=True)


def stated(gold: Node, said: Node, variables: tuple[str, ...]) -> Node:
    """What an answer states: 3 for "x = 3", the values in the order asked for of "y=2, x=1"."""
    if gold.op == "=":
        return said
    if said.op == "=":
        return _right_side(said, variables)
    if said.op != "list" or not all(each.op == "=" for each in said.args):
        return said
    sides = {each.args[0].name: each.args[1] for each in said.args if each.args[0].op == "symbol"}
    if len(variables) > 1 and len(said.args) == len(variables) and set(sides) == set(variables):
        return Node("()", tuple(sides[name] for name in variables))
    return Node("list", tuple(_right_side(each, variables) for each in said.args))


def _right_side(node: Node, variables: tuple[str, ...]) -> Node:
    """The last side of "x = 6/2 = 3"; of "(x, y) = (1, 2)" too; any other equation is left as it is."""
    left, sides = node.args[0], [node.args[1]]
    while left.op == "=":
        sides.append(left.args[1])
        left = left.args[0]
    if len(sides) > 1 and len({exact(each) for each in sides}) > 1:
        return node  # x = 6 = 3
    if is_name(left) and not variables:
        return node.args[1]  # f(x) = 2x
    names = left.args if left.op == "()" else (left,)
    named = all(each.op == "symbol" and each.name in (variables or (each.name,)) for each in names)
    return node.args[1] if named else node


def misfit(gold: Node, node: Node) -> str:
    """Why an answer cannot be compared with the accepted one at all; "" where it can."""
    if gold.holds("pm") or node.holds("pm"):
        return "" if node.symbols <= gold.symbols else "it holds an unknown that is not asked for"
    if (gold.op in COLLECTIONS) != (node.op in COLLECTIONS):
        return "several values are asked for" if gold.op in COLLECTIONS else "one value is asked for"
    if gold.op in COLLECTIONS:
        if len(gold.args) != len(node.args):
            return "another number of values is asked for"
    elif gold.op not in RELATIONS and node.op in RELATIONS:
        return "a value is asked for, not an equation"
    if not node.symbols <= gold.symbols:
        return "it holds an unknown that is not asked for"
    return "infinity is no number" if is_infinite(node) and not is_infinite(gold) else ""


def worked_out(gold: Node, node: Node, *, percent: bool = False) -> bool:
    """Whether an answer is as much worked out as the accepted one: where that is a number, it is a number too.

    Otherwise "80 * 79" would answer "80 * 79 = ?". A number is an integer, a decimal, a percentage, a mixed number, a
    number times a power of ten, or, unless the accepted one is whole, a fraction.

    Args:
        gold: the accepted one.
        node: the answer.
        percent: it was written with a percent sign, and is divided by 100 for that reason.
    """
    if gold.op in COLLECTIONS or gold.op in RELATIONS:
        parts = gold.args if all(_is_number(each) for each in gold.args) else ()
        return (
            not parts or node.op not in COLLECTIONS or all(worked_out(parts[0], each) for each in node.args)
        )
    if not _is_number(gold):
        return True
    if not _is_number(node):
        return False
    while node.op == "neg":
        node = node.args[0]
    inverse = next((each.args[0].value for each in node.args if each.op == "inv"), None)
    return inverse is None or percent or exact(gold) != round(exact(gold) or 0)


def _is_number(node: Node) -> bool:
    """Whether it is one number, as numbers are written: no sum, and no product but with a power of ten."""
    if node.op == "neg":
        return _is_number(node.args[0])
    if node.op != "*" or len(node.args) != 2 or node.args[0].op != "number":
        return node.op == "number" or _is_power_of_ten(node)
    last = node.args[1]
    return _is_power_of_ten(last) or (last.op == "inv" and last.args[0].op == "number")


def _is_power_of_ten(node: Node) -> bool:
    return node.op == "^" and all(each.op == "number" for each in node.args) and node.args[0].value == 10


def value_of(node: Node) -> str:
    """The value of a rational answer as text; "" of others.

    Raises:
        Undefined: it has none.
        Unreadable: it is too large.
    """
    if node.op in COLLECTIONS or node.op in RELATIONS:
        return ""
    found = exact(node)
    return "" if found is None else str(found)


def is_words(text: str) -> bool:
    r"""Whether a text is written in words: \text{Evelyn}, (B), saturday; a unit behind a number makes no words."""
    plain = _COMMANDS.sub(" ", bare(text, any_unit=True).text)
    return any(each.casefold() not in _MATHEMATICAL for each in _LONG_WORD.findall(plain))


@functools.lru_cache(maxsize=4096)
def in_words(text: str, units: tuple[str, ...] = ()) -> bool:
    """Whether an accepted answer is compared as text: it is written in words, or no mathematics that is read here."""
    try:
        accepted(text, units)
    except Unreadable:
        return True
    return is_words(bare(text, units, any_unit=True).text)


def same_words(gold: str, answer: str) -> Verdict:
    """Compare what is no mathematics: without case, white space, dollar signs and LaTeX's marks for text."""
    if len(answer) > LONGEST:
        return Verdict("too_long", f"{len(answer):,} characters are too many; at most {LONGEST:,} are read")
    if _letters(answer) == _letters(gold):
        return Verdict("right", "", True)
    return Verdict("wrong", "another text")


def _letters(text: str) -> str:
    plain = _MARKUP.sub("", text.casefold())
    choice = _CHOICE.fullmatch(plain)
    return choice[1] if choice else plain
