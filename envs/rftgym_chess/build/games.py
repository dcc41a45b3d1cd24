"""Positions to look for puzzles in: games of a hasty, blundering engine against itself, and random endgames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import chess
import chess.engine

from rftgym_chess.build.analyst import Analyst, Line

HASTE = chess.engine.Limit(nodes=3_500)
LONGEST_GAME = 110
OPENING_PLIES = 6
BLUNDERS = 0.16
"""Share of moves that are played at random, so that there is something to punish."""
SPREAD = 60.0
"""Centipawns: among the engine's three favourites, one this much worse is played about a third as often."""
MEN = (
    "Pp", "PPp", "Ppp", "PPpp", "PPPpp", "RPr", "RPPrp", "Rp", "Rpp", "RPb", "Qp", "Qpp", "BPp", "BPb", "NPp", "NPb",
    "BPPn", "NPPn", "QPq", "RPPrpp", "BNp", "Np", "Bpp", "RRr", "Qr", "Qrp", "RPPbp", "PPb",
)  # fmt: skip
"""Pieces beside the kings in an endgame, white ones in capitals."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A position with what a hasty look at it says.

    Attributes:
        board: without history.
        last: the move that led to it; None where there was none.
        lines: the best lines at a low depth.
        source: a name for where it comes from; positions of one source resemble each other.
    """

    board: chess.Board
    last: chess.Move | None
    lines: tuple[Line, ...]
    source: str


def game(analyst: Analyst, seed: int, number: int) -> Iterator[Moment]:
    """The positions of one game, up to its end."""
    draw = Random(f"rftgym-chess:game:{seed}:{number}")
    board, last = chess.Board(), None
    for ply in range(LONGEST_GAME):
        if board.is_game_over(claim_draw=True):
            return
        if ply < OPENING_PLIES:
            last = draw.choice(sorted(board.legal_moves, key=chess.Move.uci))
            board.push(last)
            continue
        lines = tuple(analyst.lines(board, HASTE, 3))
        yield Moment(board.copy(stack=False), last, lines, f"game-{seed}-{number}")
        last = _hasty(board, lines, draw)
        board.push(last)


def _hasty(board: chess.Board, lines: tuple[Line, ...], draw: Random) -> chess.Move:
    if draw.random() < BLUNDERS:
        return draw.choice(sorted(board.legal_moves, key=chess.Move.uci))
    weights = [2.718 ** ((line.value - lines[0].value) / SPREAD) for line in lines]
    return draw.choices([line.moves[0] for line in lines], weights)[0]


def endgame(analyst: Analyst, seed: int, number: int) -> Moment | None:
    """One random endgame; None where the pieces fell onto an impossible position."""
    draw = Random(f"rftgym-chess:endgame:{seed}:{number}")
    board = placed(draw, draw.choice(MEN))
    if board is None:
        return None
    if draw.random() < 0.5:
        board = board.mirror()
    return Moment(board, None, tuple(analyst.lines(board, HASTE, 3)), f"endgame-{seed}-{number}")


def placed(draw: Random, men: str) -> chess.Board | None:
    """Kings and ``men`` (white ones in capitals) on random squares, White to move; None where that cannot be."""
    board = chess.Board(None)
    for square, symbol in zip(draw.sample(range(64), len(men) + 2), "Kk" + men, strict=True):
        if symbol in "Pp" and chess.square_rank(square) in (0, 7):
            return None
        board.set_piece_at(square, chess.Piece.from_symbol(symbol))
    return board if board.is_valid() and not board.is_game_over() else None
