"""The staged reward: format 0.05, runs 0.05, partial 0.3, correct 0.6."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import rftgym
from rftgym import Rubric, Turn

FORMAT, RUNS, PARTIAL, CORRECT = 0.05, 0.05, 0.3, 0.6
"""Weights; they add up to 1."""


def rubric() -> Rubric:
    """The environment's own rewards."""
    return Rubric([format_, runs, partial, correct], success="correct")


def _verdict(turn: Turn) -> Mapping[str, Any]:
    """The judge's words; of an answer that was too long to be judged, none."""
    facts: Mapping[str, Any] = turn.info.get("verdict") or {}
    return facts


@rftgym.reward("format", weight=FORMAT)
def format_(turn: Turn) -> float:
    """One statement that begins with SELECT or WITH, in one ``sql`` block, which the judge did not refuse."""
    said = _verdict(turn)
    return float(
        bool(said) and turn.well_formed and said["kind"] not in ("missing", "format", "refused", "syntax")
    )


@rftgym.reward(weight=RUNS)
def runs(turn: Turn) -> float:
    """The query runs on every database state, and reads a table of the schema."""
    return float(bool(_verdict(turn).get("ran")))


@rftgym.reward(weight=PARTIAL, needs=("runs",))
def partial(turn: Turn) -> float:
    """Share of the states whose result is right, less what the best constant result would get."""
    return float(_verdict(turn).get("partial", 0.0))


@rftgym.reward(weight=CORRECT, needs=("runs",))
def correct(turn: Turn) -> float:
    """The result is right on every state."""
    return float(bool(_verdict(turn).get("success")))
