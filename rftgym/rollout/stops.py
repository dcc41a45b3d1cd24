"""Find stop strings while tokens arrive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class StopStrings:
    """Tells after each new token whether a completion's text now contains a stop string.

    Args:
        tokenizer: a transformers tokenizer.
        stops: the strings; none means never.
    """

    def __init__(self, tokenizer: Any, stops: Sequence[str]) -> None:
        self._tokenizer, self._stops = tokenizer, tuple(stops)
        # Text that a token adds is at least one byte, so this many last tokens cover a stop string that ends with the
        # newest. A few more, since some tokenizers strip a leading space and a window may begin inside a character.
        self._window = max((len(stop.encode()) for stop in self._stops), default=0) + 4
        self._may_end: dict[int, bool] = {}

    def ended(self, tokens: Sequence[int], start: int) -> bool:
        """Whether the last token completed a stop string; to be asked after every token of a completion.

        Args:
            tokens: of the whole row.
            start: where the completion begins in them.
        """
        if not self._stops:
            return False
        newest = tokens[-1]
        if newest not in self._may_end:
            self._may_end[newest] = self._can_complete(newest)
        if not self._may_end[newest]:
            return False
        text = decode(self._tokenizer, tokens[max(start, len(tokens) - self._window) :])
        return any(stop in text for stop in self._stops)

    def _can_complete(self, token: int) -> bool:
        """Asked once a token: only one that holds some stop's last character, or a piece of one, completes it."""
        text = decode(self._tokenizer, [token])
        return (
            not text
            or "\ufffd" in text
            or any(stop[-1] in text or stop[-1].isspace() for stop in self._stops)
        )


def decode(tokenizer: Any, tokens: Sequence[int]) -> str:
    """Text of tokens as they are: special tokens stay visible, spaces are not tidied."""
    text: str = tokenizer.decode(list(tokens), skip_special_tokens=False, clean_up_tokenization_spaces=False)
    return text
