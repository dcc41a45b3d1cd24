"""Whether two results are the same: rows as a multiset, in order only as far as the question orders them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

TOLERANCE = 1e-6
"""Relative and absolute, between two numbers of which one is not whole."""
MOST_SEARCHED = 400
"""Rows up to which a partner is looked for one by one where sorting did not line them up."""

Row = Sequence[Any]


def same(one: Sequence[Row], other: Sequence[Row], order: Sequence[int] | None = ()) -> bool:
    """Whether two results are equal.

    Names of columns do not matter, their order does. Whole numbers and others are compared by value, never with text.

    Args:
        order: positions of the columns by which the question orders; rows that tie in all of them may change places.
            Empty: the order of rows does not matter. None: they are ordered, and none may change its place.
    """
    if one == other:
        return True
    if len(one) != len(other) or {len(row) for row in one} != {len(row) for row in other}:
        return False
    if order is None:
        return all(_same_row(a, b) for a, b in zip(one, other, strict=True))
    if order and not all(_same_value(a[i], b[i]) for a, b in zip(one, other, strict=True) for i in order):
        return False
    return _same_rows(one, other)


def _same_rows(one: Sequence[Row], other: Sequence[Row]) -> bool:
    ranked = sorted(one, key=_rank), sorted(other, key=_rank)
    if all(_same_row(a, b) for a, b in zip(*ranked, strict=True)):
        return True
    return 1 < len(one) <= MOST_SEARCHED and _pair_up(*ranked)


def _pair_up(one: list[Row], other: list[Row]) -> bool:
    """Numbers that differ by rounding only can be sorted differently: find each row's partner."""
    left = list(other)
    for row in one:
        partner = next((i for i, each in enumerate(left) if _same_row(row, each)), None)
        if partner is None:
            return False
        del left[partner]
    return True


def _same_row(one: Row, other: Row) -> bool:
    return all(_same_value(a, b) for a, b in zip(one, other, strict=True))


def _same_value(one: Any, other: Any) -> bool:
    if isinstance(one, int | float) and isinstance(other, int | float):
        if one == other:
            return True
        if isinstance(one, int) and isinstance(other, int):
            return False
        try:
            return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
        except OverflowError:  # a whole number beyond all floats
            return False
    return type(one) is type(other) and bool(one == other)


def _rank(row: Row) -> tuple[Any, ...]:
    return tuple(_value_rank(value) for value in row)


def _value_rank(value: Any) -> tuple[int, Any]:
    if value is None:
        return 0, 0
    if isinstance(value, int | float):
        return 1, value
    return (2, value) if isinstance(value, str) else (3, repr(value))
