"""Schemas: tables with columns that know which values they hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from random import Random
from typing import Any, Literal

Type = Literal["INTEGER", "TEXT", "REAL", "DATE"]
_TYPES: Mapping[str, Mapping[Type, str]] = {
    "sqlite": {"INTEGER": "INTEGER", "TEXT": "TEXT", "REAL": "REAL", "DATE": "DATE"},
    "duckdb": {"INTEGER": "INTEGER", "TEXT": "VARCHAR", "REAL": "DOUBLE", "DATE": "DATE"},
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column and its values.

    Attributes:
        type: of the values; dates are texts, 2024-03-15.
        values: to draw from; of a unique column, each is used once.
        nullable: a share of its values is NULL.
        unique: no value occurs twice.
        key: a whole number that counts the rows; or part of the primary key, where it refers to another table.
        references: the table that it refers to.
        referred: the place of that table's column which it refers to.
    """

    name: str
    type: Type = "INTEGER"
    values: Sequence[Any] = ()
    nullable: bool = False
    unique: bool = False
    key: bool = False
    references: str = ""
    referred: int = 0


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        size: rows of a usual state.
        distinct: places of columns that are unique together, next to the primary key.
    """

    name: str
    columns: tuple[Column, ...]
    size: int = 10
    distinct: tuple[tuple[int, ...], ...] = ()

    @cached_property
    def keys(self) -> tuple[int, ...]:
        """Places of the primary key's columns."""
        return tuple(place for place, column in enumerate(self.columns) if column.key)


@dataclass(frozen=True)
class Schema:
    """Tables; those that are referred to stand before those that refer to them."""

    name: str
    tables: tuple[Table, ...]

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """Columns by "table.column"."""
        return {f"{table.name}.{column.name}": column for table in self.tables for column in table.columns}

    def ddl(self, engine: str) -> str:
        """The CREATE TABLE statements."""
        return "\n".join(_create(table, engine) for table in self.tables)

    def value(self, column: str, rng: Random) -> Any:
        """A value that may occur in "table.column"."""
        return rng.choice(self.by_name[column].values)


def _create(table: Table, engine: str) -> str:
    lines = []
    for column in table.columns:
        words = [column.name, _TYPES[engine][column.type]]
        if column.key and len(table.keys) == 1:
            words.append("PRIMARY KEY")
        elif not column.nullable:
            words.append("NOT NULL")
        if column.unique:
            words.append("UNIQUE")
        if column.references:
            words.append(f"REFERENCES {column.references} (id)")
        lines.append("  " + " ".join(words))
    if len(table.keys) > 1:
        names = ", ".join(table.columns[place].name for place in table.keys)
        lines.append(f"  PRIMARY KEY ({names})")
    for group in table.distinct:
        lines.append(f"  UNIQUE ({', '.join(table.columns[place].name for place in group)})")
    return f"CREATE TABLE {table.name} (\n" + ",\n".join(lines) + "\n);"


# ---- short ways to write columns


def key() -> Column:
    """The column id, which counts."""
    return Column("id", key=True)


def ref(table: str, name: str = "", *, nullable: bool = False, part_of_key: bool = False) -> Column:
    """A reference to a table's id, by default called after the table's name without its last letter."""
    return Column(name or f"{table[:-1]}_id", nullable=nullable, references=table, key=part_of_key)


def text(name: str, words: str, *, nullable: bool = False, unique: bool = False) -> Column:
    """Texts, given with bars between them."""
    return Column(name, "TEXT", tuple(words.split("|")), nullable, unique)


def whole(name: str, low: int, high: int, step: int = 1, *, nullable: bool = False) -> Column:
    """Whole numbers from ``low`` to ``high``."""
    return Column(name, "INTEGER", range(low, high + 1, step), nullable)


def money(name: str, low: int, high: int, *, nullable: bool = False) -> Column:
    """Amounts in quarters, whose sums are exact in binary."""
    return Column(name, "REAL", tuple(quarter / 4 for quarter in range(4 * low, 4 * high + 1)), nullable)


def day(name: str, first: str = "2022-01-01", last: str = "2024-12-31", *, nullable: bool = False) -> Column:
    """Dates; the first and last days of months among them more often than chance would have it."""
    start, days = date.fromisoformat(first), (date.fromisoformat(last) - date.fromisoformat(first)).days
    all_days = [start + timedelta(days=each) for each in range(days + 1)]
    edges = [each for each in all_days if each.day == 1 or (each + timedelta(days=1)).day == 1]
    return Column(name, "DATE", tuple(each.isoformat() for each in (*all_days[::9], *edges)), nullable)
