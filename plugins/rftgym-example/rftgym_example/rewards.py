"""A reward that can be added to any environment."""

from __future__ import annotations

import rftgym


@rftgym.reward("calm")
def calm(completion: str) -> float:
    """1 for a completion without an exclamation mark, else 0."""
    return float("!" not in completion)
