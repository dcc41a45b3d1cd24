"""Rewards that need to know nothing of the task, all between 0 and 1. README.md says how each can be abused."""

from __future__ import annotations

import rftgym
from rftgym import Trajectory, Turn

HALF_LENGTH_CHARS = 200
"""A completion of this many characters gets half of `brevity`."""
GRAM_WORDS = 4


@rftgym.reward(per="turn", reduce="mean")
def brevity(completion: str) -> float:
    """``200 / (200 + characters)``: 1 for nothing, a half for 200 characters, and ever less; averaged over turns."""
    return HALF_LENGTH_CHARS / (HALF_LENGTH_CHARS + len(completion))


@rftgym.reward("well-formed", per="turn", reduce="mean")
def well_formed(turn: Turn) -> float:
    """Share of turns that follow the format of the environment's parser to the letter."""
    return 1.0 if turn.well_formed else 0.0


@rftgym.reward("no-repetition")
def no_repetition(trajectory: Trajectory) -> float:
    """Share of distinct runs of four words in all the completions of an episode; 1 where nothing is said.

    A completion of fewer words counts as one run, so that giving the same short answer in every turn is repetition too.
    """
    grams = [gram for turn in trajectory.turns for gram in _grams(turn.completion)]
    return len(set(grams)) / len(grams) if grams else 1.0


def _grams(text: str) -> list[tuple[str, ...]]:
    words = text.split()
    if not words:
        return []
    return [tuple(words[start : start + GRAM_WORDS]) for start in range(max(1, len(words) - GRAM_WORDS + 1))]
