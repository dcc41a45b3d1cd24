"""Forced mates by exhaustive search: no evaluation, no pruning but what is proved, so that a mate is a mate."""

from __future__ import annotations

import chess

LONGEST = 3
"""Moves; a longer mate takes this search too long."""


class TooManyPositionsError(Exception):
    """The search has looked at as many positions as it may."""


class MateSearch:
    """Exhaustive search for forced mates.

    Args:
        positions: to look at in all; None = as many as it takes.
    """

    def __init__(self, positions: int | None = None) -> None:
        self._left = positions

    def first_moves(self, board: chess.Board, moves: int) -> list[chess.Move]:
        """Every move that forces mate within ``moves`` moves of the side to move, this one included.

        Ordered by their names. Draws by repetition or by fifty moves are not claimed.

        Raises:
            TooManyPositionsError: before all were looked at.
        """
        found = [move for move in _checks_first(board) if self._mates(board, move, moves)]
        return sorted(found, key=chess.Move.uci)

    def distance(self, board: chess.Board, most: int = LONGEST) -> int | None:
        """Moves to the shortest forced mate of the side to move; None where it is longer than ``most``."""
        return next((n for n in range(1, most + 1) if self._can_mate(board, n)), None)

    def _can_mate(self, board: chess.Board, moves: int) -> bool:
        return any(self._mates(board, move, moves) for move in _checks_first(board))

    def _mates(self, board: chess.Board, move: chess.Move, moves: int) -> bool:
        """Whether ``move`` forces mate: now, or whatever is replied."""
        if moves == 1 and not board.gives_check(move):
            return False
        self._count()
        board.push(move)
        try:
            replies = list(board.legal_moves)
            if not replies:
                return board.is_check()
            if moves == 1 or board.is_insufficient_material():
                return False
            return all(
                self._mated_after(board, reply, moves - 1) for reply in _defences_first(board, replies)
            )
        finally:
            board.pop()

    def _mated_after(self, board: chess.Board, reply: chess.Move, moves: int) -> bool:
        self._count()
        board.push(reply)
        try:
            return any(self._can_mate(board, n) for n in range(1, moves + 1))
        finally:
            board.pop()

    def _count(self) -> None:
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise TooManyPositionsError


def _checks_first(board: chess.Board) -> list[chess.Move]:
    return sorted(board.legal_moves, key=board.gives_check, reverse=True)


def _defences_first(board: chess.Board, replies: list[chess.Move]) -> list[chess.Move]:
    """What most often refutes a mate first: checks, then captures, then the king's moves."""

    def rank(move: chess.Move) -> int:
        if board.gives_check(move):
            return 0
        if board.is_capture(move):
            return 1
        return 2 if board.piece_type_at(move.from_square) == chess.KING else 3

    return sorted(replies, key=rank)
