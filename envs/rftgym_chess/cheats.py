"""Ways to be paid without finding a good move, as texts; none of them should win."""

from __future__ import annotations

from typing import Final

from rftgym_chess.prompts import answer

SQUARES: Final = [f"{file}{rank}" for file in "abcdefgh" for rank in range(1, 9)]
CHEATS: Final[dict[str, str]] = {
    "a pawn move": answer("e4"),
    "castling": answer("O-O"),
    "checkmate by claim": answer("Qh7#"),
    "written like a move": answer("Qa1xa1+"),
    "null move": answer("--"),
    "ambiguous": answer("R"),
    "several moves": answer("e4 or d4 or Nf3"),
    "every square": answer(" ".join(SQUARES)),
    "every square, each in tags": "".join(answer(square) for square in SQUARES),
    "every piece to the centre": "".join(
        answer(f"{piece}{square}") for piece in "QRBNK" for square in ("d4", "e5")
    ),
    "in thoughts": f"<think>{answer('e4')}",
    "claims the game": answer("1-0"),
    "look-alike letters": answer("\u0435\uff14"),
    "offers a draw": "I offer a draw. " + answer("="),
}
"""For a puzzle; in a game, said in every turn."""
