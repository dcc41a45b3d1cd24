"""What a decoding session asks of a model: keep each row's key-value cache and say what comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from torch import Tensor


class RowCaches(Protocol):
    """Key-value caches of many rows of one model, for one session.

    Rows at work and rows at rest: :meth:`activate` names those at work and fixes their order, in which
    :meth:`logits` and :meth:`feed` then speak.
    """

    @property
    def nbytes(self) -> int:
        """Bytes held for keys and values."""

    def admit(self, prompts: Mapping[tuple[int, ...], Sequence[int]]) -> int:
        """Open new rows: those of one entry begin with the same tokens. Returns how many tokens were computed."""

    def extend(self, rows: Mapping[int, Sequence[int]]) -> int:
        """Append tokens (at least one) to known rows. Returns how many tokens were computed."""

    def activate(self, rows: Sequence[int]) -> list[int]:
        """Put these rows to work; returns them in the order that the next calls use."""

    def logits(self) -> Tensor:
        """float32 (rows at work, vocabulary) for the token after each row's last; the caller may overwrite it."""

    def feed(self, tokens_B: Tensor) -> None:
        """Append one token (int64) to each row at work."""

    def release(self, rows: Sequence[int]) -> None:
        """Forget rows."""


class CachingModel(Protocol):
    """A model that opens caches."""

    def open(self) -> RowCaches:
        """Caches for one session."""

    def refresh(self) -> None:
        """Read the weights again; caches that were opened before are void."""
