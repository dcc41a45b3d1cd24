"""Mathematical text as tokens: plain, typographic or LaTeX. One pass, whatever the text holds."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from rftgym_math.expressions import FUNCTIONS, LONGEST, LONGEST_NUMBER, Unreadable


class Token(NamedTuple):
    """A token.

    Attributes:
        kind: "number", "name", "command" (of LaTeX, without the backslash) or "mark".
        text: as it stands there, or as it is usually written.
        spaced: white space stands before it.
    """

    kind: str
    text: str
    spaced: bool


TYPOGRAPHY: Final = str.maketrans(
    {
        **dict.fromkeys("\u2212\u2013\u2010\u2011", "-"),
        **dict.fromkeys("\u00d7\u00b7\u22c5\u2219", "*"),
        **dict.fromkeys("\u00f7\u2215\u2044", "/"),
        **dict.fromkeys("\u00a0\u2002\u2003\u2009\u202f\t\n\r", " "),
        "\u221a": "\\sqrt ",
        "\u03c0": "\\pi ",
        "\u221e": "\\infty ",
        "\u00b1": "\\pm ",
        "\u222a": "\\cup ",
        "\u2264": "\\le ",
        "\u2265": "\\ge ",
        "\u00b0": "\\degree ",
        "\u00bd": " 1/2",
        "\u00bc": " 1/4",
        "\u00be": " 3/4",
        "\u2153": " 1/3",
        "\u2154": " 2/3",
        **{
            each: f"^{number}"
            for number, each in enumerate("\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")
        },
    }
)
"""Characters that people type for what ASCII writes otherwise. Digits of other alphabets and look-alikes are none."""
_GROUP: Final = re.compile(r"(?<=[0-9])(?:\{,\}|,?\\[,!]) ?(?=[0-9]{3}(?![0-9]))")
_TOKEN: Final = re.compile(
    r"(?P<space>[ ~]+|\\[ ,;:!]|\\q?quad\b|\\(?:left|right|displaystyle|textstyle|limits)(?![A-Za-z]))"
    r"|(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,4}(?![A-Za-z0-9.]))?)"
    r"|(?P<command>\\[A-Za-z]+)"
    r"|(?P<name>[A-Za-z]+)"
    r"|(?P<mark>\*\*|<=|>=|==|\\[{}%$|()\[\]]|[-+*/^_!()\[\]{}|,;=<>%$])"
)
_THOUSANDS: Final = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])(?!,[0-9])(?:\.[0-9]+)?")
_WORDS: Final = {
    **dict.fromkeys(("infinity", "infty", "inf", "oo"), "infty"),
    **{name: name for name in FUNCTIONS},
    "pi": "pi",
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "or": "or",
    "and": "and",
    "cbrt": "cbrt",
}
_OPENING: Final = {"(": 1, "[": 1, "{": 1, "\\{": 1, ")": -1, "]": -1, "}": -1, "\\}": -1}


def tokens(text: str, *, thousands: bool = True) -> list[Token]:
    """The tokens of a text.

    Args:
        text: an answer.
        thousands: outside of brackets, 1,234 is a number and no list.
    Raises:
        Unreadable: it is too long, or holds something that is no mathematics.
    """
    if len(text) > LONGEST:
        raise Unreadable(f"{len(text):,} characters are too many; at most {LONGEST:,} are read", "too_long")
    text = _GROUP.sub("", text.translate(TYPOGRAPHY))
    found: list[Token] = []
    at, depth, spaced = 0, 0, False
    while at < len(text):
        grouped = _THOUSANDS.match(text, at) if thousands and depth == 0 else None
        match = grouped or _TOKEN.match(text, at)
        if match is None:
            raise Unreadable(f"{text[at]!a} is no part of mathematical notation that is read here")
        at = match.end()
        if grouped:
            found.append(Token("number", _checked(grouped[0].replace(",", "")), spaced))
        elif match.lastgroup == "space":
            spaced = True
            continue
        else:
            found += _named(str(match.lastgroup), match[0], spaced)
            depth += _OPENING.get(match[0], 0)
        spaced = False
    return found


def _named(kind: str, text: str, spaced: bool) -> list[Token]:
    """A match as tokens: a word that is no function's name is a product of letters."""
    if kind == "number":
        return [Token(kind, _checked(text), spaced)]
    if kind == "command":
        return [Token(kind, text[1:], spaced)]
    if kind == "mark":
        return [] if text in ("\\(", "\\)", "\\[", "\\]") else [Token(kind, text, spaced)]
    if text.lower() in _WORDS:
        return [Token("command", _WORDS[text.lower()], spaced)]
    return [Token("name", letter, spaced and not at) for at, letter in enumerate(text)]


def _checked(text: str) -> str:
    if len(text) > LONGEST_NUMBER:
        raise Unreadable(f"a number of {len(text):,} digits; at most {LONGEST_NUMBER:,} are read", "too_long")
    return text
