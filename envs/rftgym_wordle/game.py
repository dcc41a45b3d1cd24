"""The rules of Wordle and a good player's notes: pure functions, no randomness, no input or output."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

LENGTH: Final = 5
GUESSES: Final = 6
WIN: Final = "g" * LENGTH
PLACES: Final = "12345"

_GUESS = re.compile(r"<guess>\s*([A-Za-z]+)\s*</guess>")


def feedback(guess: str, answer: str) -> str:
    """One mark a letter: `g` right place, `y` elsewhere in the answer, `.` absent.

    Copies of a letter are marked at most as often as the answer holds it: greens first, then yellows from the left.

    Args:
        guess: five lower-case letters.
        answer: five lower-case letters.
    Returns:
        Five characters out of `g`, `y` and `.`.
    """
    if guess == answer:
        return WIN
    if (
        len(set(guess)) == LENGTH
    ):  # the usual case, and the quick one: no letter of the guess has to share copies
        marks = ["g" if g == a else "y" if g in answer else "." for g, a in zip(guess, answer, strict=True)]
        return "".join(marks)
    unplaced = [a for g, a in zip(guess, answer, strict=True) if g != a]
    marks = []
    for g, a in zip(guess, answer, strict=True):
        if g == a:
            marks.append("g")
        elif g in unplaced:
            unplaced.remove(g)
            marks.append("y")
        else:
            marks.append(".")
    return "".join(marks)


def consistent(word: str, history: Iterable[tuple[str, str]]) -> bool:
    """Whether `word` could still be the answer, given pairs of (guess, marks)."""
    for guess, marks in history:  # noqa: SIM110  # all() with a generator takes half as long again
        if feedback(guess, word) != marks:
            return False
    return True


def read_guess(reply: str) -> str | None:
    """The word in the last pair of guess tags, in lower case; None where there is none."""
    found = _GUESS.findall(reply)
    return found[-1].lower() if found else None


@dataclass(frozen=True, slots=True)
class Notes:
    """What has been learnt about the answer, as a careful player would write it down.

    Attributes:
        green: five characters, a letter where its place is known, else `_`.
        present: letters known to be in the answer, each as often as is known, in alphabetical order.
        excluded: for a letter known to be in the answer, the places (`1` to `5`) where it is not.
        gray: letters known to be absent, in alphabetical order.
    """

    green: str = "_" * LENGTH
    present: str = ""
    excluded: Mapping[str, str] = field(default_factory=dict, hash=False)
    gray: str = ""

    @property
    def known(self) -> tuple[tuple[str, int], ...]:
        """Letters known to be in the answer with the least number of copies, in alphabetical order."""
        return tuple((letter, self.present.count(letter)) for letter in sorted(set(self.present)))

    @property
    def unplaced(self) -> str:
        """Letters known to be in the answer that lack a place, each as often as it lacks one."""
        left = self.present
        for letter in self.green:
            left = left.replace(letter, "", 1)
        return left

    def after(self, guess: str, marks: str) -> Notes:
        """These notes plus what one guess and its marks tell."""
        green, present, excluded, gray = self.green, self.present, self.excluded, self.gray
        found = [letter for letter, mark in zip(guess, marks, strict=True) if mark != "."]
        for letter in found:
            present += letter * (found.count(letter) - present.count(letter))
        for index, (letter, mark) in enumerate(zip(guess, marks, strict=True)):
            if mark == "g":
                green = green[:index] + letter + green[index + 1 :]
            elif letter in present:
                places, place = excluded.get(letter, ""), PLACES[index]
                if place not in places:
                    excluded = {**excluded, letter: "".join(sorted(places + place))}
            elif letter not in gray:
                gray += letter
        return Notes(green, "".join(sorted(present)), excluded, "".join(sorted(gray)))

    @classmethod
    def of(cls, history: Iterable[tuple[str, str]]) -> Notes:
        """The notes after a history of (guess, marks)."""
        notes = cls()
        for guess, marks in history:
            notes = notes.after(guess, marks)
        return notes

    def yellow(self) -> str:
        """Letters in the answer that still lack a place, each with its excluded places; empty if none.

        A letter that lacks a place twice stands there twice.
        """
        excluded = self.excluded
        return " ".join([letter + excluded.get(letter, "") for letter in self.unplaced])

    def allow(self, word: str) -> bool:
        """Whether `word` agrees with the notes.

        Every word that could still be the answer does. The reverse nearly holds: the notes don't say that a letter
        known to be there has no further copy.
        """
        return (
            all(place in ("_", letter) for place, letter in zip(self.green, word, strict=True))
            and all(word.count(letter) >= count for letter, count in self.known)
            and not any(
                word[int(place) - 1] == letter for letter, places in self.excluded.items() for place in places
            )
            and not any(letter in word for letter in self.gray)
        )

    def text(self, left: int) -> str:
        """The notes as four lines, with the number of guesses left."""
        return f"Green: {self.green}\nYellow: {self.yellow() or '-'}\nGray: {self.gray or '-'}\nLeft: {left}"
