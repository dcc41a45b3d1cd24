"""A game in progress: moves, replies, how it ends, and how far it has got."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import chess

from rftgym_chess.opponents import Plan

STRIKES: Final = 3
"""Answers without a legal move; at the last of them the game is lost."""
POINTS: Final = {chess.PAWN: 1, chess.KNIGHT: 3, chess.BISHOP: 3, chess.ROOK: 5, chess.QUEEN: 9}
"""Pawn 1, knight 3, bishop 3, rook 5, queen 9."""
HALF_WON: Final = 8
"""Points of material won at which half of the progress is made; more is worth no more."""

End = Literal["win", "loss", "draw", "lead", "moves used up", "no legal moves given"]


@dataclass(slots=True)
class Game:
    """A game against an opponent.

    Attributes:
        board: the position, the policy to move.
        colour: the policy's.
        plan: of the opponent.
        goal: "win" (checkmate) or "lead" (be so far ahead at the end).
        lead: points, where that is the goal.
        limit: moves that the policy has.
        before: points that it was ahead at the start; may be negative.
        made: moves that it has made.
        strikes: answers without a legal move.
        progress: how far it has got, 0 to 1, by the material won.
    """

    board: chess.Board
    colour: chess.Color
    plan: Plan
    goal: str
    lead: int
    limit: int
    before: int
    made: int = 0
    strikes: int = 0
    progress: float = 0.0

    @property
    def left(self) -> int:
        """Moves that the policy may still make."""
        return self.limit - self.made

    def end(self) -> End | None:
        """How the game has ended; None where it goes on. To be asked after each move of either side."""
        board = self.board
        if self.strikes >= STRIKES:
            return "no legal moves given"
        if board.is_checkmate():
            return "loss" if board.turn == self.colour else "win"
        if is_draw(board):
            return "draw"
        if self.left > 0 or board.turn != self.colour:
            return None
        reached = self.goal == "lead" and points_ahead(board, self.colour) >= self.lead
        return "lead" if reached else "moves used up"

    def reached(self, end: End | None) -> bool:
        """Whether the task's goal is reached; checkmate reaches every goal."""
        return end in ("win", "lead")

    def advanced(self, end: End | None) -> float:
        """What was gained since this was last asked: differences of a potential, so that no detour pays."""
        before = self.progress
        self.progress = self._standing(end)
        return self.progress - before

    def _standing(self, end: End | None) -> float:
        """1 where the goal is reached, 0 where the game is lost or drawn, else up to 0.5 for material won."""
        if self.reached(end):
            return 1.0
        if end in ("loss", "draw", "no legal moves given"):
            return 0.0
        won = points_ahead(self.board, self.colour) - self.before
        return max(0, min(won, HALF_WON)) / (2 * HALF_WON)  # sixteenths: they add up without rounding


def is_draw(board: chess.Board) -> bool:
    """Stalemate, too little material, a position for the third time, or fifty moves without capture or pawn move."""
    return (
        board.is_stalemate()
        or board.is_insufficient_material()
        or board.halfmove_clock >= 100
        or board.is_repetition(3)
    )


def points_ahead(board: chess.Board, colour: chess.Color) -> int:
    """Points of material by which ``colour`` is ahead."""
    return sum(
        worth * (len(board.pieces(kind, colour)) - len(board.pieces(kind, not colour)))
        for kind, worth in POINTS.items()
    )
