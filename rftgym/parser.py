"""Reading an answer out of a completion."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Any, NamedTuple


class Parsed(NamedTuple):
    """What a parser found.

    Attributes:
        answer: None where there is none.
        well_formed: the completion follows the format to the letter.
    """

    answer: Any
    well_formed: bool


class Parser(ABC):
    """Turns a completion into an answer. Must accept any text: a malformed completion is data, not an exception."""

    @abstractmethod
    def parse(self, completion: str) -> Parsed:
        """Find the answer in a completion."""


class TextParser(Parser):
    """The whole completion, stripped, is the answer."""

    def parse(self, completion: str) -> Parsed:
        """An empty completion has no answer."""
        text = completion.strip()
        return Parsed(text or None, bool(text))


class TagParser(Parser):
    """The text between ``<tag>`` and ``</tag>``.

    The last complete pair wins, so that a model may think aloud first; well-formed means that there is exactly one pair and
    neither tag stands anywhere else.
    """

    def __init__(self, tag: str = "answer") -> None:
        if not re.fullmatch(r"[A-Za-z][\w-]*", tag):
            raise ValueError(f"tag {tag!r} is not a name (letters, digits, '_' and '-')")
        self.tag = tag
        self._open, self._close = f"<{tag}>", f"</{tag}>"

    def parse(self, completion: str) -> Parsed:
        """Linear in the completion's length whatever it holds."""
        end = completion.rfind(self._close)
        start = completion.rfind(self._open, 0, end) if end >= 0 else -1
        if start < 0:
            return Parsed(None, False)
        inside = completion[start + len(self._open) : end].strip()
        once = completion.count(self._open) == 1 and completion.count(self._close) == 1
        return Parsed(inside, once)
