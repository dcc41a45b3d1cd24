"""What `math` pays for; README.md says why the weights are what they are."""

from __future__ import annotations

import re
from typing import Any, Final

import rftgym
from rftgym import Component, Rubric, Turn

_TAGS: Final = ("<work>", "</work>", "<think>", "</think>")
_REASONING: Final = re.compile(r"<(work|think)>(.*?)</\1>", re.DOTALL)


def verdict(turn: Turn) -> dict[str, Any]:
    """The judge's verdict; of a completion that was too long to be judged, an empty one."""
    found: dict[str, Any] = turn.info.get("verdict", {})
    return found


@rftgym.reward("format", weight=0.05)
def well_formed(turn: Turn) -> float:
    """One answer in one pair of tags, of the kind that was asked for: a number, a pair, an expression."""
    return float(turn.well_formed and bool(verdict(turn).get("sound")))


@rftgym.reward(weight=0.05, needs=("format",))
def reasoning(turn: Turn) -> float:
    """Before a well-formed answer stands a working in one pair of tags, `<work>` or `<think>`, that says something."""
    before, _, _ = turn.completion.rpartition("<answer>")
    if sum(before.count(tag) for tag in _TAGS) != 2:
        return 0.0
    found = _REASONING.search(before)
    return float(found is not None and any(each.isalnum() for each in found[2]))


@rftgym.reward(weight=0.9)
def correct(turn: Turn) -> float:
    """The answer is the accepted one, as mathematics."""
    return float(verdict(turn).get("kind") == "right")


@rftgym.reward(weight=0.1, bounds=(-1.0, 0.0))
def fabrication(turn: Turn) -> float:
    """Below 0 where the answer claims what its own working contradicts; see `rftgym_math.working`."""
    return 0.0 - float(turn.info.get("fabrication", 0.0))


def rubric() -> Rubric:
    """The rewards of `math`; success is a right answer."""
    components: list[Component] = [well_formed, reasoning, correct, fabrication]
    return Rubric(components, success="correct")
