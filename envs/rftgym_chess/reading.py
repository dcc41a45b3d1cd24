"""Reading a move as people and models write it: lenient about spelling, strict about meaning exactly one legal move."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

import chess

Kind = Literal["move", "no move", "unreadable", "ambiguous", "illegal"]
LONGEST: Final = 16
"""Characters; whatever is longer is no move."""
FIGURINES: Final = str.maketrans("♔♕♖♗♘♙♚♛♜♝♞♟×–—−‑", "KQRBNPKQRBNPx----")
_NUMBER = re.compile(r"^(?:[0-9]{1,3}\s?(?:\.{1,3}|…)\s?)?(?:(?:\.{2,3}|…)\s?)?")  # "12.", "12. ...", "..."
_REMARKS = re.compile(r"(?:\s?e\.?p\.?)?\s?[+#!?†‡]{0,4}\.?")
_CASTLING = re.compile(r"([0Oo])-\1(-\1)?")
_MOVE = re.compile(
    r"(?P<piece>[KQRBNPkqrn])?(?P<file>[a-h])?(?P<rank>[1-8])?(?P<takes>[x:])?-?(?P<to>[a-h][1-8])"
    r"(?:[=/]?(?P<promoted>[QRBNqrbn])|\((?P<bracketed>[QRBNqrbn])\))?"
)
_SQUARES = re.compile(r"[A-H][1-8][A-H][1-8][QRBN]?")


@dataclass(frozen=True, slots=True)
class Reading:
    """What an answer says.

    Attributes:
        kind: "move" where it is exactly one legal move; "no move" where nothing was answered, "unreadable" where it is
            no notation of a move, "ambiguous" where it fits several legal moves, "illegal" where it fits none.
        move: None unless the kind is "move".
        text: the answer, cut to `LONGEST` characters.
    """

    kind: Kind
    move: chess.Move | None = None
    text: str = ""

    @property
    def is_notation(self) -> bool:
        """Whether it is at least written as a move."""
        return self.kind in ("move", "ambiguous", "illegal")


def read_move(board: chess.Board, answer: object) -> Reading:
    """Read an answer: standard, long or coordinate (UCI) notation.

    Marks for captures, checks and comments may be there or not, and need not be true; so may a move number, the dots
    before Black's moves, or Markdown around it all. Figurines, zeros in castling, and ``e8=Q``, ``e8Q``, ``e8(Q)`` or
    ``e7e8q`` are understood. A promotion must name its piece.
    """
    if not isinstance(answer, str) or not answer.strip():
        return Reading("no move")
    text = answer.strip()
    if len(text) > LONGEST:
        return Reading("unreadable", text=text[:LONGEST])
    legal = list(board.legal_moves)
    fitting = _fitting(board, legal, _bare(text))
    if fitting is None:
        return Reading("unreadable", text=text)
    if len(fitting) == 1:
        return Reading("move", fitting[0], text)
    return Reading("ambiguous" if fitting else "illegal", text=text)


def _bare(text: str) -> str:
    """Without move number, remarks and the marks of bold or code in Markdown; figurines as letters."""
    text = _NUMBER.sub("", text.translate(FIGURINES).strip("*`"), count=1)
    for end in range(len(text)):
        if _REMARKS.fullmatch(text, end):
            return text[:end]
    return text


def _fitting(board: chess.Board, legal: list[chess.Move], text: str) -> list[chess.Move] | None:
    """The legal moves that a text may mean; None where it is no notation."""
    castling = _CASTLING.fullmatch(text)
    if castling:
        return [move for move in legal if _castles(board, move, far=castling[2] is not None)]
    written = _MOVE.fullmatch(text) or (_SQUARES.fullmatch(text) and _MOVE.fullmatch(text.lower()))
    if not written:
        return None
    return [move for move in legal if _fits(board, move, written)]


def _castles(board: chess.Board, move: chess.Move, *, far: bool) -> bool:
    return board.is_queenside_castling(move) if far else board.is_kingside_castling(move)


def _fits(board: chess.Board, move: chess.Move, written: re.Match[str]) -> bool:
    """Whether a legal move is one that a text may mean."""
    start, end = chess.square_name(move.from_square), chess.square_name(move.to_square)
    piece, file, rank = written["piece"], written["file"], written["rank"]
    if written["to"] != end or file not in (None, start[0]) or rank not in (None, start[1]):
        return False
    promoted = written["promoted"] or written["bracketed"]
    if promoted and (move.promotion is None or chess.piece_symbol(move.promotion) != promoted.lower()):
        return False
    kind = board.piece_type_at(move.from_square)
    if piece is None:
        named = kind == chess.PAWN or bool(file and rank)  # both squares say which piece, without its letter
        straight = start[0] == end[0] or bool(file or written["takes"])  # "d5" is not said for exd5
        return named and straight
    return kind is not None and chess.piece_symbol(kind) == piece.lower()
