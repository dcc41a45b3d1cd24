"""Wordle's word lists and their split into train, validation and test answers."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib import resources
from typing import Final, Literal, get_args

Split = Literal["train", "validation", "test"]

TEST_SHARE: Final = 0.17
VALIDATION_SHARE: Final = 0.085


def _read(name: str) -> tuple[str, ...]:
    text = resources.files("rftgym_wordle").joinpath("data", name).read_text(encoding="ascii")
    return tuple(text.split())


@lru_cache(maxsize=1)
def answers() -> tuple[str, ...]:
    """Every word that can be a secret, sorted."""
    return _read("answers.txt")


@lru_cache(maxsize=1)
def guesses() -> frozenset[str]:
    """Every word that may be guessed; holds all answers."""
    return frozenset(_read("guesses.txt"))


def split_of(word: str) -> Split:
    """Which split a word belongs to, decided by the word alone.

    A word never changes its split when the list around it grows or shrinks.
    """
    digest = hashlib.sha256(b"rftgym-wordle:" + word.encode()).digest()
    share = int.from_bytes(digest[:8], "big") / 2**64
    if share < TEST_SHARE:
        return "test"
    return "validation" if share < TEST_SHARE + VALIDATION_SHARE else "train"


@lru_cache(maxsize=3)
def answers_in(split: Split) -> tuple[str, ...]:
    """The answers of one split, sorted.

    Raises:
        ValueError: `split` is none of train, validation, test.
    """
    if split not in get_args(Split):
        raise ValueError(f"unknown split {split!r}: use one of {', '.join(get_args(Split))}")
    return tuple(word for word in answers() if split_of(word) == split)
