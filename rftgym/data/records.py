"""The records of this package, and the limits that keep a hostile file from taking the machine along."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from rftgym.types import Message

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"

LONGEST_ROW_BYTES = 16 * 1024**2
"""A longer line, array element or parquet row is refused; it is read past in pieces and never held in memory."""
DEEPEST = 64
"""Lists and objects inside one another."""
LONGEST_REASON = 200
"""Characters of a reason; what stands in the row may be quoted in it."""
SPLIT_NAMES: Mapping[str, str] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "eval": "validation",
    "test": "test",
    "testing": "test",
}
"""What people call the three splits, and what they are called here."""

_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")


class Refused(Exception):
    """A row cannot be used; the message is the reason. It becomes a :class:`BadRow`."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used.

    Attributes:
        source: the file.
        line: where the row begins, from 1: a line of text; in parquet the row's number.
        reason: one line for a person.
    """

    source: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.source}, line {self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row as its file holds it: values by field, before anybody has looked at what they mean."""

    line: int
    value: dict[str, JSON]


@dataclass(frozen=True, slots=True)
class Example:
    """One row in the one form that everything here becomes.

    Attributes:
        messages: the conversation: a system message or none, then user and assistant in turns.
        extra: the row's further fields, untouched: an answer, a split, a criterion for a reward.
        source: the file; ``line`` is where the row begins in it.
        plain: text without turns, in a single assistant message: no chat template is to be put around it.
    """

    messages: tuple[Message, ...]
    extra: dict[str, JSON] = field(default_factory=dict)
    source: str = ""
    line: int = 0
    plain: bool = False

    @property
    def prompt(self) -> tuple[Message, ...]:
        """The messages before the last one of the assistant; all of them where the assistant does not come last."""
        return self.messages[:-1] if self.messages[-1].role == "assistant" else self.messages

    @property
    def answer(self) -> str | None:
        """The assistant's last message, where the conversation ends with it."""
        return self.messages[-1].content if self.messages[-1].role == "assistant" else None

    @property
    def split(self) -> str | None:
        """The split that the row says it is of, by its name here; None where it says none."""
        said = self.extra.get("split")
        return SPLIT_NAMES[said.lower()] if isinstance(said, str) and said else None


def decoded(data: bytes) -> str:
    """Bytes as text; those that are not UTF-8 stay recognisable, and :func:`check_utf8` finds them."""
    return data.decode("utf-8", "surrogateescape")


def check_utf8(text: str, what: str = "the row") -> None:
    """Refuse decoded text that was not UTF-8.

    Raises:
        Refused: names the byte and its place in ``what``.
    """
    found = None if text.isascii() else _ESCAPED_BYTE.search(text)
    if found is not None:
        place = len(text[: found.start()].encode("utf-8", "surrogateescape")) + 1
        raise Refused(f"not UTF-8: byte 0x{ord(found[0]) - 0xDC00:02x} at byte {place} of {what}")


def one_line(text: str, longest: int = LONGEST_REASON) -> str:
    """A text that may quote anything, fit for one line of a terminal: no line breaks, no control characters."""
    clean = " ".join("".join(c if c.isprintable() else " " for c in text[: 2 * longest]).split())
    return clean if len(clean) <= longest else f"{clean[: longest - 1]}…"
