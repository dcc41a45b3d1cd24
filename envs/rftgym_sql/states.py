"""Database states: rows for a schema, of several flavours, made from a seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any

from rftgym_sql.schema import Column, Schema, Table

Rows = list[list[Any]]
State = dict[str, Rows]
Pins = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Flavour:
    """What a state is like.

    Attributes:
        scale: of the tables' sizes.
        nulls: share of NULLs in columns that may hold them.
        pool: different values that a column has at most; fewer give ties and duplicates.
        pinned: share of values that are those of the question, or next to them.
        parents: share of a table's rows that others may refer to; the rest stays without.
        empty: a table that the question speaks of, and what refers to it, is empty.
    """

    name: str
    scale: float = 1.0
    nulls: float = 0.15
    pool: int = 50
    pinned: float = 0.25
    parents: float = 0.75
    empty: bool = False


FLAVOURS = (
    Flavour("usual"),
    Flavour("ties", pool=3, nulls=0.25),
    Flavour("edges", pinned=0.7, nulls=0.2, parents=0.6),
    Flavour("duplicates", scale=1.6, pool=2, pinned=0.5, parents=0.4),
    Flavour("crowded", scale=3.0, pinned=0.35, parents=0.9),
    Flavour("sparse", scale=0.6, nulls=0.5, parents=0.4, pinned=0.5),
    Flavour("empty", empty=True, pool=4, pinned=0.4),
)


def states(schema: Schema, seed: str, pins: Pins, n: int) -> list[State]:
    """``n`` states, flavours by turns; state i is a function of (seed, i)."""
    return [
        _state(schema, FLAVOURS[index % len(FLAVOURS)], Random(f"{seed}:{index}"), pins) for index in range(n)
    ]


def sample(schema: Schema) -> State:
    """Rows to show in a prompt: always the same."""
    return _state(schema, Flavour("sample", nulls=0.2), Random(f"sample:{schema.name}"), {})


def _state(schema: Schema, flavour: Flavour, rng: Random, pins: Pins) -> State:
    parents: dict[str, Rows] = {}
    state: State = {}
    asked = sorted({column.partition(".")[0] for column in pins}) or [table.name for table in schema.tables]
    emptied = rng.choice(asked) if flavour.empty else ""
    for table in schema.tables:
        rows = [] if table.name == emptied else _table(table, flavour, rng, pins, parents)
        state[table.name] = rows
        parents[table.name] = [row for row in rows if rng.random() < flavour.parents] or rows[:1]
    return state


def _table(table: Table, flavour: Flavour, rng: Random, pins: Pins, parents: Mapping[str, Rows]) -> Rows:
    size = max(2, round(table.size * flavour.scale * rng.uniform(0.8, 1.2)))
    size = min(
        [size, *(len(each.values) for each in table.columns if each.unique and each.type != "INTEGER")]
    )
    columns: list[list[Any]] = []
    for column in table.columns:
        pinned = pins.get(f"{table.name}.{column.name}", ())
        if column.references:
            pool = _referred(column, table, parents, columns)
            if not pool and not column.nullable:
                return []
        elif column.key and column.type == "INTEGER":
            columns.append(rng.sample(range(1, size + size // 3 + 2), size))
            continue
        elif column.unique or column.key:
            columns.append(_unique(column, size, rng, pinned))
            continue
        else:
            pool = rng.sample(column.values, min(flavour.pool, len(column.values)))
        columns.append(_drawn(column, pool, size, flavour, rng, pinned))
    rows = [list(row) for row in zip(*columns, strict=False)]
    for places in (*table.distinct, table.keys):
        if places:
            rows = list({tuple(row[place] for place in places): row for row in rows}.values())
    return rows


def _referred(
    column: Column, table: Table, parents: Mapping[str, Rows], columns: Sequence[Sequence[Any]]
) -> list[Any]:
    """What a column may refer to; a table may refer to itself, if it does so behind the column that is referred to."""
    if column.references == table.name:
        return list(columns[column.referred]) if column.referred < len(columns) else []
    return [row[column.referred] for row in parents.get(column.references, ())]


def _drawn(
    column: Column, pool: Sequence[Any], size: int, flavour: Flavour, rng: Random, pinned: Sequence[Any]
) -> list[Any]:
    near = [other for value in pinned for other in (value, value, *_neighbours(column, value))]
    nulls = flavour.nulls if column.nullable else 0.0
    found: list[Any] = []
    for _ in range(size):
        if not pool or rng.random() < nulls:
            found.append(None)
        elif near and rng.random() < flavour.pinned:
            found.append(rng.choice(near))
        else:
            found.append(rng.choice(pool))
    return found


def _unique(column: Column, size: int, rng: Random, pinned: Sequence[Any]) -> list[Any]:
    first = [value for value in pinned if value in column.values]
    rest = [value for value in column.values if value not in first]
    found = (first + rng.sample(rest, min(size, len(rest))))[:size]
    rng.shuffle(found)
    return found


def _neighbours(column: Column, value: Any) -> list[Any]:
    """What a wrong comparison would take for the value, or not."""
    if column.type == "DATE":
        then = date.fromisoformat(value)
        return [(then + timedelta(days=step)).isoformat() for step in (-1, 1)]
    if column.type == "TEXT":
        return []
    return [value - 1, value + 1]
