"""Every sentence that the chess environments say to a model. None of them holds a move in tags that could be echoed."""

from __future__ import annotations

from typing import Final

import chess

from rftgym_chess.drawing import COLOURS, drawn
from rftgym_chess.game import End
from rftgym_chess.reading import Reading

NOTATION: Final = (
    "Write the move in standard notation (a piece's letter and its square, O-O for castling, the promoted piece behind"
    " =) or as the two squares in a row, between <move> and </move>."
)
BOARD: Final = (
    "On the board, capital letters are White's pieces, small letters are Black's, dots are empty squares."
)
PUZZLE_SYSTEM: Final = (
    f"You solve chess puzzles. You are shown a position and find the best move.\n{BOARD}\n{NOTATION}"
)
PLAY_SYSTEM: Final = (
    f"You play a game of chess against an opponent, from the position that you are shown.\n{BOARD}\n{NOTATION}\n"
    "Answer with one move each time. At the third answer that is no legal move you lose."
)
ASKED: Final = {
    "tactic": "One move wins by far the most. Find it.",
    "defence": "One move saves the position. Find it.",
    "endgame": "One move is much better than all others. Find it.",
}
POINTS: Final = "pawn 1, knight 3, bishop 3, rook 5, queen 9"
PROBLEMS: Final = {
    "no move": "There is no move between <move> and </move>.",
    "unreadable": "What stands between the tags is no move.",
    "ambiguous": "That may be more than one move: name the square it starts from, or the piece of a promotion.",
    "illegal": "That is no legal move.",
}
ENDS: Final[dict[End, str]] = {
    "win": "Checkmate: you win.",
    "loss": "Checkmate: you lose.",
    "draw": "The game is drawn.",
    "lead": "You are far enough ahead: you win.",
    "moves used up": "Your moves are used up: you did not get there.",
    "no legal moves given": "Too many answers without a legal move: you lose.",
}


def asked(kind: str, colour: chess.Color) -> str:
    """What is to be found in a kind of puzzle."""
    if kind.startswith("mate-in-"):
        return f"{COLOURS[colour]} to move mates in {kind.removeprefix('mate-in-')}. Find the first move."
    return ASKED.get(kind, "Find the best move.")


def puzzle(board: chess.Board, kind: str, last: chess.Move | None) -> str:
    """The question of a puzzle."""
    lines = [f"FEN: {board.fen()}", drawn(board), f"{COLOURS[board.turn]} to move."]
    if last is not None:
        lines.append(f"{COLOURS[not board.turn]}'s last move went from {squares(last)}.")
    return "\n".join([*lines, asked(kind, board.turn)])


def squares(move: chess.Move) -> str:
    """Where a move starts and ends."""
    return f"{chess.square_name(move.from_square)} to {chess.square_name(move.to_square)}"


def judged(reading: Reading, *, right: bool, best: str) -> str:
    """The closing words of a puzzle."""
    if right:
        return "Right."
    problem = "That is not the best move." if reading.kind == "move" else PROBLEMS[reading.kind]
    return f"{problem} Best was {best}."


def answer(san: str) -> str:
    """A move as a model should give it."""
    return f"<move>{san}</move>"


def opening(board: chess.Board, aim: str, left: int) -> str:
    """The first user message of a game."""
    side = f"You play {COLOURS[board.turn]}. {aim}"
    return f"{side}\nFEN: {board.fen()}\n{drawn(board)}\n{_left(left)}"


def replied(board: chess.Board, reply: str, left: int) -> str:
    """The user message after a legal move and the opponent's answer to it."""
    check = " You are in check." if board.is_check() else ""
    return f"{COLOURS[not board.turn]} plays {reply}.{check}\n{drawn(board)}\n{_left(left)}"


def refused(board: chess.Board, reading: Reading, tries: int, left: int) -> str:
    """The user message after an answer that is no legal move."""
    said = PROBLEMS[reading.kind]
    again = "You lose at the next such answer. " if tries == 1 else ""
    return f"{said} {again}You play {COLOURS[board.turn]}.\n{drawn(board)}\n{_left(left)}"


def ended(board: chess.Board, end: End, reply: str) -> str:
    """The closing words of a game; ``reply`` is the opponent's last move, if it still made one."""
    last = f"{COLOURS[not board.turn]} plays {reply}. " if reply else ""
    return f"{last}{ENDS[end]}\n{drawn(board)}"


def aim(goal: str, moves: int, lead: int) -> str:
    """What is to be reached in a game."""
    if goal == "lead":
        return f"Be at least {lead} points of material ahead after {moves} moves ({POINTS})."
    return f"Checkmate within {moves} moves."


def _left(moves: int) -> str:
    return "Your last move:" if moves == 1 else f"Your move, {moves} left:"
