"""What diagnosis pays for. Every component lies between 0 and 1; README.md says why the weights are what they are."""

from __future__ import annotations

from typing import Final

import rftgym
from rftgym import Component, Rubric, Turn

CORRECT: Final = 0.7
THRIFT: Final = 0.2
CALIBRATION: Final = 0.1


def brier(probability: float, *, right: bool) -> float:
    """A proper score of a stated probability, from 0 to 1: right and sure 1, wrong and sure 0.

    The Brier score -(p - c)^2 of the event "the named illness is the right one" (c = 1 or 0), plus c, so that naming
    nothing sensible at p = 0 is worth the same either way, brought from [-1, 1] to [0, 1]. Neither changes what it is
    best to state: the probability that one believes in; its expectation is then (1 + p^2) / 2.

    Source: Brier, Verification of forecasts expressed in terms of probability, 1950.
    """
    hit = float(right)
    return (1 + hit - (probability - hit) ** 2) / 2


@rftgym.reward(weight=CORRECT)
def correct(turn: Turn) -> float:
    """The illness that was named is the patient's."""
    return float(turn.info.get("verdict", {}).get("kind") == "correct")


@rftgym.reward(weight=THRIFT, needs=("correct",))
def thrift(turn: Turn) -> float:
    """Share of the budget that was not spent; of a right diagnosis only."""
    return float(turn.info["left"]) / float(turn.info["budget"])


@rftgym.reward(weight=CALIBRATION)
def calibration(turn: Turn) -> float:
    """How good the stated probability was; 0 without a diagnosis."""
    kind = turn.info.get("verdict", {}).get("kind")
    if kind not in ("correct", "wrong"):
        return 0.0
    return brier(turn.info["probability"], right=kind == "correct")


@rftgym.reward(weight=0.0, per="turn", reduce="mean")
def wasted(turn: Turn) -> float:
    """Share of messages that asked nothing new and diagnosed nothing: a metric, not paid."""
    return float(turn.info.get("verdict", {}).get("kind") not in ("asked", "correct", "wrong"))


def rubric() -> Rubric:
    """The environment's own rewards; success is a right diagnosis."""
    components: list[Component] = [correct, thrift, calibration, wasted]
    return Rubric(components, success="correct")


def expected(probability: float, left: float) -> float:
    """The reward that one may expect who stops now and says honestly what they believe.

    Args:
        probability: of the likeliest illness.
        left: share of the budget that is left.
    """
    return probability * (CORRECT + THRIFT * left) + CALIBRATION * (1 + probability**2) / 2
