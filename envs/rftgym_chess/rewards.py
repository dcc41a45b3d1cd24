"""What a puzzle pays for: weights add up to 1; README.md says why they are what they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import rftgym
from rftgym import Component, Rubric, Turn


def _verdict(turn: Turn) -> Mapping[str, Any]:
    """The facts about the answer; of one that was too long to be read, none."""
    facts: Mapping[str, Any] = turn.info.get("verdict") or {}
    return facts


@rftgym.reward("format", weight=0.05)
def well_formed(turn: Turn) -> float:
    """Exactly one pair of move tags, and between them the notation of a move, be it legal or not."""
    return float(turn.well_formed and bool(_verdict(turn).get("notation")))


@rftgym.reward(weight=0.1)
def legal(turn: Turn) -> float:
    """The answer is exactly one legal move."""
    return float(_verdict(turn).get("move") is not None)


@rftgym.reward(weight=0.25, needs=("legal",))
def quality(turn: Turn) -> float:
    """1 for a right move; for another, up to 0.5, less the more it gives away by the engine's stored values."""
    return float(_verdict(turn).get("quality", 0.0))


@rftgym.reward(weight=0.6, needs=("legal",))
def solved(turn: Turn) -> float:
    """A right move."""
    return float(_verdict(turn).get("kind") == "right")


@rftgym.reward(weight=0.0, needs=("legal",))
def check(turn: Turn) -> float:
    """The move gives check. A metric: right moves often do not."""
    return float(bool(_verdict(turn).get("check")))


@rftgym.reward("material", weight=0.0, needs=("legal",))
def keeps_material(turn: Turn) -> float:
    """The other side cannot win material by taking at once. A metric: right moves sometimes are sacrifices."""
    return float(bool(_verdict(turn).get("keeps_material")))


def rubric() -> Rubric:
    """The rewards of a puzzle; success is a right move."""
    components: list[Component] = [well_formed, legal, quality, solved, check, keeps_material]
    return Rubric(components, success="solved")
