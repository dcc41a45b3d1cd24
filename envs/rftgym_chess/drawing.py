"""A board as text: what the policy sees, and what people see in a terminal."""

from __future__ import annotations

from typing import Final

import chess

COLOURS: Final = {True: "White", False: "Black"}
RESET: Final = "\x1b[0m"
SQUARES: Final = ("\x1b[30;48;5;180m", "\x1b[30;48;5;137m", "\x1b[30;48;5;149m", "\x1b[30;48;5;107m")
"""Black on light and dark squares; then the same for the squares of the last move."""


def drawn(board: chess.Board) -> str:
    """Eight ranks from White's side, capitals for White, a dot for an empty square, with their names around."""
    ranks = []
    for rank in range(7, -1, -1):
        pieces = (board.piece_at(chess.square(file, rank)) for file in range(8))
        ranks.append(f"{rank + 1} " + " ".join(piece.symbol() if piece else "." for piece in pieces))
    return "\n".join([*ranks, "  a b c d e f g h"])


def coloured(board: chess.Board, last: chess.Move | None = None) -> str:
    """The same with figurines on coloured squares, the last move's marked."""
    marked = () if last is None else (last.from_square, last.to_square)
    ranks = []
    for rank in range(7, -1, -1):
        tiles = []
        for square in (chess.square(file, rank) for file in range(8)):
            piece = board.piece_at(square)
            shade = 2 * (square in marked) + ((rank + chess.square_file(square)) % 2 == 0)
            figure = piece.unicode_symbol() if piece else " "
            tiles.append(f"{SQUARES[shade]} {figure} {RESET}")
        ranks.append(f"{rank + 1} {''.join(tiles)}")
    return "\n".join([*ranks, "   " + "  ".join("abcdefgh")])
