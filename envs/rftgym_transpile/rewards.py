"""The staged reward: format 0.04, parses 0.03, runs 0.03, share of hidden tests 0.3, all of them 0.6."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import rftgym
from rftgym import Rubric, Turn
from rftgym.errors import UsageError

FORMAT, PARSES, RUNS, TESTS, SOLVED = 0.04, 0.03, 0.03, 0.3, 0.6
"""Weights of the stages; they add up to 1. Settings change them: ``--weight tests=0.1``."""


def rubric() -> Rubric:
    """The environment's own rewards."""
    return Rubric([formatted, parses, runs, tests, solved, style], success="solved")


def _verdict(turn: Turn) -> Mapping[str, Any]:
    """The judge's words; of an answer that was too long to be judged, none."""
    facts: Mapping[str, Any] = turn.info.get("verdict") or {}
    return facts


@rftgym.reward(name="format", weight=FORMAT)
def formatted(turn: Turn) -> float:
    """The code stands in one block with the language's name, and defines what was asked for."""
    return float(turn.well_formed and _verdict(turn).get("kind", "missing") not in ("format", "missing"))


@rftgym.reward(weight=PARSES)
def parses(turn: Turn) -> float:
    """The code parses, or compiles, and defines what was asked for."""
    return float(bool(_verdict(turn).get("parses")))


@rftgym.reward(weight=RUNS)
def runs(turn: Turn) -> float:
    """Share of the tests that end as the source does: with a value of the same kind, or with an exception."""
    return float(_verdict(turn).get("ran", 0.0))


@rftgym.reward(weight=TESTS)
def tests(turn: Turn) -> float:
    """Share of the hidden tests passed, beyond those that a constant, or an argument handed back, would pass."""
    return float(_verdict(turn).get("share", 0.0))


@rftgym.reward(weight=SOLVED)
def solved(turn: Turn) -> float:
    """Every hidden test passed."""
    return float(bool(_verdict(turn).get("success")))


@rftgym.reward(weight=0.0, needs=("solved",))
def style(turn: Turn) -> float | None:
    """How few findings ruff has, of right Python. None unless it is weighed: ``--weight style=0.1``."""
    if "style_error" in turn.info:
        raise UsageError(turn.info["style_error"])
    value: float | None = turn.info.get("style")
    return value
