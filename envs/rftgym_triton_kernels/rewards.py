"""The staged reward: formatting 0.05, compiles and runs 0.1, correct 0.6 to 1.0. All else is a metric of weight 0."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import rftgym
from rftgym import Rubric, Turn

FORMATTING, RUNNING, CORRECT = 0.05, 0.05, 0.9
"""Weights of the stages; they add up to 1. Settings change them: ``--weight formatting=0.1``."""
FLOOR = 5 / 9
"""What the first discriminating case is worth of the last stage: 0.1 + 0.9 * 5 / 9 = 0.6."""
MANY_REGISTERS, MANY_SPILLS, MUCH_SHARED = 255, 4096, 232_448
"""Where the quality metrics reach 0: registers a thread, bytes spilled, bytes of shared memory."""


def rubric(*, speed: bool = False) -> Rubric:
    """The environment's own rewards; ``speed`` adds the component that needs a GPU."""
    components = [formatting, running, correct, solved, cheat, few_registers, no_spills, little_shared]
    return Rubric([*components, fast] if speed else components, success="solved")


def _verdict(turn: Turn) -> Mapping[str, Any]:
    """The judge's words; of an answer that was too long to be judged, none."""
    facts: Mapping[str, Any] = turn.info.get("verdict") or {}
    return facts


@rftgym.reward(weight=FORMATTING)
def formatting(turn: Turn) -> float:
    """Share of the formal demands that are met: code, in its tag, parses, imports, kernel, wrapper, signature.

    An answer that passes every case has met them well enough: 1.
    """
    facts = _verdict(turn)
    return 1.0 if facts.get("success") else float(facts.get("formatting", 0.0))


@rftgym.reward(weight=RUNNING)
def running(turn: Turn) -> float:
    """Half for the launches that compile for the target, half for the cases that run through."""
    facts = _verdict(turn)
    return float(facts.get("compiled", 0.0)) / 2 + float(facts.get("executed", 0.0)) / 2


@rftgym.reward(weight=CORRECT)
def correct(turn: Turn) -> float:
    """Share of the discriminating cases that passed, raised to start at `FLOOR`; 0 where none did."""
    share = float(_verdict(turn).get("correct", 0.0))
    return FLOOR + (1 - FLOOR) * share if share else 0.0


@rftgym.reward(weight=0.0)
def solved(turn: Turn) -> float:
    """Every case passed."""
    return float(bool(_verdict(turn).get("success")))


@rftgym.reward(weight=0.0)
def cheat(turn: Turn) -> float:
    """The judge caught something other than a kernel doing the work, or an attack."""
    return float(_verdict(turn).get("kind") == "cheat")


def _worst(turn: Turn, fact: str) -> float | None:
    found = [facts[fact] for facts in _verdict(turn).get("kernels", {}).values() if fact in facts]
    return float(max(found)) if found else None


def _below(value: float | None, limit: float) -> float | None:
    return None if value is None else max(0.0, 1 - value / limit)


@rftgym.reward(weight=0.0)
def few_registers(turn: Turn) -> float | None:
    """1 for no register, 0 for `MANY_REGISTERS` a thread; of the worst kernel. None where nothing compiled."""
    return _below(_worst(turn, "registers"), MANY_REGISTERS)


@rftgym.reward(weight=0.0)
def no_spills(turn: Turn) -> float | None:
    """1 where no register is spilled, 0 from `MANY_SPILLS` bytes on. None where nothing compiled."""
    return _below(_worst(turn, "spills"), MANY_SPILLS)


@rftgym.reward(weight=0.0)
def little_shared(turn: Turn) -> float | None:
    """1 for no shared memory, 0 for `MUCH_SHARED` bytes. None where nothing compiled."""
    return _below(_worst(turn, "shared"), MUCH_SHARED)


@rftgym.reward("speed", weight=0.0, needs=("solved",), bounds=(0.0, 10.0))
def fast(turn: Turn) -> float | None:
    """Eager PyTorch's time over the kernel's, at most 10; needs a GPU. None where it was not timed."""
    ratio = _verdict(turn).get("speedup")
    return None if ratio is None else min(10.0, float(ratio))
