"""Positions from outside: a FEN that somebody wrote, read with care."""

from __future__ import annotations

from typing import Final

import chess

LONGEST_FEN: Final = 100


def board_of(fen: str) -> chess.Board:
    """The position of a FEN, which must be one that can be played on.

    Raises:
        ValueError: it is no FEN, the position cannot be, or the game is over; says which.
    """
    if len(fen) > LONGEST_FEN:
        raise ValueError(f"a FEN has at most {LONGEST_FEN} characters, this has {len(fen)}")
    try:
        board = chess.Board(fen)
    except ValueError as error:
        raise ValueError(f"{fen!r} is no FEN: {error}") from error
    status = board.status()
    if status != chess.STATUS_VALID:
        raise ValueError(f"{fen!r} is no position that can be: {_flaws(status)}")
    if outcome := board.outcome():
        how = outcome.termination.name.lower().replace("_", " ")
        raise ValueError(f"{fen!r}: the game is over ({how}), there is no move to find")
    return board


def _flaws(status: chess.Status) -> str:
    return (
        ", ".join(sorted(flag.name or "" for flag in chess.Status if flag & status)).lower().replace("_", " ")
    )
