"""What the components of a rubric made, and make again, of an episode."""

from __future__ import annotations

from rftgym.conformance.playing import Env
from rftgym.rubric import Component
from rftgym.types import Trajectory, Turn


def judged(env: Env, trajectory: Trajectory) -> list[tuple[Component, Turn]]:
    """The calls that a scored episode asks for: the components behind no shut gate, with the turns they judge."""
    rubric = next(rubric for rubric, own in env.rubric.by_part([trajectory]) if own)
    part = env.tasks.part(trajectory.task)
    known = {} if trajectory.score is None else trajectory.score.components
    values = {
        each.name: known.get(f"{part}/{each.name}" if part else each.name) for each in rubric.components
    }
    return [
        (component, turn)
        for component in rubric.components
        if not component.needs or rubric.gate(component, values) == "open"
        for turn in (trajectory.turns if component.per == "turn" else trajectory.turns[-1:])
    ]
