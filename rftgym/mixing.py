"""How a mix of environments is written, ``wordle:2,math:1``, and whose turn it is. Imports nothing heavy."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from fractions import Fraction

from rftgym.errors import UsageError
from rftgym.files import absolute, label

LARGEST_ROUND = 1000
"""Tasks after which the parts' shares repeat."""
_MEMBER = r":(?!-)(?=[^,\s]*[A-Za-z_])[^,\s]*?"
_PART = re.compile(rf"(?P<id>[^:,\s]+(?:{_MEMBER})?)(?::(?P<weight>[0-9]{{1,9}}(?:\.[0-9]{{1,9}})?))?")
_PORT = re.compile(r".*://[^/]*")
"""An address whose last colon stands before a port and not before a weight: ``openenv:http://localhost:8000``."""


def is_mix(id: str) -> bool:
    """Whether an environment's id names several, or one with a weight.

    ``reasoning-gym:countdown`` and ``./my_env.py:MyEnv`` are no mixes: what stands behind the colon is no number.
    """
    if "," in id:
        return True
    return not _PORT.fullmatch(id) and re.fullmatch(r".+:[0-9][0-9.]*", id, re.DOTALL) is not None


def name_of(id: str) -> str:
    """What a part of a mix is called in ids of tasks and in names of measures: its id, without folder and slashes."""
    return label(id).rstrip("/").replace("://", ":").replace("/", "-")


def absolute_mix(text: str) -> str:
    """An environment's id, or a mix, with the whole path of each file that it names."""
    parts = []
    for part in map(str.strip, text.split(",")):
        found = None if _PORT.fullmatch(part) else _PART.fullmatch(part)
        weight = found["weight"] if found is not None else None
        parts.append(absolute(part) if weight is None else f"{absolute(part[: -len(weight) - 1])}:{weight}")
    return ",".join(parts)


def parse_mix(text: str) -> dict[str, Fraction]:
    """Weights by environment: ``wordle:2,math`` gives wordle 2 and math 1.

    Raises:
        UsageError: it does not read so, names an environment twice, or a weight is 0 or too uneven.
    """
    weights: dict[str, Fraction] = {}
    for part in text.split(","):
        part = part.strip()
        found = _PART.fullmatch(part)
        if found is None:
            raise UsageError(f"{part!r} in {text!r}: a mix of environments reads like wordle:2,math:1")
        weight = None if _PORT.fullmatch(part) else found["weight"]
        id = part if weight is None else found["id"]
        if name_of(id) in map(name_of, weights):
            raise UsageError(f"environment {id!r} stands twice in {text!r}")
        weights[id] = Fraction(weight or 1)
    if min(weights.values()) <= 0 or sum(turn_counts(weights).values()) > LARGEST_ROUND:
        raise UsageError(f"{text!r}: weights are above 0 and no finer than parts of {LARGEST_ROUND}")
    return weights


def turn_counts(weights: Mapping[str, Fraction]) -> dict[str, int]:
    """The smallest whole numbers in proportion to the weights."""
    scale = math.lcm(*(weight.denominator for weight in weights.values()))
    whole = {name: int(weight * scale) for name, weight in weights.items()}
    common = math.gcd(*whole.values()) or 1
    return {name: count // common for name, count in whole.items()}


def turns_of(counts: Mapping[str, int]) -> tuple[str, ...]:
    """A round of turns, each part as often as its count says and as evenly spread as can be."""
    turns = [(Fraction(2 * k + 1, 2 * count), name) for name, count in counts.items() for k in range(count)]
    order = list(counts)
    return tuple(name for _, name in sorted(turns, key=lambda turn: (turn[0], order.index(turn[1]))))
