"""What a query gives, as plain values of bounded size. Used inside the sandbox."""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Result = list[list[Any]]
FETCHED_AT_A_TIME = 500
LARGEST_WHOLE = 10**40


class Unfit(Exception):
    """A query cannot be answered: `kind` is one of `verdict.Kind`, the message is for people."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(slots=True)
class Bounds:
    """What one answer may use, over all states, or one query of a task's own.

    Attributes:
        rows: of one result.
        characters: of one result.
        calls: of SQLite's progress handler that are left.
        seconds: of processor time for one query in DuckDB, which counts no steps; 0: as many as the process has.
    """

    rows: int
    characters: int
    calls: int
    seconds: float = 0

    def spend(self) -> bool:
        """One call of the progress handler; True ends the query."""
        self.calls -= 1
        return self.calls < 0


def collected(cursor: Any, bounds: Bounds) -> Result:
    """All rows of a cursor, as plain values.

    Raises:
        Unfit: they are too many, or too large.
    """
    rows: Result = []
    size = 0
    while piece := cursor.fetchmany(FETCHED_AT_A_TIME):
        for row in piece:
            plain = [each if type(each) is str else plain_value(each) for each in row]
            for each in plain:
                if type(each) is str:
                    size += len(each)
            rows.append(plain)
        if len(rows) > bounds.rows:
            raise Unfit("size", f"it gives more than {bounds.rows} rows")
        if size > bounds.characters:
            raise Unfit("size", f"it gives more than {bounds.characters} characters")
    return rows


def plain_value(value: Any) -> Any:
    """A value as JSON has it: dates as text, midnight left off; what JSON lacks, as a dictionary that equals itself."""
    if value is None or (type(value) is int and -LARGEST_WHOLE < value < LARGEST_WHOLE):  # the quick ones
        return value
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int):
        return int(value) if abs(value) < LARGEST_WHOLE else {"whole": hex(value)}
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": str(value)}
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ").removesuffix(" 00:00:00")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    return {type(value).__name__: str(value)[:1000]}
