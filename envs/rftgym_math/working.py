"""Whether an answer is contradicted by its own working: simple statements of arithmetic, checked; all else left alone.

A statement is a piece of the working (between line breaks, semicolons, commas and full stops) that reads as a chain of
equations: "4*5=20", "3x = 20 - 5 = 15", "So 12 + 5 = 17". Sides that hold unknowns or words are not looked at. What a
reader would forgive is forgiven: rounding, a whole quotient of an uneven division, "12 + 5 = 17 * 3 = 51", a slip that
is put right later on, percentages.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any, Final

from rftgym_math.exact import Undefined, exact
from rftgym_math.expressions import COLLECTIONS, RELATIONS, Unreadable
from rftgym_math.parsing import parse

LONGEST_CHECKED: Final = 4_000
"""Characters of a working, from its end, that are looked at."""
MOST_STATEMENTS: Final = 200
_SEPARATORS: Final = re.compile(r"[;\n]|,(?=\s)|(?<!\.)\.(?=\s|$)")
_BULLET: Final = re.compile(r"[-\u2013\u2022] ")
_OPENING: Final = re.compile(
    r"(?:step [0-9]{1,3} ?[:.)-]|[a-z][a-z ]{0,30}:|"
    r"(?:so|then|thus|hence|therefore|and|now|next|first|finally|also|we get|we have|this gives|which gives)\b),? ",
    re.IGNORECASE,
)
_UNCHECKED: Final = re.compile(r"^\+|\.\.|[%<>\u2026\u2260\u2248~?]|!=|\\ne|\\approx")
"""Of a piece that goes on from another one, leaves something out, or is no equation."""
_SIMPLE: Final = re.compile(r" ?(-?[0-9]{1,18}) ?(?:([-+*]) ?([0-9]{1,18}))? ?")
_NUMBER: Final = re.compile(r"(?<![0-9.])[0-9]{1,18}(?:\.[0-9]{1,18})?(?![0-9])")
_TAG: Final = re.compile(r"</?(?:work|think)>")
_DECIMAL: Final = re.compile(r"-?[0-9]*\.([0-9]+)")


@dataclass(frozen=True, slots=True)
class Side:
    """One side of an equation: its text, its value where that is a rational number, its name where it is an unknown."""

    text: str
    value: Fraction | None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a working holds.

    Attributes:
        checked: equations between two numbers.
        false: those that do not hold, as they stand there.
        contradicted: the working ends with a result, and it holds the answer nowhere.
    """

    checked: int = 0
    false: tuple[str, ...] = ()
    contradicted: bool = False

    @property
    def severity(self) -> float:
        """From 0 to 1: 1 where the answer is contradicted, else the share of equations that do not hold."""
        if self.contradicted:
            return 1.0
        return len(self.false) / self.checked if self.checked else 0.0

    def as_json(self) -> dict[str, Any]:
        """For `Response.info`."""
        return {"checked": self.checked, "false": list(self.false[:5]), "contradicted": self.contradicted}


def working_of(completion: str) -> str:
    """What stands before the last answer, without tags."""
    end = completion.rfind("</answer>")
    start = completion.rfind("<answer>", 0, end if end >= 0 else len(completion))
    return _TAG.sub("\n", completion[: max(start, 0)][-LONGEST_CHECKED:])


def findings(completion: str, value: str, unknowns: Sequence[str] = ()) -> Findings:
    """Look at the working of a completion.

    Args:
        completion: all that was said.
        value: of its answer where that is a rational number, as text; else "".
        unknowns: names of what is asked for; "x = 5" is a result where x is one of them.
    """
    segments = [each for each in map(_plain, _SEPARATORS.split(working_of(completion))) if each]
    chains = [_chain(each) for each in segments[-MOST_STATEMENTS:]]
    checked, false = 0, dict[str, str]()
    for chain in chains:
        for left, right in _numeric(chain):
            checked += 1
            if _holds(left, right):
                false.pop(left.text, None)  # put right
            else:
                false[left.text] = f"{left.text}={right.text}"
    contradicted = bool(value) and _ends_with_result(chains, unknowns)
    if contradicted:
        contradicted = not _mentions(segments[-MOST_STATEMENTS:], chains, Fraction(value))
    return Findings(checked, tuple(false.values()), contradicted)


def _plain(segment: str) -> str:
    text = " ".join(segment.replace("\\$", " ").replace("$", " ").split())
    while opening := _OPENING.match(text):
        text = text[opening.end() :]
    return text


def _chain(segment: str) -> tuple[Side, ...]:
    """The sides of a chain of equations; none where the segment is anything else.

    "- 5 + 3 = 8" may be an item of a list: it is read as such, unless it holds with the minus sign.
    """
    if "=" not in segment or _UNCHECKED.search(segment):
        return ()
    item = _BULLET.match(segment)
    if item is None:
        return _sides(segment)
    signed = _sides(segment)
    return signed if signed and _true(signed) else _sides(segment[item.end() :])


def _sides(segment: str) -> tuple[Side, ...]:
    try:
        return tuple(_side(each) for each in re.split("=+", segment))
    except (Unreadable, Undefined):
        return ()


def _side(text: str) -> Side:
    simple = _SIMPLE.fullmatch(text)
    if simple:  # most are, and this is quicker
        left, operator, right = int(simple[1]), simple[2], int(simple[3] or 0)
        value = left * right if operator == "*" else left - right if operator == "-" else left + right
        return Side(text.replace(" ", ""), Fraction(value))
    node = parse(text)
    if node.op in COLLECTIONS or node.op in RELATIONS:
        raise Unreadable("not a number")
    return Side(text.replace(" ", ""), exact(node), node.name if node.op == "symbol" else "")


def _numeric(chain: Sequence[Side]) -> list[tuple[Side, Side]]:
    known = [each for each in chain if each.value is not None]
    return list(pairwise(known))


def _true(chain: Sequence[Side]) -> bool:
    return all(_holds(left, right) for left, right in _numeric(chain))


def _holds(left: Side, right: Side) -> bool:
    """Whether two sides are equal as far as a reader would ask."""
    one, other = left.value or Fraction(0), right.value or Fraction(0)
    if abs(one - other) <= max(_last_place(left.text), _last_place(right.text)):
        return True
    if ("/" in left.text or _last_place(left.text)) and other.denominator == 1 and abs(one - other) < 1:
        return True  # a whole quotient, or a decimal made whole
    carried = re.match(r"-?[0-9]+(?:\.[0-9]+)?(?=[-+*/^])", right.text)  # 12+5 = 17*3 = 51
    return carried is not None and Fraction(carried[0]) == one


def _last_place(text: str) -> Fraction:
    """One unit of the last decimal place of a number written out; 0 of anything else."""
    found = _DECIMAL.fullmatch(text)
    return Fraction(1, 10 ** min(len(found[1]), 9)) if found else Fraction(0)


def _ends_with_result(chains: Sequence[Sequence[Side]], unknowns: Sequence[str]) -> bool:
    """Whether the last piece is an equation of numbers, or one for what is asked; "5x = 35" is neither."""
    if not chains or not chains[-1] or chains[-1][-1].value is None:
        return False
    first = chains[-1][0]
    return first.value is not None or first.name in unknowns


def _mentions(segments: Sequence[str], chains: Sequence[Sequence[Side]], answer: Fraction) -> bool:
    """Whether an answer is what any equation comes to, or a number in what is no equation, or in a true last one.

    For "8*7 = 56" may be why 56/7 is 8, and "17 = 3*5 + 2" why 2 is left.
    """
    results = [chain[-1] for chain in chains if chain and chain[-1].value is not None]
    for segment, chain in zip(segments, chains, strict=True):
        if not chain or (chain is chains[-1] and _true(chain)):
            results += [Side(each, Fraction(each)) for each in _NUMBER.findall(segment)]
    return any(_stands_for(answer, each) for each in results)


def _stands_for(answer: Fraction, result: Side) -> bool:
    """Whether an answer can be what a result says: the same, without its sign, as a percentage, or rounded."""
    value = abs(result.value or Fraction(0))
    size = abs(answer)
    if size in (value, value * 100) or value == size * 100:
        return True
    if size.denominator == 1 and value.denominator != 1 and abs(size - value) < 1:
        return True
    bottom = size.denominator
    while bottom % 10 == 0:
        bottom //= 10
    decimal = size.denominator != 1 and {2, 5}.issuperset(_factors(bottom))
    return abs(size - value) <= max(_last_place(result.text), Fraction(1, size.denominator) if decimal else 0)


def _factors(number: int) -> list[int]:
    """The prime factors 2 and 5 of a number, and what is left of it."""
    found = []
    for prime in (2, 5):
        while number % prime == 0:
            number //= prime
            found.append(prime)
    return [*found, number] if number > 1 else found
