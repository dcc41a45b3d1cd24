"""What stands around a number: dollar signs, boxes of mathematics, units, degrees, full stops."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from rftgym_math.lexing import TYPOGRAPHY

DOLLARS: Final = ("$", "dollars", "dollar", "usd")
_TEXT: Final = re.compile(
    r"\\(?:text|textrm|textbf|mathrm|mbox)\s?\{([^{}]{0,60})\}\s?(?:\^\s?\{?([23])\}?)?$"
)
_DEGREES: Final = re.compile(r"(?:\^\s?\{?\s?\\circ\s?\}?|\\degree)\s?$")
_MONEY: Final = re.compile(r"^([-+]?)\s?(?:\\?\$|\u20ac|\u00a3|\\text\{\$\})\s?")
_JOINING: Final = re.compile(r"\\(?:text|textrm|mbox)\{ {0,4}(or|and) {0,4}\}")
_MEMBER: Final = re.compile(r"^[A-Za-z] {0,4}(?:\\in(?![A-Za-z])|\u2208) {0,4}")
_WORDS: Final = re.compile(r"([-+]?[0-9][0-9,./ ]{0,40}) ([A-Za-z][A-Za-z ]{2,40})")
_WORD: Final = re.compile(r"[A-Za-z]+")
_NO_UNITS: Final = frozenset(
    {"and", "or", "not", "than", "less", "more", "least", "most", "about", "dozen", "hundred", "thousand", "million",
     "billion", "half", "times", "squared", "cubed", "factorial", "infinity", "pi", "percent"}
)  # fmt: skip
"""Words that say something about a number, wherever they stand."""
_SIGNS: Final = {"\u20ac": "euros", "\u00a3": "pounds"}


class Bare(NamedTuple):
    """A text without what stands around it.

    Attributes:
        text: the mathematics.
        unit: in small letters; "" where there is none.
        percent: it ends with a percent sign, which is still there.
    """

    text: str
    unit: str
    percent: bool


def bare(text: str, allowed: Sequence[str] = (), *, any_unit: bool = False, question: str = "") -> Bare:
    """Take off what stands around the mathematics.

    Args:
        text: an answer.
        allowed: units in plain words that are known; others stay, and will not be read as mathematics.
        any_unit: whatever words stand behind a number are its unit: of accepted answers, which need not be suspected.
        question: words behind a number that occur in it are passed over: "72 clips" where clips are spoken of.
    """
    text = _unwrapped(text.translate(TYPOGRAPHY).strip())
    money = _MONEY.match(text)
    if money:
        sign = next((name for mark, name in _SIGNS.items() if mark in money[0]), "$")
        return Bare(money[1] + text[money.end() :], sign, False)
    written = _TEXT.search(text)
    if written and written.start():
        unit = written[1].strip().rstrip(".").casefold() + (f"^{written[2]}" if written[2] else "")
        if _spoken_of(unit, question):
            unit = ""
        if unit not in ("or", "and"):
            return Bare(text[: written.start()].rstrip(), unit, False)
    degrees = _DEGREES.search(text)
    if degrees and degrees.start():
        return Bare(text[: degrees.start()].rstrip(), "degrees", False)
    small = text.casefold()
    names = {*map(str.casefold, allowed), *(DOLLARS[1:] if "$" in allowed else ())}
    for unit in sorted(names, key=lambda name: (-len(name), name)):
        before = small[: -len(unit)] if unit and small.endswith(unit) else ""
        if before and (before[-1].isspace() or before[-1].isdigit() or before[-1] in ")}"):
            return Bare(text[: len(before)].rstrip(), unit, False)
    words = _WORDS.fullmatch(text) if any_unit or question else None
    if words and any_unit:
        return Bare(words[1], " ".join(words[2].casefold().split()), False)
    if words and _spoken_of(words[2], question):
        return Bare(words[1], "", False)
    return Bare(text, "", text.endswith("%"))


def _spoken_of(unit: str, question: str) -> bool:
    """Whether all words of a unit occur in a question, in the singular or the plural, and none says how many."""
    words = _WORD.findall(unit.casefold())
    if not words or not question or not _NO_UNITS.isdisjoint(words):
        return False
    spoken = {form for word in _WORD.findall(question.casefold()) for form in _forms(word)}
    return all(not spoken.isdisjoint(_forms(word)) for word in words)


def _forms(word: str) -> tuple[str, ...]:
    return word, word.removesuffix("s"), word.removesuffix("es")


def _unwrapped(text: str) -> str:
    """Without marks of mathematics or of stress around the whole, an equals sign before and a full stop behind it."""
    text = _JOINING.sub(r" \1 ", text)
    for mark in ("$$", "$"):
        inner = text.removesuffix(".").rstrip()
        if len(inner) > 2 * len(mark) and inner.startswith(mark) and inner.endswith(mark):
            text = inner[len(mark) : -len(mark)].strip()
    text = _MEMBER.sub("", text)
    for mark in ("`", "*"):
        if text.startswith(mark) and text.endswith(mark):
            text = text.strip(mark).strip()
    text = text.removeprefix("=").lstrip()
    if text.endswith((".", ",", ";")):
        text = text[:-1].rstrip()
    if text.casefold().endswith(" percent"):
        text = text[: -len(" percent")].rstrip() + "%"
    if text.startswith(("\\boxed{", "\\fbox{")) and text.endswith("}"):
        inside = text[text.index("{") + 1 : -1]
        if _balanced(inside):
            return inside.strip()
    return text


def _balanced(text: str) -> bool:
    depth = 0
    for character in text:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth < 0:
            return False
    return depth == 0


def known(unit: str, allowed: Sequence[str]) -> bool:
    """Whether a unit is one of those allowed; "$" stands for its names as well."""
    names = {each.casefold() for each in allowed}
    return unit in names or (unit in DOLLARS and not names.isdisjoint(DOLLARS))
