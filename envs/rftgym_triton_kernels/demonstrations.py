"""Imperfect demonstrations: problems with answers that have a share of the usual mistakes.

Made for supervised fine-tuning and for the bundled model `tiny-kernels`. They hold the problems of the train split and
procedural functions; no function that equals a validation or test problem occurs, under whatever name (see
`rftgym_triton_kernels.held_out`). Demonstration `i` depends on (seed, i) and the habits alone.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from rftgym_triton_kernels import prompts
from rftgym_triton_kernels.held_out import fingerprint, held_out_prints, numbers_of, rows
from rftgym_triton_kernels.kernel_writer import write_kernel
from rftgym_triton_kernels.pieces import Piece, spoilt
from rftgym_triton_kernels.practice import practice
from rftgym_triton_kernels.templates import read_reference
from rftgym_triton_kernels.translate import Untranslatable

TRAIN_SHARE: Final = 0.04
"""Share of demonstrations that are about a problem of the train split; the rest is procedural."""
HABITS: Final[Mapping[str, float]] = {
    "imports": 0.06,
    "constexpr": 0.06,
    "index": 0.14,
    "spelling": 0.05,
    "bound": 0.12,
    "load": 0.14,
    "widening": 0.10,
    "operator": 0.02,
    "function": 0.05,
    "axis": 0.08,
    "neutral": 0.08,
    "divisor": 0.08,
    "place": 0.10,
    "stride": 0.10,
    "store": 0.14,
    "contiguous": 0.06,
    "size": 0.08,
    "grid": 0.12,
    "guard": 0.06,
    "passed": 0.08,
    "block": 0.12,
    "fixed": 0.06,
    "power": 0.06,
    "return": 0.10,
}
"""How often each kind of mistake happens at each place where it can."""


@dataclass(frozen=True, slots=True)
class Exercise:
    """A problem and its answer in pieces.

    Attributes:
        problem: name, signature, doc and reference.
        pieces: the right answer, with the slips that may happen in it.
    """

    problem: Mapping[str, Any]
    pieces: tuple[Piece, ...]


def exercise(split: str, series: str | int, index: int) -> Exercise:
    """Exercise number `index` of a series.

    Args:
        split: "train"; nothing is ever shown about other splits.
        series: a seed, or a name made of some.
        index: counts from 0.
    Raises:
        ValueError: for another split.
    """
    if split != "train":
        raise ValueError(f"demonstrations are of the train split, not of {split!r}")
    chance = random.Random(f"rftgym-triton-kernels:exercise:{series}:{index}")
    if chance.random() < TRAIN_SHARE:
        return chance.choice(train_exercises())
    while True:
        found = _procedural(chance.getrandbits(62))
        if found is not None:
            return found


def _procedural(seed: int) -> Exercise | None:
    """An exercise about a procedural function; None where it does not run or equals a held-out problem."""
    function = practice(seed, 0)
    names = function.signature.partition("(")[2].removesuffix(")").split(", ")
    shown = fingerprint(function.name, function.reference, names, function.numbers)
    if shown is None or shown in held_out_prints():
        return None
    try:
        pieces = write_kernel(read_reference(function.signature, function.reference, function.numbers))
    except Untranslatable:
        return None
    problem = {
        "name": function.name,
        "signature": function.signature,
        "doc": function.doc,
        "reference": function.reference,
    }
    return Exercise(problem, tuple(pieces))


@lru_cache(maxsize=1)
def train_exercises() -> tuple[Exercise, ...]:
    """The problems of the train split that the writer covers."""
    found = []
    for row in rows("train"):
        names = row["signature"].partition("(")[2].removesuffix(")").replace(" ", "").split(",")
        reference = read_reference(row["signature"], row["reference"], numbers_of(row, names))
        found.append(Exercise(row, tuple(write_kernel(reference))))
    return tuple(found)


def demonstrations(
    split: str, n: int, seed: int, *, habits: Mapping[str, float] = HABITS
) -> Iterator[tuple[dict[str, Any], str]]:
    """Problems with imperfect answers.

    Args:
        split: "train".
        n: how many.
        seed: of the series.
        habits: shares of mistakes; an empty mapping gives right answers.
    Yields:
        A problem's fields (name, signature, doc, reference; a problem of the train split has its cases too), and the
        answer between <kernel> and </kernel>.
    """
    for index in range(n):
        given = exercise(split, seed, index)
        chance = random.Random(f"rftgym-triton-kernels:demonstration:{seed}:{index}")
        yield dict(given.problem), spoilt(given.pieces, habits, chance)


def solution(row: Mapping[str, Any]) -> str | None:
    """A right answer to a problem, between <kernel> and </kernel>; None where the writer cannot translate it.

    Args:
        row: name, signature, doc, reference and cases.
    """
    names = row["signature"].partition("(")[2].removesuffix(")").replace(" ", "").split(",")
    try:
        pieces = write_kernel(
            read_reference(row["signature"], row["reference"], numbers_of(dict(row), names))
        )
    except Untranslatable:
        return None
    return spoilt(tuple(pieces), {}, random.Random(0))  # without habits nothing is drawn


def messages(problem: Mapping[str, Any], answer: str, version: tuple[int, int]) -> list[dict[str, str]]:
    """A demonstration as chat messages, for a version of Triton."""
    return [
        {"role": "system", "content": prompts.system(version)},
        {"role": "user", "content": prompts.problem(problem)},
        {"role": "assistant", "content": answer},
    ]
