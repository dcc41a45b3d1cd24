"""Positions that are the same problem: what mirroring colours, or left and right, makes of each other.

Twins share their solutions, so that they must not stand in two splits; and as twins teach the same in another dress,
demonstrations show them.
"""

from __future__ import annotations

import hashlib

import chess


def placed(board: chess.Board) -> str:
    """Pieces, side to move, castling rights and a possible en passant capture; no counters."""
    return board.epd(en_passant="legal")


def flipped(board: chess.Board) -> chess.Board:
    """The position with left and right exchanged.

    Raises:
        ValueError: somebody may castle, which has no counterpart on the other side.
    """
    if board.castling_rights:
        raise ValueError("a position with castling rights has no mirror image from left to right")
    return board.transform(chess.flip_horizontal)


def flipped_move(move: chess.Move) -> chess.Move:
    """The move that corresponds to one on the other half of the board."""
    return chess.Move(move.from_square ^ 7, move.to_square ^ 7, move.promotion)


def mirrored_move(move: chess.Move) -> chess.Move:
    """The move that corresponds to one when the colours change places (`chess.Board.mirror`)."""
    return chess.Move(
        chess.square_mirror(move.from_square), chess.square_mirror(move.to_square), move.promotion
    )


def twins(board: chess.Board) -> list[chess.Board]:
    """The position, its colour mirror and, where nobody may castle, both flipped from left to right."""
    found = [board, board.mirror()]
    return found if board.castling_rights else [*found, *(flipped(each) for each in found)]


def fingerprint(board: chess.Board) -> str:
    """Twelve hexadecimal digits which all twins of a position share."""
    key = min(placed(each) for each in twins(board))
    return hashlib.sha256(key.encode()).hexdigest()[:12]
