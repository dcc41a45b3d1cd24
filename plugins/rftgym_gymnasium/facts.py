"""What is known of single environments: the range of their returns, what is charged, what counts as a success."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Success = Literal["terminated", "positive", "threshold"]


@dataclass(frozen=True, slots=True)
class Facts:
    """Of an environment.

    Attributes:
        low: the return that becomes 0: of somebody who does nothing useful until the time is up.
        high: the return that becomes 1: no play earns more.
        worst_step: the lowest reward of a step.
        best_step: the highest.
        idle: charged for a turn without a legal action, and for each turn that is not played, so that saying nothing
            never pays better than playing.
        forfeit: charged where the episode ends before the environment says so.
        success: "terminated": whoever reaches the end has made it; "positive": a return above 0; "threshold": the one
            that the environment is registered with.
        turns: completions of an episode, where the environment states no limit of steps.
    """

    low: float = 0.0
    high: float = 1.0
    worst_step: float | None = None
    best_step: float | None = None
    idle: float = 0.0
    forfeit: float = 0.0
    success: Success = "threshold"
    turns: int = 100


KNOWN: Final[Mapping[str, Facts]] = {
    "Acrobot": Facts(-500.0, -60.0, -1.0, 0.0, idle=-1.0, success="terminated"),
    "Blackjack": Facts(-1.0, 1.0, -1.0, 1.5, forfeit=-1.0, success="positive", turns=12),
    "CartPole": Facts(0.0, 500.0, 0.0, 1.0),
    "CliffWalking": Facts(-100.0, -13.0, -100.0, -1.0, idle=-1.0, success="terminated"),
    "CliffWalkingSlippery": Facts(-200.0, -13.0, -100.0, -1.0, idle=-1.0, success="terminated", turns=200),
    "FrozenLake": Facts(0.0, 1.0, 0.0, 1.0, success="positive"),
    "FrozenLake8x8": Facts(0.0, 1.0, 0.0, 1.0, success="positive"),
    "MountainCar": Facts(-200.0, -90.0, -1.0, -1.0, idle=-1.0, success="terminated"),
    "Pendulum": Facts(-2000.0, 0.0, -16.3, 0.0, idle=-16.3),
    "Taxi": Facts(-200.0, 15.0, -10.0, 20.0, idle=-10.0, success="terminated"),
}
"""By name without version, with the arguments that they are registered with."""
UNKNOWN: Final = Facts()
