"""The board and the keyboard as coloured text. Marks stand beside the tiles, for terminals and eyes without colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rftgym_wordle.game import GUESSES, LENGTH, Notes

KEYS: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
RESET: Final = "\x1b[0m"
# Black on green, black on yellow, white on gray; by the number of a 256-colour terminal.
COLOURS: Final = {"g": "\x1b[30;48;5;71m", "y": "\x1b[30;48;5;179m", ".": "\x1b[97;48;5;240m"}


def drawn(turns: Sequence[Mapping[str, Any]], notes: Notes, closing: str = "") -> str:
    """Six rows of tiles, the keyboard in the colours of what is known, and the closing words.

    Args:
        turns: of each turn so far, "guess" and "marks" as `WordleEnv` states them.
        notes: what is known.
        closing: the last line, if any.
    """
    rows = [_row(turn.get("guess"), turn.get("marks")) for turn in turns]
    rows += ["  ".join([" ·"] * LENGTH)] * (GUESSES - len(turns))
    keyboard = [
        " " * 2 * indent + "".join(_key(key, notes) for key in keys) for indent, keys in enumerate(KEYS)
    ]
    return "\n".join([*rows, "", *keyboard, *(["", closing] if closing else [])])


def _row(guess: str | None, marks: str | None) -> str:
    if guess is None:
        return "(no guess)"
    if marks is None:
        return f"{guess}: not in the word list"
    tiles = " ".join(_tile(letter, mark) for letter, mark in zip(guess, marks, strict=True))
    return f"{tiles}   {marks}"


def _tile(letter: str, mark: str) -> str:
    return f"{COLOURS[mark]} {letter.upper()} {RESET}"


def _key(letter: str, notes: Notes) -> str:
    if letter in notes.green:
        mark = "g"
    elif letter in notes.present:
        mark = "y"
    elif letter in notes.gray:
        mark = "."
    else:
        return f" {letter.upper()}  "
    return f"{_tile(letter, mark)} "
