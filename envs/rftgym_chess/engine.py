"""A small chess engine of our own: plays weakly, quickly and the same every time. Opponent, and imperfect player."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

import chess

PAWN: Final = 100
VALUES: Final = (
    (chess.PAWN, PAWN),
    (chess.KNIGHT, 320),
    (chess.BISHOP, 330),
    (chess.ROOK, 500),
    (chess.QUEEN, 900),
)
"""Centipawns by kind of piece."""
WORTH: Final = {**dict(VALUES), chess.KING: 0}
MATE: Final = 30_000
NOISE: Final = 15
"""Centipawns: the engine does not tell moves apart that differ by less."""
CAPTURE_PLIES: Final = 4
"""That captures are followed beyond the depth of the search."""
CENTRE: Final = chess.SquareSet(
    square
    for square in chess.SQUARES
    if chess.square_file(square) in range(2, 6) and square // 8 in range(2, 6)
).mask
ADVANCED: Final = (
    (chess.BB_RANK_5 | chess.BB_RANK_6, chess.BB_RANK_7),
    (chess.BB_RANK_4 | chess.BB_RANK_3, chess.BB_RANK_2),
)
"""Where White's pawns, and Black's, have come far, and very far."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How a player chooses.

    Attributes:
        depth: plies that it looks ahead; 0 chooses at random.
        blunders: share of moves that it plays at random.
    """

    depth: int
    blunders: float


def material(board: chess.Board, colour: chess.Color) -> int:
    """Centipawns by which ``colour`` has more than the other."""
    own, other = board.occupied_co[colour], board.occupied_co[not colour]
    total = 0
    for kind, worth in VALUES:
        pieces = board.pieces_mask(kind, True) | board.pieces_mask(kind, False)
        total += worth * (chess.popcount(pieces & own) - chess.popcount(pieces & other))
    return total


def evaluate(board: chess.Board) -> int:
    """Centipawns for the side to move: material, pieces in the centre, pawns far up, and a lone king at the edge."""
    return _positional(board, board.turn) - _positional(board, not board.turn) + material(board, board.turn)


def _positional(board: chess.Board, colour: chess.Color) -> int:
    own = board.occupied_co[colour]
    far, very_far = ADVANCED[not colour]
    total = 8 * chess.popcount(own & CENTRE & ~board.kings)
    total += 15 * chess.popcount(own & board.pawns & far) + 60 * chess.popcount(own & board.pawns & very_far)
    if board.occupied_co[not colour] & ~(board.kings | board.pawns) == 0 and own & ~board.kings:
        total += _chase(board, colour)
    return total


def _chase(board: chess.Board, colour: chess.Color) -> int:
    """Centipawns for driving a king without pieces to the edge, one's own king near it."""
    own, other = board.king(colour), board.king(not colour)
    if own is None or other is None:
        return 0
    file, rank = chess.square_file(other), chess.square_rank(other)
    to_edge = min(file, 7 - file) + min(rank, 7 - rank)
    return 12 * (6 - to_edge) + 6 * (8 - chess.square_distance(own, other))


def search(board: chess.Board, depth: int, alpha: int = -MATE, beta: int = MATE) -> int:
    """Centipawns for the side to move by alpha-beta to ``depth`` plies, captures followed further."""
    if not any(board.legal_moves):
        return -MATE + board.ply() if board.is_check() else 0
    if depth <= 0:
        return settle(board, CAPTURE_PLIES, alpha, beta)
    for move in _captures_first(board, list(board.legal_moves)):
        board.push(move)
        value = -search(board, depth - 1, -beta, -alpha)
        board.pop()
        if value >= beta:
            return value
        alpha = max(alpha, value)
    return alpha


def settle(board: chess.Board, plies: int, alpha: int = -MATE, beta: int = MATE) -> int:
    """Centipawns for the side to move when both sides take, or stop taking, as they like for some plies."""
    value = evaluate(board)
    if value >= beta or plies == 0:
        return value
    alpha = max(alpha, value)
    for move in _captures_first(board, list(board.generate_legal_captures())):
        board.push(move)
        value = -settle(board, plies - 1, -beta, -alpha)
        board.pop()
        if value >= beta:
            return value
        alpha = max(alpha, value)
    return alpha


def _captures_first(board: chess.Board, moves: list[chess.Move]) -> list[chess.Move]:
    """Big victims first, then promotions, then the rest in the order of their names."""

    def rank(move: chess.Move) -> tuple[int, int, int, int]:
        victim = board.piece_type_at(move.to_square)
        attacker = board.piece_type_at(move.from_square) or 0
        gain = WORTH[victim] if victim else 0
        return -gain - WORTH.get(move.promotion or chess.KING, 0), attacker, move.from_square, move.to_square

    return sorted(moves, key=rank)


def choose(board: chess.Board, habits: Habits, draw: Random) -> chess.Move:
    """A move of the side to move.

    Args:
        board: there must be a legal move; it is left as it was.
        habits: of the player.
        draw: the only source of chance.
    """
    moves = sorted(board.legal_moves, key=chess.Move.uci)
    if habits.depth == 0 or draw.random() < habits.blunders:
        return draw.choice(moves)
    noise = {move: draw.randrange(NOISE) for move in moves}
    best, chosen = -2 * MATE, moves[0]
    for move in _captures_first(board, moves):
        board.push(move)
        # A move that is no better than the best so far need not be known exactly.
        value = -search(board, habits.depth - 1, -MATE, -(best - NOISE)) + noise[move]
        board.pop()
        if value > best:
            best, chosen = value, move
    return chosen


def keeps_material(board: chess.Board, move: chess.Move) -> bool:
    """Whether the other side, by taking and being taken back, comes out no better off than before the move."""
    before = material(board, board.turn)
    board.push(move)
    after = before if board.is_checkmate() else -_exchanged(board, CAPTURE_PLIES)
    board.pop()
    return after > before - PAWN


def _exchanged(board: chess.Board, plies: int, alpha: int = -MATE, beta: int = MATE) -> int:
    """Material for the side to move when both take, or stop taking, as they like."""
    value = material(board, board.turn)
    if value >= beta or plies == 0:
        return value
    alpha = max(alpha, value)
    for move in _captures_first(board, list(board.generate_legal_captures())):
        board.push(move)
        value = -_exchanged(board, plies - 1, -beta, -alpha)
        board.pop()
        if value >= beta:
            return value
        alpha = max(alpha, value)
    return alpha
