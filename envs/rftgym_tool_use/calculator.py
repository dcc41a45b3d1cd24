"""Exact arithmetic on a text: + - * / // % ** and parentheses over fractions, as in Python, and nothing else.

Read by an own parser, never by Python's; every quantity is bounded before it is computed, so that no expression takes
longer than a fraction of a millisecond. Source of the precedences: the Python language reference, section 6.17.
"""

from __future__ import annotations

import re
from fractions import Fraction

from rftgym_tool_use.tools import ToolError, echo

LONGEST = 200
"""Characters of an expression."""
DEEPEST = 24
"""Parentheses and signs inside one another."""
MOST_BITS = 1024
"""Of a numerator or denominator: 308 digits."""
MOST_PLACES = 30
"""Decimal places that are written; a number with more is written as a fraction."""
_TOKEN = re.compile(r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)|(?P<sign>\*\*|//|[-+*/%()]))")
_NUMBER = re.compile(r"[+-]?(?:(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]+)?|\.[0-9]+)")
_FRACTION = re.compile(r"([+-]?[0-9]+) ?/ ?([0-9]+)")


def evaluate(expression: str) -> Fraction:
    """The value of an expression, exactly.

    Args:
        expression: decimal numbers, + - * / // % ** and parentheses. Exponents are whole numbers.
    Raises:
        ToolError: it is none, divides by zero, or is beyond `LONGEST`, `DEEPEST` or `MOST_BITS`.
    """
    if len(expression) > LONGEST:
        raise ToolError(f"the expression has {len(expression)} characters; {LONGEST} are allowed")
    return _Reader(_tokens(expression)).whole()


def shown(value: Fraction) -> str:
    """A number as text that `number` reads back exactly: 161, 2.5, or 10/3 where no decimal ends."""
    if value.denominator == 1:
        return str(value.numerator)
    places = next((n for n in range(1, MOST_PLACES + 1) if 10**n % value.denominator == 0), None)
    if places is None:
        return f"{value.numerator}/{value.denominator}"
    digits = str(abs(value.numerator) * (10**places // value.denominator)).rjust(places + 1, "0")
    return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"


def number(text: str) -> Fraction | None:
    """The number that a text is: 161, -2.50, .5, 1,234 or 10/3; None for anything else.

    Args:
        text: any; nothing beyond `LONGEST` characters is looked at.
    """
    if len(text) > LONGEST:
        return None
    if _NUMBER.fullmatch(text):
        return Fraction(text.replace(",", ""))
    found = _FRACTION.fullmatch(text)
    if found is None or int(found[2]) == 0:
        return None
    return Fraction(int(found[1]), int(found[2]))


def _tokens(expression: str) -> list[str]:
    found, place = [], 0
    text = expression.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise ToolError(
                f"{echo(text[place:].lstrip()[:1])} is not understood; "
                "use numbers, + - * / // % ** and parentheses"
            )
        found.append(match["number"] or match["sign"])
        place = match.end()
    return found


class _Reader:
    """Recursive descent over tokens; each method reads one level of precedence and gives its value."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._place = 0
        self._depth = 0

    def whole(self) -> Fraction:
        value = self._sum()
        if self._next is not None:
            raise ToolError(f"{echo(self._next)} is not expected there")
        return value

    @property
    def _next(self) -> str | None:
        return self._tokens[self._place] if self._place < len(self._tokens) else None

    def _taken(self, *signs: str) -> str | None:
        sign = self._next
        if sign not in signs:
            return None
        self._place += 1
        return sign

    def _sum(self) -> Fraction:
        value = self._product()
        while sign := self._taken("+", "-"):
            other = self._product()
            value = _bounded(value + other if sign == "+" else value - other)
        return value

    def _product(self) -> Fraction:
        value = self._signed()
        while sign := self._taken("*", "/", "//", "%"):
            value = _multiplied(sign, value, self._signed())
        return value

    def _signed(self) -> Fraction:
        sign = self._taken("+", "-")
        if sign is None:
            return self._power()
        self._enter()
        value = self._signed()
        self._depth -= 1
        return -value if sign == "-" else value

    def _power(self) -> Fraction:
        base = self._atom()
        if not self._taken("**"):
            return base
        self._enter()
        exponent = self._signed()  # binds to the right, and a sign may stand there: 2**-1
        self._depth -= 1
        return _raised(base, exponent)

    def _atom(self) -> Fraction:
        token = self._next
        self._place += 1
        if token is None:
            raise ToolError("the expression ends too early")
        if token == "(":  # noqa: S105  # a parenthesis, no password
            self._enter()
            value = self._sum()
            self._depth -= 1
            if not self._taken(")"):
                raise ToolError('a ")" is missing')
            return value
        if not (token[0].isdigit() or token[0] == "."):
            raise ToolError(f"{echo(token)} is not expected there")
        return _bounded(Fraction(token))

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise ToolError(f"more than {DEEPEST} parentheses or signs inside one another")


def _multiplied(sign: str, one: Fraction, other: Fraction) -> Fraction:
    if sign == "*":
        return _bounded(one * other)
    if other == 0:
        raise ToolError("division by zero")
    if sign == "/":
        return _bounded(one / other)
    return _bounded(Fraction(one // other) if sign == "//" else one % other)


def _raised(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1:
        raise ToolError("an exponent must be a whole number")
    if base == 0 and exponent < 0:
        raise ToolError("division by zero")
    if abs(base) in (0, 1):
        return Fraction(1) if exponent == 0 or (base < 0 and exponent % 2 == 0) else base
    if (
        _bits(base) * abs(exponent) > 2 * MOST_BITS
    ):  # before the work; what is let through may still be refused after
        raise ToolError(TOO_LARGE)
    return _bounded(base ** int(exponent))


TOO_LARGE = f"the number gets longer than {MOST_BITS} bits"


def _bits(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def _bounded(value: Fraction) -> Fraction:
    if _bits(value) > MOST_BITS:
        raise ToolError(TOO_LARGE)
    return value
