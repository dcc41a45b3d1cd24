"""What is paid: the environment's own rewards, turn by turn, in a unit in which the range of its returns is 1."""

from __future__ import annotations

from dataclasses import dataclass

from rftgym import Component, Rubric, Trajectory, Turn
from rftgym_gymnasium.facts import Facts


@dataclass(frozen=True, slots=True)
class Paid:
    """A turn's own reward, or the charge for a turn without a legal action."""

    unit: float
    idle: float

    def __call__(self, turn: Turn) -> float:
        reward: float = turn.info["reward"] if turn.info.get("legal") else self.idle
        return reward / self.unit


@dataclass(frozen=True, slots=True)
class Rest:
    """Brings returns to 0 and above, and charges for what was left unplayed."""

    facts: Facts
    turns: int

    def __call__(self, trajectory: Trajectory) -> float:
        facts, charge = self.facts, 0.0
        if "success" not in trajectory.turns[-1].info:  # the foreign environment did not end it
            charge = facts.forfeit + facts.idle * max(self.turns - len(trajectory.turns), 0)
        return (charge - facts.low) / (facts.high - facts.low)


def success(trajectory: Trajectory) -> float:
    """Whether the environment's own end was a good one."""
    return float(bool(trajectory.turns[-1].info.get("success")))


def legal(turn: Turn) -> float:
    """Whether the completion held a legal action."""
    return float(bool(turn.info.get("legal")))


def rubric(facts: Facts, turns: int, at_once: int) -> Rubric:
    """The composition: the normalised return, with success and legality as metrics.

    Args:
        turns: that an episode has at most.
        at_once: actions that a turn has at most.
    """
    unit = facts.high - facts.low
    bounds = None
    if facts.worst_step is not None and facts.best_step is not None:
        worst, best = min(facts.worst_step * at_once, facts.idle), max(facts.best_step * at_once, 0.0)
        bounds = worst / unit, best / unit
    components = [Component("reward", Paid(unit, facts.idle), per="turn", bounds=bounds)]
    if facts.low or facts.idle or facts.forfeit:
        most = facts.forfeit + facts.idle * turns
        components.append(
            Component("rest", Rest(facts, turns), bounds=((most - facts.low) / unit, -facts.low / unit))
        )
    components += [
        Component("success", success, weight=0.0),
        Component("legal", legal, weight=0.0, per="turn", reduce="mean"),
    ]
    return Rubric(components, success="success")
