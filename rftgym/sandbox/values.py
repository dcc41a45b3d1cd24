"""Plain Python values as JSON, exactly: how arguments and results get into a sandbox and out of it.

``None``, booleans, text, lists, and numbers that JSON can say stand for themselves. Everything else is an object with
one key that names the type: ``{"tuple": [1, 2]}``, ``{"dict": [["a", 1]]}``, ``{"int": "0x20000000000000"}``. What is
no plain value becomes :class:`Opaque`, which equals nothing that was expected.

Neither direction ever calls a method of a foreign class, unpickles or evaluates. What comes out of a sandbox was
written by a stranger: :func:`decode` checks everything, and refuses in linear time what would take longer.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

DEEPEST: Final = 100
"""Levels of containers inside one another."""
MOST_NODES: Final = 1 << 17
MOST_CHARACTERS: Final = 1 << 20
"""Of one value: characters of text, bytes and digits, and one for every node."""
EXACT_IN_JSON: Final = 1 << 53
"""Integers below are written as numbers, for they survive readers of JSON that know only floats."""
TEXT_CHARACTERS: Final = 200
_FEW: Final = 64
_SHOWN: Final = {
    ("builtins", "complex"),
    ("builtins", "range"),
    ("datetime", "date"),
    ("datetime", "datetime"),
    ("datetime", "time"),
    ("datetime", "timedelta"),
    ("decimal", "Decimal"),
    ("fractions", "Fraction"),
}
"""Types whose ``repr`` says what they are, without an address."""
_NOT_FINITE: Final = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class BadValue(ValueError):
    """This JSON is no encoded value."""


class _TooLarge(Exception):
    """The value is beyond the bounds; the text says which."""


@dataclass(frozen=True, slots=True)
class Opaque:
    """Stands for a value that is not plain: a generator, a function, an object, or something beyond the bounds.

    Attributes:
        type_name: name of its class.
        text: what it is or why it is here, for people; may be empty.
    """

    type_name: str
    text: str = ""


def encode(value: Any, *, most_characters: int = MOST_CHARACTERS) -> Any:
    """A value as something that ``json.dumps`` can write, without ``ensure_ascii`` too.

    A value of a subclass of a plain type is taken for its plain part, read by the base's own methods. Members of sets
    are written in a fixed order.

    Args:
        most_characters: of the value, see :data:`MOST_CHARACTERS`.
    Returns:
        The encoded value; an encoded :class:`Opaque` where the whole is beyond the bounds (too large, too deep, or
        cyclic).
    """
    try:
        return _Encoder(most_characters).encode(value, 0)
    except (_TooLarge, RecursionError) as error:
        why = str(error) if isinstance(error, _TooLarge) else f"nested deeper than {DEEPEST}"
        return {"opaque": [name_of(type(value)), why]}


def decode(encoded: Any) -> Any:
    """The value that :func:`encode` wrote; text in it may hold lone surrogates.

    Raises:
        BadValue: it is none, or beyond the bounds.
    """
    try:
        return _Decoder().decode(encoded, 0)
    except BadValue:
        raise
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise BadValue(f"no encoded value: {type(error).__name__}") from None


def plain(value: Any) -> bool:
    """Whether a value, as :func:`decode` gives it, holds nothing opaque."""
    if isinstance(value, dict):
        return all(plain(key) and plain(each) for key, each in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return all(map(plain, value))
    return not isinstance(value, Opaque)


def shown(value: Any, most: int = TEXT_CHARACTERS) -> str:
    """A decoded value for people: one line of ASCII, cut."""
    try:
        return ascii(value)[:most]
    except (ValueError, RecursionError):  # Python refuses to write out integers beyond some thousand digits
        return f"{type(value).__name__} too large to be shown"


def name_of(kind: type) -> str:
    """A class's name, whatever its metaclass would say, fit to be shown."""
    name = type.__dict__["__name__"].__get__(kind)
    return str.encode(name, "utf-8", "backslashreplace")[:TEXT_CHARACTERS].decode("utf-8", "replace")


class _Encoder:
    """Walks through one value, and counts."""

    def __init__(self, most_characters: int) -> None:
        self.nodes = MOST_NODES
        self.characters = most_characters

    def spend(self, characters: int) -> None:
        self.nodes -= 1
        self.characters -= characters + 1
        if self.nodes < 0 or self.characters < 0:
            raise _TooLarge(f"larger than {MOST_CHARACTERS} characters or {MOST_NODES} parts")

    def encode(self, value: Any, depth: int) -> Any:
        if depth > DEEPEST:
            raise _TooLarge(f"nested deeper than {DEEPEST}")
        if value is None or value is True or value is False:
            self.spend(1)
            return value
        kind = type(value)
        write = _WRITERS.get(kind)
        if write is None:
            mro = type.__dict__["__mro__"].__get__(kind)
            write = next((_WRITERS[base] for base in mro if base in _WRITERS), _Encoder.opaque)
        return write(self, value, depth)

    def many(self, values: Iterable[Any], depth: int) -> list[Any]:
        return [self.encode(each, depth + 1) for each in values]

    def integer(self, value: int, depth: int) -> Any:
        exact = int.__index__(value)
        self.spend(exact.bit_length() // 4)
        return exact if -EXACT_IN_JSON < exact < EXACT_IN_JSON else {"int": hex(exact)}

    def number(self, value: float, depth: int) -> Any:
        exact = float.__pos__(value)
        self.spend(8)
        return exact if math.isfinite(exact) else {"float": repr(exact)}

    def text(self, value: str, depth: int) -> Any:
        exact = str.__str__(value)
        self.spend(len(exact))
        try:
            exact.encode()
        except UnicodeEncodeError:  # half of a surrogate pair is no text for JSON
            return {"str": exact.encode("utf-8", "surrogatepass").hex()}
        return exact

    def binary(self, value: bytes, depth: int) -> Any:
        self.spend(2 * bytes.__len__(value))
        return {"bytes": bytes.hex(value)}

    def list(self, value: list[Any], depth: int) -> Any:
        self.spend(2)
        return self.many(list.__iter__(value), depth)

    def tuple(self, value: tuple[Any, ...], depth: int) -> Any:
        self.spend(2)
        return {"tuple": self.many(tuple.__iter__(value), depth)}

    def set(self, value: set[Any], depth: int) -> Any:
        self.spend(2)
        return {"set": sorted(self.many(set.__iter__(value), depth), key=repr)}

    def frozenset(self, value: frozenset[Any], depth: int) -> Any:
        self.spend(2)
        return {"frozenset": sorted(self.many(frozenset.__iter__(value), depth), key=repr)}

    def dict(self, value: dict[Any, Any], depth: int) -> Any:
        self.spend(2)
        return {"dict": [self.many(pair, depth) for pair in dict.items(value)]}

    def opaque(self, value: Any, depth: int) -> Any:
        if isinstance(value, Opaque) and type(value) is Opaque:
            return {"opaque": [str(value.type_name), str(value.text)]}
        kind = type(value)
        known = (kind.__module__, kind.__qualname__) in _SHOWN
        text = repr(value)[:TEXT_CHARACTERS] if known else ""
        self.spend(TEXT_CHARACTERS)
        return {"opaque": [name_of(kind), text]}


_WRITERS: Final[dict[type, Callable[[_Encoder, Any, int], Any]]] = {
    int: _Encoder.integer,
    float: _Encoder.number,
    str: _Encoder.text,
    bytes: _Encoder.binary,
    list: _Encoder.list,
    tuple: _Encoder.tuple,
    set: _Encoder.set,
    frozenset: _Encoder.frozenset,
    dict: _Encoder.dict,
}


class _Decoder:
    """Walks through one encoded value, and counts."""

    def __init__(self) -> None:
        self.nodes = 2 * MOST_NODES

    def decode(self, encoded: Any, depth: int) -> Any:
        self.nodes -= 1
        if self.nodes < 0 or depth > DEEPEST + 1:
            raise BadValue("beyond the bounds")
        if encoded is None or isinstance(encoded, bool | int | float | str):
            return encoded
        if isinstance(encoded, list):
            return self.many(encoded, depth)
        if not isinstance(encoded, dict) or len(encoded) != 1:
            raise BadValue("an encoded value is an object with one key")
        ((kind, inner),) = encoded.items()
        return self.tagged(kind, inner, depth)

    def many(self, values: Any, depth: int) -> list[Any]:
        if not isinstance(values, list):
            raise BadValue("expected a list")
        return [self.decode(each, depth + 1) for each in values]

    def tagged(self, kind: str, inner: Any, depth: int) -> Any:
        if kind in ("int", "str", "bytes", "float") and not isinstance(inner, str):
            raise BadValue(f"{kind} is written as text")
        match kind:
            case "int":
                return int(inner, 16)
            case "float":
                return _NOT_FINITE[inner]
            case "str":
                return bytes.fromhex(inner).decode("utf-8", "surrogatepass")
            case "bytes":
                return bytes.fromhex(inner)
            case "tuple":
                return tuple(self.many(inner, depth))
            case "set":
                return set(self.members(inner, depth))
            case "frozenset":
                return frozenset(self.members(inner, depth))
            case "dict":
                return self.pairs(inner, depth)
            case "opaque":
                name, text = inner
                return Opaque(_short(name), _short(text))
        raise BadValue(f"unknown kind {kind[:20]!r}")

    def members(self, encoded: Any, depth: int) -> list[Any]:
        values = self.many(encoded, depth)
        _refuse_collisions(values)
        return values

    def pairs(self, encoded: Any, depth: int) -> dict[Any, Any]:
        pairs = [self.many(pair, depth) for pair in encoded]
        _refuse_collisions([key for key, _ in pairs])
        return {key: value for key, value in pairs}  # noqa: C416 - says that every item is a pair


def _refuse_collisions(values: list[Any]) -> None:
    """Values of one hash, as an attacker can choose them, would take quadratic time to put into a table."""
    if len(values) > _FEW and max(Counter(map(hash, values)).values()) > _FEW:
        raise BadValue("too many members of one hash")


def _short(text: Any) -> str:
    if not isinstance(text, str):
        raise BadValue("expected text")
    return text[:TEXT_CHARACTERS].encode("utf-8", "backslashreplace").decode()
