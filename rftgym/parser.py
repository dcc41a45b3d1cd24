"""Reading an answer out of a completion."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Any, NamedTuple

from rftgym.errors import UsageError


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

    The last complete pair wins, so that a model may think aloud first; well-formed means that there is exactly one pair
    and neither tag stands anywhere else. What a reasoning model writes up to its last ``</think>``, or behind a
    ``<think>`` that it never closed, is thought and not said: tags in there do not count, in either way.

    Args:
        tag: the name between the angle brackets.
        thoughts: the tag around thoughts; None where there are none to leave out.

    Raises:
        UsageError: a tag is no name.
    """

    def __init__(self, tag: str = "answer", *, thoughts: str | None = "think") -> None:
        for name in (tag, thoughts or "think"):
            if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name):
                raise UsageError(f"tag {name!r} is not a name (letters, digits, '_' and '-')")
        self.tag = tag
        self._open, self._close = f"<{tag}>", f"</{tag}>"
        self._inside = slice(len(self._open), -len(self._close))
        self._thoughts = None if thoughts in (None, tag) else (f"<{thoughts}>", f"</{thoughts}>")

    def parse(self, completion: str) -> Parsed:
        """Linear in the completion's length whatever it holds."""
        opens, closes = self._open, self._close
        if completion.startswith(opens) and completion.endswith(closes) and completion.count("<") == 2:
            return Parsed(completion[self._inside].strip(), True)  # the usual case, and a quick one
        said = self._said(completion)
        end = said.rfind(closes)
        start = said.rfind(opens, 0, end) if end >= 0 else -1
        if start < 0:
            return Parsed(None, False)
        once = said.count(opens) == 1 and said.count(closes) == 1
        return Parsed(said[start + len(opens) : end].strip(), once)

    def _said(self, completion: str) -> str:
        if self._thoughts is None:
            return completion
        begin, end = self._thoughts
        # Many chat templates open the thought themselves, so that its end is all there is to see.
        return completion.rpartition(end)[2].partition(begin)[0]
