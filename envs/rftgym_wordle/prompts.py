"""Every sentence that Wordle says to a model.

Sentences are short and fixed: small models read them, and the bundled model's tokenizer holds each of them as one
token.
"""

from __future__ import annotations

from typing import Final

from rftgym_wordle.game import GUESSES, Notes

SYSTEM_SENTENCES: Final = (
    "Find the secret English word of five letters in six guesses.",
    "After each guess you see one mark for each letter.",
    "g: the letter is in the right place.",
    "y: the letter is in the word, but in another place.",
    ".: the letter is not in the word.",
    "Then you see your notes.",
    "Green: letters in their right places.",
    "Yellow: letters that are in the word, each with the places from 1 to 5 where it is not.",
    "Gray: letters that are not in the word.",
    "Left: how many guesses are left.",
    "Guess a word that fits all your notes.",
    "Answer with one word in tags, like this: <guess>crane</guess>",
)
SYSTEM: Final = "\n".join(SYSTEM_SENTENCES)

NEW_GAME: Final = "New game."
NO_GUESS: Final = "No word in <guess></guess> tags: one guess is lost."
NOT_A_WORD: Final = " is not in the word list: one guess is lost."
WON: Final = "You found the word."
LOST: Final = "No guesses are left. The word was "


def opening() -> str:
    """The first user message of a game."""
    return f"{NEW_GAME}\n{Notes().text(GUESSES)}"


def answer(word: str) -> str:
    """A guess as a model should give it."""
    return f"<guess>{word}</guess>"


def after_guess(guess: str, marks: str, notes: Notes, left: int) -> str:
    """The user message after a guess that was neither right nor the last."""
    return f"{guess} {marks}\n{notes.text(left)}"


def after_error(guess: str | None, notes: Notes, left: int) -> str:
    """The user message after a reply without a guess (None) or with one that is not in the word list."""
    complaint = NO_GUESS if guess is None else f"{guess}{NOT_A_WORD}"
    return f"{complaint}\n{notes.text(left)}"


def closing(guess: str | None, marks: str | None, answer: str) -> str:
    """The last user message: won if all marks are green, else lost.

    Args:
        guess: the last guess, None where the reply had none.
        marks: its marks, None where it was not in the word list.
        answer: the secret.
    """
    end = WON if guess == answer else f"{LOST}{answer}."
    return f"{guess} {marks}\n{end}" if guess is not None and marks is not None else end
