"""The canonical notation of values, and what Python makes of it. See the README for the notation itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rftgym.errors import UsageError
from rftgym.sandbox.functions import Call
from rftgym.sandbox.values import Opaque

DEEPEST = 60
TAGS = (
    "$float", "$float32", "$char", "$set", "$orderedset", "$map", "$enum", "$record", "$object", "$varargs", "$number",
)  # fmt: skip
_SPECIAL = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class Varargs(list[Any]):
    """The arguments behind a method's ``...``, which Python may be given as one list or one by one."""


def tag_of(value: Any) -> tuple[str, Any]:
    """The tag and the content of ``{"$tag": content}``; ("", value) of anything else."""
    if isinstance(value, dict) and len(value) == 1:
        ((name, inner),) = value.items()
        if name in TAGS:
            return name, inner
    return "", value


def decode(value: Any, depth: int = 0) -> Any:
    """The Python value that a canonical one stands for.

    Raises:
        UsageError: it is not canonical.
    """
    if depth > DEEPEST:
        raise UsageError(f"a value of more than {DEEPEST} levels")
    tag, inner = tag_of(value)
    try:
        return _decoded(tag, inner, depth)
    except (TypeError, ValueError, KeyError) as error:
        raise UsageError(f"{value!r:.80} is not a value in the notation of the README: {error}") from error


def _decoded(tag: str, inner: Any, depth: int) -> Any:
    match tag:
        case "$float":
            return _SPECIAL[inner]
        case "$set" | "$orderedset":
            return {frozen(decode(each, depth + 1)) for each in inner}
        case "$map":
            return {frozen(decode(key, depth + 1)): decode(each, depth + 1) for key, each in inner}
        case "$varargs":
            return Varargs(decode(each, depth + 1) for each in inner)
        case "$record":
            return tuple(decode(each, depth + 1) for _, each in inner[1])
        case "$object":
            return Opaque(inner[0], inner[1] or "")
        case "$float32" | "$char" | "$enum" | "$number":
            return decode(inner, depth + 1)
    if isinstance(inner, list):
        return [decode(each, depth + 1) for each in inner]
    if isinstance(inner, dict):
        raise ValueError('write a map as {"$map": [[key, value], ...]}')
    return inner


def finite(value: Any, depth: int = 0) -> Any:
    """JSON as users write it, with NaN and Infinity, as JSON that every language reads.

    Raises:
        ValueError: it is too deep.
    """
    if depth > DEEPEST:
        raise ValueError(f"a value of more than {DEEPEST} levels")
    if isinstance(value, float) and not math.isfinite(value):
        return {"$float": repr(value)}
    if isinstance(value, list):
        return [finite(each, depth + 1) for each in value]
    if isinstance(value, dict):
        return {key: finite(each, depth + 1) for key, each in value.items()}
    return value


def frozen(value: Any) -> Any:
    """A value as it can stand in a set or as a key."""
    if isinstance(value, list | tuple):
        return tuple(map(frozen, value))
    return frozenset(value) if isinstance(value, set) else value


def call_of(test: Any) -> Call:
    """The call that an input asks for.

    Raises:
        UsageError: it is neither a list of arguments nor {"new": [...], "calls": [...]}.
    """
    if isinstance(test, list):
        return Call(_arguments(test))
    if isinstance(test, dict) and set(test) == {"new", "calls"} and isinstance(test["new"], list):
        steps = tuple((str(step[0]), _arguments(step[1:])) for step in test["calls"])
        return Call(_arguments(test["new"]), steps)
    raise UsageError(
        f'{test!r:.80} is no input: write [argument, ...], or {{"new": [...], "calls": [["method", ...], ...]}}'
    )


def _arguments(values: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(decode(each) for each in values)


def encode(value: Any, depth: int = 0) -> Any:
    """The canonical form of a Python value, as `rftgym.sandbox.values.decode` gives it.

    Raises:
        ValueError: it is too deep.
    """
    if depth > DEEPEST:
        raise ValueError(f"a value of more than {DEEPEST} levels")
    match value:
        case float() if not math.isfinite(value):
            return {"$float": repr(value)}
        case ("$foreign", str(name), dict(held), str(text)):
            fields = [[str(key), encode(each, depth + 1)] for key, each in held.items()]
            return {"$record": [name, fields]} if fields else {"$enum": text}
        case list() | tuple():
            return [encode(each, depth + 1) for each in value]
        case set() | frozenset():
            return {"$set": [encode(each, depth + 1) for each in sorted(value, key=repr)]}
        case dict():
            return {
                "$map": [[encode(key, depth + 1), encode(each, depth + 1)] for key, each in value.items()]
            }
        case bytes():
            return list(value)
        case Opaque():
            return {"$object": [value.type_name, value.text or None]}
    return value
