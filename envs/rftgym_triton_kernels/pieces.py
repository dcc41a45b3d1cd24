"""Pieces of a written answer: what stands there, and what people put there by mistake."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slip:
    """A mistake at one place: its kind (see `rftgym_triton_kernels.habits`) and the text that then stands there."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of an answer: the right text, and the slips that may take its place.

    Attributes:
        text: the right text.
        slips: what may stand there instead.
        fixed: the text is a phrase of the template, not a name or a number of the problem.
    """

    text: str
    slips: tuple[Slip, ...] = ()
    fixed: bool = True


def own(text: str) -> Piece:
    """A name or a number that comes from the problem."""
    return Piece(text, fixed=False)


def right(pieces: Iterable[Piece]) -> str:
    """The answer without a mistake."""
    return "".join(piece.text for piece in pieces)


def choices(piece: Piece, habits: Mapping[str, float]) -> list[tuple[str, float]]:
    """What may stand at a piece, with its share: the right text first; slips of one kind divide that kind's share."""
    kinds = [slip.kind for slip in piece.slips]
    slips = [(slip.text, habits.get(slip.kind, 0.0) / kinds.count(slip.kind)) for slip in piece.slips]
    slips = [(text, share) for text, share in slips if share > 0]
    return [(piece.text, 1.0 - sum(share for _, share in slips)), *slips]


def draw(pieces: Iterable[Piece], habits: Mapping[str, float], chance: random.Random) -> list[int]:
    """Which of its `choices` each piece takes."""
    picked = []
    for piece in pieces:
        if not piece.slips:
            picked.append(0)
            continue
        shares = [share for _, share in choices(piece, habits)]
        picked.append(chance.choices(range(len(shares)), shares)[0])
    return picked


def spoilt(pieces: Iterable[Piece], habits: Mapping[str, float], chance: random.Random) -> str:
    """The answer with mistakes as the habits have it."""
    pieces = list(pieces)
    picked = draw(pieces, habits, chance)
    return "".join(
        choices(piece, habits)[pick][0] if pick else piece.text
        for piece, pick in zip(pieces, picked, strict=True)
    )
