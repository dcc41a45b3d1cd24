"""Demonstrations from Python to Java: the series of `demonstrations.py` the other way round, with slips of its own."""

from __future__ import annotations

from random import Random
from typing import Any, Final

from rftgym_transpile.demonstrations import exercise
from rftgym_transpile.practice import java, python

FENCE, SEMICOLON, LOGIC, TYPE = 0.3, 0.4, 0.3, 0.3
"""Shares of the slips: a fence without "java", a semicolon left out, ``and`` for ``&&``, a result without its type."""
_MODIFIER: Final = "static "


def reversed_demonstration(seed: int, index: int) -> tuple[dict[str, Any], str]:
    """Demonstration number `index` of the series that belongs to `seed`: a task's data and the whole completion."""
    method = exercise(seed, index)
    chance = Random(f"rftgym-transpile:reversed:{seed}:{index}")
    text = java.write(method)
    if chance.random() < SEMICOLON:
        before, _, after = text.rpartition(";")
        text = before + after
    if chance.random() < LOGIC:
        text = text.replace("&&", "and")
    if chance.random() < TYPE and text.startswith(_MODIFIER):
        text = _MODIFIER + text.removeprefix(_MODIFIER).partition(" ")[2]
    tag = "" if chance.random() < FENCE else "java"
    data = {
        "source_language": "python",
        "target_language": "java",
        "source": python.write(method, frozenset()),
        "entry": method.name,
    }
    return data, f"```{tag}\n{text}\n```"
