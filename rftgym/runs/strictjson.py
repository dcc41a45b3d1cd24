"""JSON as the standard has it (no bare NaN), for values that Python programs really hold.

Two dialects. :func:`dumps` is for people and other programs: a number that is not finite becomes the string
"NaN", "Infinity" or "-Infinity", which :func:`number` reads back. :func:`tagged` is for values of unknown shape
which must come back as they were: what JSON lacks becomes an object with the key "$".
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

TAG = "$"
_SURROGATE_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")


def dumps(value: Any, *, indent: int | None = None) -> bytes:
    """One JSON document in ASCII, so that no text can break its file.

    Raises:
        TypeError: it holds something that is not a JSON value, a path or an array.
    """
    separators = (",", ":") if indent is None else None
    return json.dumps(plain(value), indent=indent, separators=separators, allow_nan=False).encode("ascii")


def plain(value: Any) -> Any:
    """A copy made of JSON values only; numbers that are not finite become strings."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else nonfinite(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, PurePath):
        return str(value)
    if hasattr(value, "tolist"):  # arrays, tensors and their scalars, without importing who makes them
        return plain(value.tolist())
    raise TypeError(f"{type(value).__name__} is not a JSON value: {value!r:.200}")


def nonfinite(value: float) -> str:
    """The name of a number that is not finite."""
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")


def number(value: Any) -> float | None:
    """A number that :func:`dumps` wrote, or None where there is none."""
    if isinstance(value, str) and value in ("NaN", "Infinity", "-Infinity"):
        return float(value)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def tagged(value: Any) -> Any:
    """JSON values from which :func:`untagged` makes an equal value again.

    Exact for None, bool, int, float, str, list, tuple and dict with any such keys; an array becomes lists,
    anything else its ``repr``, since a record of what happened must not fail for what it records.
    """
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else {TAG: nonfinite(value)}
    if isinstance(value, list):
        return [tagged(item) for item in value]
    if isinstance(value, Mapping):
        return _mapping(value)
    if isinstance(value, tuple):
        return {TAG: "tuple", "items": [tagged(item) for item in value]}
    if hasattr(value, "tolist"):
        return tagged(value.tolist())
    return {TAG: "repr", "text": _text(repr(value))}


def untagged(value: Any) -> Any:
    """What :func:`tagged` was given. A ``repr`` comes back as text."""
    if isinstance(value, list):
        return [untagged(item) for item in value]
    if not isinstance(value, dict):
        return value
    tag = value.get(TAG)
    if tag is None:
        return {key: untagged(item) for key, item in value.items()}
    if tag == "tuple":
        return tuple(untagged(item) for item in value["items"])
    if tag == "pairs":
        return {untagged(key): untagged(item) for key, item in value["items"]}
    if tag == "characters":
        return "".join(map(chr, value["codes"]))
    return untagged(value["text"]) if tag == "repr" else float(tag)


def _text(value: str) -> Any:
    """JSON escapes would join two lone surrogates that stand side by side into one character."""
    if value.isascii() or not _SURROGATE_PAIR.search(value):
        return value
    return {TAG: "characters", "codes": [ord(character) for character in value]}


def _mapping(value: Mapping[Any, Any]) -> dict[str, Any]:
    simple = all(isinstance(key, str) and key != TAG and isinstance(_text(key), str) for key in value)
    if simple:
        return {key: tagged(item) for key, item in value.items()}
    return {TAG: "pairs", "items": [[tagged(key), tagged(item)] for key, item in value.items()]}
