"""The reward ``no-shouting``, for any environment."""

from __future__ import annotations

import re

import rftgym


@rftgym.reward("no-shouting")
def no_shouting(completion: str) -> float:
    """Share of the words that are not all capitals; 1 where there is no word of two letters or more.

    It asks for ``completion``; it could ask for ``answer``, ``turn``, ``task``, ``trajectory`` and ``rng`` too. With
    ``per="turn"`` it would be asked about every turn. None would mean "cannot be scored", which is never 0.
    """
    words = re.findall(r"[A-Za-z]{2,}", completion)
    return sum(not word.isupper() for word in words) / len(words) if words else 1.0
