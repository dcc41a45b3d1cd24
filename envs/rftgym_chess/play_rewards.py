"""What a game pays for: weights add up to 1; README.md says why they are what they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import rftgym
from rftgym import Component, Rubric, Trajectory, Turn
from rftgym_chess.play_tasks import game_of

DRAW: Final = 0.25
"""What a draw is worth, where the game did not start with an advantage."""


def _verdict(turn: Turn) -> Mapping[str, Any]:
    """The facts about an answer; of one that was too long to be read, none."""
    facts: Mapping[str, Any] = turn.info.get("verdict") or {}
    return facts


@rftgym.reward("format", weight=0.05, per="turn", reduce="mean")
def well_formed(turn: Turn) -> float:
    """Exactly one pair of move tags, and between them the notation of a move, be it legal or not."""
    return float(turn.well_formed and bool(_verdict(turn).get("notation")))


@rftgym.reward(weight=0.1, per="turn", reduce="mean")
def legal(turn: Turn) -> float:
    """The answer is exactly one legal move."""
    return float(_verdict(turn).get("move") is not None)


@rftgym.reward(weight=0.15, per="turn", reduce="sum", bounds=(-1.0, 1.0))
def progress(turn: Turn) -> float:
    """What the turn added to how far the game has got: at most half of it for material, all of it for the goal.

    A potential's differences: they sum to where the game ends, and what is won and given back pays nothing.
    """
    return float(turn.info.get("progress", 0.0))


@rftgym.reward(weight=0.7)
def result(trajectory: Trajectory, turn: Turn) -> float:
    """1 where the goal is reached; `DRAW` for a draw where the policy did not start with more material; else 0."""
    verdict = _verdict(turn)
    if verdict.get("reached"):
        return 1.0
    if verdict.get("ended") == "draw" and game_of(trajectory.task).before <= 0:
        return DRAW
    return 0.0


@rftgym.reward(weight=0.0, per="turn", reduce="mean")
def check(turn: Turn) -> float:
    """The move gives check. A metric."""
    return float(bool(_verdict(turn).get("check")))


@rftgym.reward("material", weight=0.0, per="turn", reduce="mean")
def keeps_material(turn: Turn) -> float:
    """The opponent cannot win material by taking at once. A metric."""
    return float(bool(_verdict(turn).get("keeps_material")))


def rubric() -> Rubric:
    """The rewards of a game; success is that the goal is reached."""
    components: list[Component] = [well_formed, legal, progress, result, check, keeps_material]
    return Rubric(components, success="result")
