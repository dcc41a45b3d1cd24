"""How a mix of environments is written, ``wordle:2,math:1``, and whose turn it is. Imports nothing heavy."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from rftgym.errors import UsageError
from rftgym.files import absolute, is_there, label

LARGEST_ROUND = 1000
"""Tasks after which the parts' shares repeat."""
_MEMBER = r":(?!-)(?=[^,\s]*[A-Za-z_])[^,\s]*?"
_FILE = r"[^,]*?\.py(?::[A-Za-z_][\w.]*)?"
_WEIGHT = r"[0-9]{1,9}(?:\.[0-9]{1,9})?"
_PART = re.compile(rf"(?P<id>{_FILE}|[^:,\s]+(?:{_MEMBER})?)(?::(?P<weight>{_WEIGHT}))?")
_PORT = re.compile(r".*://[^/:]*(?::[0-9]+)?")
"""An address whose last colon stands before a port and not before a weight: ``openenv:http://localhost:8000``."""


def is_mix(id: str) -> bool:
    """Whether an environment's id names several, or one with a weight.

    ``reasoning-gym:countdown`` and ``./my_env.py:MyEnv`` are no mixes: what stands behind the colon is no number.
    """
    if "," in id:
        return not is_there(id)  # a file's folder may have a comma in its name
    return not _PORT.fullmatch(id) and re.fullmatch(r".+:[0-9][0-9.]*", id, re.DOTALL) is not None


def name_of(id: str) -> str:
    """What a part of a mix is called in ids of tasks and in names of measures: its id, without folder and slashes."""
    return label(id).rstrip("/").replace("://", ":").replace("/", "-")


def label_mix(text: str) -> str:
    """An environment's id, or a mix, as it is shown: files without their folders."""
    return _with_ids(text, label)


def absolute_mix(text: str) -> str:
    """An environment's id, or a mix, with the whole path of each file that it names.

    Raises:
        UsageError: a path has a comma, and stands in a mix or leads nowhere: it would be read as two environments.
    """
    mixed = is_mix(text)

    def whole(id: str) -> str:
        path = absolute(id)
        if "," in path and mixed:
            raise UsageError(
                f"{path!r} has a comma, which parts the environments of a mix: rename that folder"
            )
        if "," in path and not is_there(path):
            raise UsageError(f"no file at {path}")
        return path

    return _with_ids(text, whole)


def _with_ids(text: str, change: Callable[[str], str]) -> str:
    """An environment's id, or a mix, with each id changed and the weights as they are."""
    parts = []
    for part in map(str.strip, text.split(",") if is_mix(text) else [text]):
        found = None if _PORT.fullmatch(part) else _PART.fullmatch(part)
        weight = found["weight"] if found is not None else None
        parts.append(change(part) if weight is None else f"{change(part[: -len(weight) - 1])}:{weight}")
    return ",".join(parts)


def with_sandboxes(id: str, kwargs: Mapping[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """An environment's arguments, or those of a mix's parts, with the name of each sandbox changed.

    By agreement the argument is called ``sandbox``: an installed one's id, or a file and a class in it.
    """
    changed = dict(kwargs)
    if isinstance(kwargs.get("sandbox"), str):
        changed["sandbox"] = change(kwargs["sandbox"])
    if is_mix(id):
        for name, own in kwargs.items():
            if isinstance(own, Mapping):
                changed[name] = with_sandboxes("", own, change)
    return changed


def sandboxes_in(id: str, kwargs: Mapping[str, Any]) -> list[str]:
    """The names of the sandboxes in an environment's arguments, or in those of a mix's parts."""
    parts = [own for own in kwargs.values() if isinstance(own, Mapping)] if is_mix(id) else []
    named = (each.get("sandbox") for each in (kwargs, *parts))
    return [name for name in named if isinstance(name, str)]


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
        for other in weights:
            if name_of(id) == name_of(other):
                why = "stands twice" if id == other else f"and {other!r} would have the same name"
                raise UsageError(f"environment {id!r} {why} in {text!r}")
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
