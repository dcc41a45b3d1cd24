"""The staged reward: format 0.05, compiles 0.05, tests 0.4, solved 0.5. Lint is a metric until it is given a weight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import rftgym
from rftgym import Rubric, Turn

FORMAT, COMPILES, TESTS, SOLVED = 0.05, 0.05, 0.4, 0.5
"""Weights; they add up to 1. Settings change them: ``--weight tests=0.5``."""


def rubric() -> Rubric:
    """The environment's own rewards."""
    return Rubric([well_formed, compiles, tests, solved, lint], success="solved")


def _verdict(turn: Turn) -> Mapping[str, Any]:
    """The judge's words; of an answer that was too long to be judged, none."""
    facts: Mapping[str, Any] = turn.info.get("verdict") or {}
    return facts


@rftgym.reward("format", weight=FORMAT)
def well_formed(turn: Turn) -> float:
    """One ``python`` block and nothing else in fences, which begins to define what was asked for."""
    return float(turn.well_formed and bool(_verdict(turn).get("defined")))


@rftgym.reward(weight=COMPILES)
def compiles(turn: Turn) -> float:
    """The code compiles, can be executed, and defines what was asked for."""
    return float(bool(_verdict(turn).get("runs")))


@rftgym.reward(weight=TESTS)
def tests(turn: Turn) -> float:
    """Share of the hidden tests that pass, counted from what a constant, or an argument handed back, would pass."""
    return float(_verdict(turn).get("share", 0.0))


@rftgym.reward(weight=SOLVED)
def solved(turn: Turn) -> float:
    """Every hidden test passes, and every example."""
    return float(bool(_verdict(turn).get("success")))


@rftgym.reward(weight=0.0)
def lint(turn: Turn) -> float | None:
    """1 for code in which ruff finds nothing, less by 0.1 for every finding; 0 for what does not run.

    None where ruff did not look: this reward has no weight, or ruff is not installed (``turn.info["lint"]`` says so).
    """
    if "verdict" not in turn.info:
        return 0.0  # too long to be judged
    facts: Mapping[str, Any] | None = turn.info.get("lint")
    if facts is None or "missing" in facts:
        return None
    return max(0.0, 1 - len(facts["findings"]) / 10) if "findings" in facts else 0.0
