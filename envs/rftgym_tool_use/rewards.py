"""What tool use pays for. Every component lies between 0 and 1; README.md says why the weights are what they are."""

from __future__ import annotations

import rftgym
from rftgym import Component, Rubric, Task, Trajectory, Turn


@rftgym.reward("format", weight=0.1)
def well_formed(trajectory: Trajectory) -> float:
    """Share of sound calls among the turns before the final answer; 0 where no call was made."""
    turns = trajectory.turns
    before = turns[:-1] if turns[-1].info.get("action") == "answer" else turns
    return sum(_sound(turn) for turn in before) / len(before) if before else 0.0


@rftgym.reward(weight=0.1, per="turn", reduce="sum", passes_at=0.999)
def facts(turn: Turn) -> float:
    """Share of the facts that the answer needs and this turn looked up, each paid once."""
    return float(turn.info.get("found", 0.0))


@rftgym.reward(weight=0.8, needs=("facts",))
def correct(turn: Turn) -> float:
    """The final answer is right. A right answer that could not be known from what was looked up counts as a guess."""
    return float(_verdict(turn) == "correct")


@rftgym.reward(weight=0.0, needs=("correct",))
def efficiency(trajectory: Trajectory, task: Task) -> float:
    """Turns that a right answer takes at least, over turns taken: 1 where none was wasted. A metric, not paid."""
    least = len(task.data["needed"]) + bool(task.data["expression"]) + 1
    return min(1.0, least / len(trajectory.turns))


def _verdict(turn: Turn) -> str:
    return str(turn.info.get("verdict", {}).get("kind", ""))


def _sound(turn: Turn) -> bool:
    return turn.info.get("action") == "call" and _verdict(turn) == "ok"


def rubric() -> Rubric:
    """The environment's own rewards; success is a right answer."""
    components: list[Component] = [well_formed, facts, correct, efficiency]
    return Rubric(components, success="correct")
