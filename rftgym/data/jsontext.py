"""JSON as the standard has it, one value at a time, and the elements of an array that is too big to hold."""

from __future__ import annotations

import codecs
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import IO, NoReturn

from rftgym.data.records import (
    DEEPEST,
    JSON,
    LONGEST_ROW_BYTES,
    BadRow,
    RawRow,
    Refused,
    check_utf8,
    one_line,
)
from rftgym.errors import UsageError

CHUNK_BYTES = 1024**2
_OUTSIDE = re.compile(r'["\[\]{},\n]')
_INSIDE = re.compile(r'["\\\n]')


def parsed(text: str) -> JSON:
    """One JSON value.

    Raises:
        Refused: it is no JSON, names a key twice, holds NaN, Infinity or a number too large for a float, or is nested
            deeper than :data:`~rftgym.data.records.DEEPEST`.
    """
    check_utf8(text)
    try:
        value: JSON = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite
        )
    except RecursionError:
        raise Refused(f"nested deeper than {DEEPEST} levels") from None
    except json.JSONDecodeError as error:
        where = f"character {error.pos + 1} of the row"
        raise Refused(f"not JSON ({error.msg.removesuffix(' at')} at {where})") from None
    except ValueError as error:  # an integer of thousands of digits
        raise Refused(f"not usable as JSON ({error})") from None
    _check_depth(value)
    return value


def row_of(line: int, source: str, text: str) -> RawRow | BadRow:
    """A row from the text of one JSON object."""
    try:
        value = parsed(text)
        if not isinstance(value, dict):
            raise Refused(f"expected a JSON object ({{...}}), got {kind_of(value)}")
        return RawRow(line, value)
    except Refused as refusal:
        return BadRow(source, line, str(refusal))


def kind_of(value: object) -> str:
    """A JSON value's type for people."""
    names = {dict: "an object", list: "a list", str: "text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def _unique(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    found = dict(pairs)
    if len(found) < len(pairs):
        (twice, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise Refused(f"the key {twice!r} stands twice in one object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise Refused(f"{name} is not JSON; write null or a number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise Refused(f"the number {text[:40]} is too large")
    return number


def _check_depth(value: JSON) -> None:
    level: list[JSON] = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return
    raise Refused(f"nested deeper than {DEEPEST} levels")


def array_rows(file: IO[bytes], source: str, limit: int = LONGEST_ROW_BYTES) -> Iterator[RawRow | BadRow]:
    """The elements of a JSON array as rows, each with the line on which it begins; one is in memory at a time.

    Args:
        limit: characters of an element; a longer one is a bad row.

    Raises:
        UsageError: the array's own brackets, quotes and commas are wrong, so that nobody can say where a row begins.
    """
    cutter = _Cutter(source, limit)
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    more = True
    while more:
        chunk = file.read(CHUNK_BYTES)
        more = bool(chunk)
        for line, text in cutter.feed(decoder.decode(chunk, final=not more)):
            if text is None:
                yield BadRow(source, line, f"the row is longer than {limit:,} characters")
            else:
                yield row_of(line, source, text)
    cutter.end()


class _Cutter:
    """Cuts an array's text at the commas of its first level.

    Only brackets, quotes and commas are looked at; whether an element is JSON is for its parser to say.
    """

    def __init__(self, source: str, limit: int) -> None:
        self._source, self._limit = source, limit
        self._line = self._start = 1  # where we are, and where the element at hand begins
        self._depth, self._elements = 0, 0
        self._in_string = self._escaped = self._over = False
        self._parts: list[str] = []
        self._held = 0

    def feed(self, text: str) -> Iterator[tuple[int, str | None]]:
        """Take the next piece of the array; give the elements that it completes, those too long as None."""
        if not text:
            return
        position, kept = int(self._escaped), 0
        self._escaped = False
        while (match := (_INSIDE if self._in_string else _OUTSIDE).search(text, position)) is not None:
            position, sign = match.end(), match[0]
            if sign == "\\":
                self._escaped = position == len(text)
                position += 1
            elif sign == '"':
                self._in_string = not self._in_string
            elif sign == "\n":
                self._keep(text[kept : match.start()])
                self._next_line()
                kept = match.start()
            elif self._separates(sign):
                self._keep(text[kept : match.start()])
                kept = position
                yield from self._cut(sign)
        self._keep(text[kept:])

    def end(self) -> None:
        """There is no more text.

        Raises:
            UsageError: the array was not closed.
        """
        if not self._over:
            what = "the row that begins here does not end" if self._held else "the list does not end"
            self._fail(what, self._start if self._held else self._line)

    def _separates(self, sign: str) -> bool:
        if sign == ",":
            return self._depth <= 1
        self._depth += 1 if sign in "[{" else -1
        return self._depth <= (1 if sign in "[{" else 0)

    def _next_line(self) -> None:
        if self._in_string:
            self._fail("a text in the row that begins here does not end on its line", self._start)
        self._line += 1

    def _keep(self, text: str) -> None:
        if not self._held:
            text = text.lstrip(" \t\r\n")
            self._start = self._line
        if text and self._over:
            self._fail(f"{one_line(text, 20)!r} behind the end of the list")
        self._held += len(text)
        if self._held <= self._limit:
            self._parts.append(text)
        else:
            self._parts.clear()

    def _cut(self, sign: str) -> Iterator[tuple[int, str | None]]:
        """The element before a sign of the first level, where there has to be one."""
        if self._over or sign in "{}" or (sign == "," and not self._depth):
            self._fail(f"{sign!r} does not belong here")
        if not self._held and (sign == "," or (sign == "]" and self._elements)):
            self._fail(f"a row is missing before {sign!r}")
        if self._held:
            self._elements += 1
            yield self._start, "".join(self._parts) if self._held <= self._limit else None
        self._over = sign == "]"
        self._parts, self._held = [], 0

    def _fail(self, reason: str, line: int | None = None) -> NoReturn:
        raise UsageError(f"{self._source}, line {line or self._line}: {reason}")
