"""Whether what an answer returned is what the source returned. Nothing here calls a method of a foreign class.

An expected value is canonical JSON, so that its type is known; the other one is plain Python, as the sandbox gave it.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Any

from rftgym.sandbox.values import Opaque
from rftgym_transpile.notation import decode, frozen, tag_of

RELATIVE = 1e-9
"""Of doubles: libraries differ in the last bits of a sine or a power."""
FEW = 300
FOREIGN = "$foreign"
"""First item of the tuple that stands for an object of the answer's own class, see `adapter.py`."""


def same(expected: Any, got: Any) -> bool:
    """Whether a result agrees with the expected one.

    Integers agree with equal integers only, neither with True nor with 1.0; doubles with numbers within 1e-9 of them,
    where NaN is NaN and -0.0 is not 0.0; floats with numbers that are the same in 32 bits; lists with lists and
    tuples; sets and maps in any order; records with tuples, lists, maps by name and objects with these attributes.
    """
    if expected is None or isinstance(expected, bool):
        return got is expected
    if isinstance(expected, int):
        return type(got) is int and got == expected
    if isinstance(expected, float):
        return _real(expected, got)
    if isinstance(expected, str):
        return type(got) is str and got == expected
    if isinstance(expected, list):
        return _items(expected, got)
    tag, inner = tag_of(expected)
    match tag:
        case "$float":
            return _real(decode(expected), got)
        case "$float32":
            return _narrow(decode(inner), got)
        case "$number":
            return _number(decode(inner), got)
        case "$char" | "$enum":
            return _named(inner, got)
        case "$set":
            return isinstance(got, set | frozenset) and _members(inner, got)
        case "$orderedset":
            return _items(inner, got) or (isinstance(got, set | frozenset) and _members(inner, got))
        case "$map":
            return isinstance(got, dict) and _pairs(inner, got)
        case "$record":
            return _record(inner, got)
        case "$object":
            return _object(inner, got)
        case "$varargs":
            return _items(inner, got)
    return False


def _real(expected: float, got: Any) -> bool:
    if type(got) not in (int, float):
        return False
    if math.isnan(expected):
        return bool(math.isnan(got)) if type(got) is float else False
    if expected == 0:
        return bool(got == 0) and math.copysign(1, expected) == math.copysign(1, got)
    try:
        return math.isclose(expected, got, rel_tol=RELATIVE, abs_tol=0.0)
    except OverflowError:  # an integer beyond all doubles
        return False


def _narrow(expected: float, got: Any) -> bool:
    if type(got) not in (int, float):
        return False
    try:
        rounded = struct.unpack("f", struct.pack("f", got))[0]
    except (OverflowError, struct.error):
        return math.isinf(expected) and (got > 0) == (expected > 0)
    wanted = struct.unpack("f", struct.pack("f", expected))[0]
    if math.isnan(wanted) or wanted == 0:
        return _real(wanted, rounded)
    return bool(rounded == wanted)


def _number(expected: float, got: Any) -> bool:
    """JavaScript has one kind of number; an integer stands for a whole one."""
    return type(got) in (int, float) and (_real(expected, got) or got == expected)


def _named(expected: str, got: Any) -> bool:
    if _is_foreign(got):  # an Enum's member tells its name so
        got = got[3]
    return type(got) is str and got == expected


def _is_foreign(got: Any) -> bool:
    return isinstance(got, tuple) and len(got) == 4 and got[0] == FOREIGN and isinstance(got[2], dict)


def _items(expected: Sequence[Any], got: Any) -> bool:
    if not isinstance(got, list | tuple) or len(got) != len(expected):
        return False
    return all(map(same, expected, got))


def _key(expected: Any) -> Any:
    return frozen(decode(expected))


def _members(expected: Sequence[Any], got: set[Any] | frozenset[Any]) -> bool:
    if len(expected) != len(got):
        return False
    own = {each: each for each in got}  # equal things may be of other types: 1, 1.0 and True
    left = [each for each in expected if (key := _key(each)) not in own or not same(each, own.pop(key))]
    if len(left) > FEW:
        return False
    return all(_taken(each, own) for each in left)


def _taken(expected: Any, own: dict[Any, Any]) -> bool:
    """Take the member that agrees, say a double that differs in its last bit."""
    for key, each in own.items():
        if same(expected, each):
            del own[key]
            return True
    return False


def _pairs(expected: Sequence[Any], got: dict[Any, Any]) -> bool:
    if len(expected) != len(got):
        return False
    own = {key: key for key in got}
    for key, value in expected:
        found = own.get(_key(key), _ABSENT)
        if found is _ABSENT or not same(key, found):
            near = [each for each in own if same(key, each)] if len(own) <= FEW else []
            found = near[0] if near else _ABSENT
        if found is _ABSENT or not same(value, got[found]):
            return False
    return True


_ABSENT = object()


def _record(expected: Sequence[Any], got: Any) -> bool:
    fields = expected[1]
    if _is_foreign(got):
        got = got[2]
    if isinstance(got, dict):
        named = {str(name).lstrip("_"): each for name, each in got.items()}
        return len(named) == len(fields) and all(
            name in named and same(each, named[name]) for name, each in fields
        )
    return _items([each for _, each in fields], got)


def _object(expected: Sequence[Any], got: Any) -> bool:
    name, text = expected
    if text is None:  # all that is known is what it is: `return this`
        return (_is_foreign(got) and got[1] == name) or (isinstance(got, Opaque) and got.type_name == name)
    said = got[3] if _is_foreign(got) else got.text if isinstance(got, Opaque) else got
    return type(said) is str and said == text
