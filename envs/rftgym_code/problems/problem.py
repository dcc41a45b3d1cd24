"""What a hand-written problem is made of, and how its test inputs are drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

Arguments = tuple[Any, ...]
Draw = Callable[[Random], Arguments]
Steps = tuple[tuple[str, Arguments], ...]
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem with its reference solution, and wrong solutions that its tests must catch.

    Attributes:
        level: 1 (a line or two) to 5 (an algorithm with traps), as its author sees it.
        source: the reference: one function or class with signature, docstring and examples, and nothing beside it.
        edges: arguments of tests that must be there; for a class, ``(arguments, steps)``.
        draw: arguments of a further test.
        slips: each (old, new) makes a wrong solution of the reference.
        in_place: the function is meant to change its arguments.
    """

    level: int
    source: str
    edges: tuple[Arguments, ...]
    draw: Draw
    slips: tuple[tuple[str, str], ...]
    in_place: bool = False


def ints(rng: Random, low: int, high: int, least: int, most: int) -> list[int]:
    """From ``least`` to ``most`` numbers between ``low`` and ``high``."""
    return [rng.randint(low, high) for _ in range(rng.randint(least, most))]


def word(rng: Random, least: int, most: int, letters: str = LETTERS) -> str:
    """From ``least`` to ``most`` letters."""
    return "".join(rng.choice(letters) for _ in range(rng.randint(least, most)))


def words(rng: Random, least: int, most: int, letters: str = LETTERS, longest: int = 6) -> list[str]:
    """From ``least`` to ``most`` words of one letter and more."""
    return [word(rng, 1, longest, letters) for _ in range(rng.randint(least, most))]


def sentence(rng: Random, least: int, most: int, letters: str = LETTERS) -> str:
    """Words with single blanks between."""
    return " ".join(words(rng, least, most, letters))


def grid(rng: Random, low: int, high: int, largest: int = 4, *, square: bool = False) -> list[list[int]]:
    """A matrix of numbers, with at least one row and column."""
    rows = rng.randint(1, largest)
    columns = rows if square else rng.randint(1, largest)
    return [[rng.randint(low, high) for _ in range(columns)] for _ in range(rows)]
