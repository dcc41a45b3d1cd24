"""Whether an answer is right: seven ways to compare what was said with what a row accepts.

All of them take any text that a model can write. All but ``regex`` need time in proportion to its length; a pattern of
the user's own gets a time limit.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, NoReturn, cast

import regex

from rftgym.data import JSON
from rftgym.errors import ContractError, UsageError

Match = Literal["exact", "normalised", "contains", "number", "regex", "json", "choice"]
REGEX_SECONDS = 0.5
NUMBER_TOLERANCE = 1e-6
"""Relative, where one of two numbers is not whole."""
LARGEST_EXACT = 1e15

_NUMBER = re.compile(
    r"(?:(?<![\w)])[-+])?(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
    r"(?:[eE][-+]?[0-9]{1,3}(?![0-9]))?(?:/[0-9]+)?"
)
_OUTER = " .,;:!?\"'`*_“”‘’"
_LETTER = re.compile(r"[(\[*]{0,3}([A-Za-z])[)\].:*]{0,3}")
_LABEL = re.compile(r"[(\[*]{0,3}([A-Z])[)\].:*]{1,3} ")
_SAID = re.compile(r"\b(?i:answer|option|choice) ?(?i:is|:|=)? ?[:*(\[]{0,3} ?([A-Z])(?!\w)")
_BRACKETED = re.compile(r"\(([A-Z])\)")


def matches(match: Match, answer: str, accepted: Sequence[JSON]) -> bool:
    """Whether an answer is one of those accepted.

    Raises:
        ContractError: an accepted pattern did not come to an end in time.
    """
    return any(_BY_NAME[match](answer, each) for each in accepted)


def known_match(name: object) -> Match:
    """The way of this name.

    Raises:
        UsageError: there is none.
    """
    if not isinstance(name, str) or name not in _BY_NAME:
        raise UsageError(f"match {name!r:.40}; it is one of {', '.join(_BY_NAME)}")
    return cast("Match", name)


def check_accepted(match: Match, accepted: Sequence[JSON]) -> None:
    """Whether these answers can be compared in this way.

    Raises:
        UsageError: one of them cannot; says why.
    """
    if not accepted:
        raise UsageError("answer: an empty list accepts nothing")
    for each in accepted:
        if match != "json" and isinstance(each, dict | list | None):
            raise UsageError(
                f'answer {each!r:.60}: it must be text or a number, unless the row says "match": "json"'
            )
        if match == "number" and number_in(text_of(each)) is None:
            raise UsageError(f"answer {each!r:.60}: match 'number' needs a number in it")
        if match == "choice" and chosen(text_of(each)) is None:
            raise UsageError(f"answer {each!r:.60}: match 'choice' needs the letter of a choice, say 'B'")
        if match in ("exact", "normalised", "contains") and not normalised(text_of(each)):
            raise UsageError("answer: it is empty")
        if match == "regex":
            _pattern(text_of(each))


def text_of(value: JSON) -> str:
    """An accepted value as text: JSON's own words for what is no text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


# ---- the ways


def _exact(answer: str, accepted: JSON) -> bool:
    return answer.strip() == text_of(accepted).strip()


def normalised(text: str) -> str:
    """Text without what rarely matters: case, white space, look-alikes (NFKC), punctuation and quotes around it."""
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return plain.strip(_OUTER) or plain


def _normalised(answer: str, accepted: JSON) -> bool:
    one, other = normalised(answer), normalised(text_of(accepted))
    if one == other:
        return True
    whole = _NUMBER.fullmatch(one), _NUMBER.fullmatch(other)
    return all(whole) and _equal(number_in(one), number_in(other))


def _contains(answer: str, accepted: JSON) -> bool:
    """As words: "4" is neither in "42" nor in "3.4"."""
    wanted = normalised(text_of(accepted))
    before = r"(?<!\w)" if wanted[0].isalnum() else ""
    after = r"(?!\w)" if wanted[-1].isalnum() else ""
    before += r"(?<![0-9][.,])(?<![-+])" if wanted[0].isdigit() else ""
    after += r"(?![.,][0-9])" if wanted[-1].isdigit() else ""
    return re.search(before + re.escape(wanted) + after, normalised(answer)) is not None


def _number(answer: str, accepted: JSON) -> bool:
    return _equal(number_in(answer), number_in(text_of(accepted)))


def number_in(text: str) -> Decimal | None:
    """The last number in a text: 1,000 and 1e3 and 3/4 are numbers; None where there is none."""
    found = list(_NUMBER.finditer(text.replace("\u2212", "-")))
    if not found:
        return None
    top, _, bottom = found[-1][0].replace(",", "").partition("/")
    if bottom and not Decimal(bottom):
        return None
    return Decimal(top) / Decimal(bottom) if bottom else Decimal(top)


def _equal(one: Decimal | None, other: Decimal | None) -> bool:
    if one is None or other is None:
        return False
    if one == other or (one == one.to_integral_value() and other == other.to_integral_value()):
        return one == other
    return math.isclose(float(one), float(other), rel_tol=NUMBER_TOLERANCE)


def _regex(answer: str, accepted: JSON) -> bool:
    """The whole answer, white space around it aside."""
    try:
        return _pattern(text_of(accepted)).fullmatch(answer.strip(), timeout=REGEX_SECONDS) is not None
    except TimeoutError as error:
        raise ContractError(
            f"the pattern {text_of(accepted)!r:.80} takes more than {REGEX_SECONDS} s for an answer of {len(answer)} "
            "characters: write it without repetitions inside repetitions"
        ) from error


def _pattern(text: str) -> Any:
    try:
        return regex.compile(text)  # keeps the compiled ones
    except (regex.error, RecursionError, OverflowError) as error:
        raise UsageError(f"answer {text!r:.60} is no regular expression: {error}") from error


def _json(answer: str, accepted: JSON) -> bool:
    said = _canonical(_unfenced(answer))
    wanted = _canonical(accepted) if isinstance(accepted, str) else None
    return said is not None and said == (wanted or _canonical(json.dumps(accepted)))


def _unfenced(text: str) -> str:
    """Without the fence that chat models put around code."""
    text = text.strip()
    if text.startswith("```") and text.endswith("```"):
        text = text[3:-3].removeprefix("json")
    return text


def _canonical(text: str) -> str | None:
    """JSON text with sorted keys and one way to write a number; None where it is no JSON."""
    try:
        value = json.loads(text, parse_float=_float, parse_constant=_no_constant)
        return json.dumps(value, sort_keys=True)
    except (ValueError, RecursionError):
        return None


def _float(text: str) -> float | int:
    number = float(text)
    return int(number) if abs(number) < LARGEST_EXACT and number.is_integer() else number


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _choice(answer: str, accepted: JSON) -> bool:
    wanted = chosen(text_of(accepted))
    return wanted is not None and chosen(answer) == wanted


def chosen(text: str) -> str | None:
    """The letter of the choice that an answer makes, in upper case; None where it makes none.

    "b", "(B)", "B) Paris", "The answer is B", "Option B, since ..." and a last "(B)" choose B.
    """
    text = " ".join(text.split())
    found = _LETTER.fullmatch(text) or _LABEL.match(text)
    if found is None:
        said = list(_SAID.finditer(text)) or list(_BRACKETED.finditer(text))
        found = said[-1] if said else None
    return found[1].upper() if found else None


_BY_NAME: Mapping[Match, Callable[[str, JSON], bool]] = {
    "exact": _exact,
    "normalised": _normalised,
    "contains": _contains,
    "number": _number,
    "regex": _regex,
    "json": _json,
    "choice": _choice,
}
