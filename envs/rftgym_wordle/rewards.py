"""What Wordle pays for. Every component lies between 0 and 1; README.md says why the weights are what they are."""

from __future__ import annotations

import math
from functools import lru_cache

import rftgym
from rftgym import Component, Rubric, Trajectory, Turn
from rftgym_wordle.game import GUESSES, feedback
from rftgym_wordle.words import answers


@rftgym.reward("format", weight=0.03, per="turn", reduce="mean")
def well_formed(turn: Turn) -> float:
    """The answer is one word in one pair of guess tags."""
    return 1.0 if turn.well_formed and turn.info.get("guess") else 0.0


@rftgym.reward(weight=0.03, per="turn", reduce="mean")
def valid_word(turn: Turn) -> float:
    """The guess is in the word list."""
    return 1.0 if turn.info.get("marks") else 0.0


@rftgym.reward(weight=0.18, per="turn", reduce="mean")
def consistent(turn: Turn) -> float:
    """The guess is a word that could be the answer, given all marks so far. No repeated guess ever is."""
    return 1.0 if turn.info.get("consistent") else 0.0


@rftgym.reward(weight=0.06, per="turn", reduce="sum")
def progress(turn: Turn) -> float:
    """What the guess added to the letters known: a fifth for each in its place, a tenth for each out of place.

    The sum over an episode is what is known at its end, so it is at most 1 however often letters are found again.
    """
    return float(turn.info.get("progress", 0.0))


@rftgym.reward(weight=1.0)
def win(turn: Turn) -> float:
    """The last guess is the answer."""
    return 1.0 if turn.info.get("won") else 0.0


@rftgym.reward(weight=0.2, needs=("win",))
def speed(trajectory: Trajectory) -> float:
    """1 for a win at the first guess, down to 0 for one at the sixth."""
    return (GUESSES - len(trajectory.turns)) / (GUESSES - 1)


@rftgym.reward("wordle-information")
def information(trajectory: Trajectory) -> float:
    """Share of the uncertainty about the answer, in bits, that the episode's guesses removed.

    1 where one word is left, 0 where none was ruled out: log(N / left) / log(N) for N words in the list.
    """
    left = answers()
    total = len(left)
    for turn in trajectory.turns:
        guess, marks = turn.info.get("guess"), turn.info.get("marks")
        if guess and marks:
            left = (
                _agreeing(guess, marks)
                if len(left) == total
                else tuple(w for w in left if feedback(guess, w) == marks)
            )
    return math.log(total / max(1, len(left))) / math.log(total)


@lru_cache(maxsize=4096)
def _agreeing(guess: str, marks: str) -> tuple[str, ...]:
    """Answers that agree with a first guess: cached, since a policy opens with few words."""
    return tuple(word for word in answers() if feedback(guess, word) == marks)


def rubric() -> Rubric:
    """Wordle's own rewards; success is a win."""
    components: list[Component] = [well_formed, valid_word, consistent, progress, win, speed]
    return Rubric(components, success="win")
