"""Whether a result is the expected one.

Two ways of comparing. "strict", for the environment's own problems: types count as they do for whoever uses the
result. A boolean is no number, a float does not pass for a whole number, a tuple is no list. "python", for tasks of a
user's own, as an ``assert`` there would have it: ``1 == 1.0 == True``, but a tuple is no list in Python either.

In both, a number that is expected to be a float may differ by one part in a million (`RELATIVE`, `ABSOLUTE`), since
the order in which floats are added is nobody's business; NaN equals NaN. Keys of dictionaries and members of sets are
compared exactly.
"""

from __future__ import annotations

import math
from typing import Any, Final, Literal

from rftgym.sandbox.values import Opaque

Mode = Literal["strict", "python"]
RELATIVE: Final = 1e-6
ABSOLUTE: Final = 1e-9


def same(expected: Any, got: Any, mode: Mode = "strict") -> bool:
    """Whether ``got`` passes for ``expected``; both are plain values as the sandbox gives them."""
    if isinstance(expected, Opaque) or isinstance(got, Opaque):
        return False
    if isinstance(expected, bool | int | float):
        return _same_number(expected, got, mode)
    if type(expected) is not type(got) and not _both_sets(expected, got):
        return False
    if isinstance(expected, list | tuple):
        return len(expected) == len(got) and all(same(a, b, mode) for a, b in zip(expected, got, strict=True))
    if isinstance(expected, dict):
        return _same_dict(expected, got, mode)
    if isinstance(expected, set | frozenset):
        return bool(_exact(expected, mode) == _exact(got, mode))
    return bool(expected == got)


def _same_number(expected: bool | float, got: Any, mode: Mode) -> bool:
    if not isinstance(got, bool | int | float):
        return False
    if mode == "strict":
        if isinstance(expected, bool) or isinstance(got, bool):
            return expected is got
        if isinstance(expected, int) and isinstance(got, float):
            return False
    if isinstance(expected, float):
        return _close(expected, got)
    return expected == got


def within(expected: Any, got: Any, tolerance: float) -> bool:
    """Whether two numbers are no further apart than this, where a test names a tolerance of its own."""
    numbers = isinstance(expected, int | float) and isinstance(got, int | float)
    try:
        return numbers and math.isclose(expected, got, rel_tol=RELATIVE, abs_tol=tolerance)
    except OverflowError:  # a whole number beyond all floats
        return False


def _close(expected: float, got: float) -> bool:
    if math.isnan(expected):
        return math.isnan(got)
    try:
        return math.isclose(expected, got, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    except OverflowError:  # a whole number beyond all floats
        return False


def _both_sets(expected: Any, got: Any) -> bool:
    return isinstance(expected, set | frozenset) and isinstance(got, set | frozenset)


def _same_dict(expected: dict[Any, Any], got: dict[Any, Any], mode: Mode) -> bool:
    if _exact(expected, mode) != _exact(got, mode):
        return False
    return all(same(value, got[key], mode) for key, value in expected.items())


def _exact(members: Any, mode: Mode) -> set[Any]:
    """Keys or members; strictly, with their types."""
    return {_typed(each) for each in members} if mode == "strict" else set(members)


def _typed(value: Any) -> Any:
    if isinstance(value, tuple):
        return ("tuple", tuple(map(_typed, value)))
    if isinstance(value, frozenset):
        return ("frozenset", frozenset(map(_typed, value)))
    return (type(value).__name__, value)
