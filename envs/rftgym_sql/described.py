"""A user's schema, as SQLite described it, with values made up for its columns, so that states can be generated."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from rftgym_sql.schema import Column, Schema, Table, Type
from rftgym_sql.tokens import tokens

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_DATED_NAME = re.compile(r"(?:^|_)(?:date|day|on|at|since|until|birthday)(?:$|_)|date$", re.IGNORECASE)
_WORDS = tuple(
    f"{first} {second}" if second else first
    for first in ("amber", "Birch", "cobalt", "Delta", "ember", "Fjord", "grove", "Harbour")
    for second in ("", "North", "south", "Ridge")
)
_DATES = tuple((date(2020, 1, 1) + timedelta(days=each * 13)).isoformat() for each in range(140))
_SIZE = 14
Description = Mapping[str, Any]


def schema_of(tables: Sequence[Description], query: str) -> tuple[Schema, dict[str, list[Any]]]:
    """A schema with values, and the query's own values as pins.

    Args:
        tables: as `jobs.describe` gives them.
        query: whose literals are worth having in the tables.
    """
    literals = _literals(query)
    made = [_table(table, tables, literals) for table in tables]
    schema = Schema("own", tuple(_in_order(made)))
    pins = {
        f"{table.name}.{column.name}": _fitting(column.type, literals)
        for table in made
        for column in table.columns
        if not column.references and not column.key
    }
    return schema, pins


def _literals(query: str) -> list[Any]:
    found: list[Any] = []
    for piece in tokens(query):
        if piece.kind == "string":
            found.append(piece.text[1:-1].replace("''", "'").strip("%"))
        elif piece.kind == "number":
            value = float(piece.text)
            found.append(int(value) if value.is_integer() and abs(value) < 2**40 else value)
    return [value for value in dict.fromkeys(found) if value != ""]


def _fitting(kind: Type, literals: Sequence[Any]) -> list[Any]:
    if kind == "TEXT":
        return [value for value in literals if isinstance(value, str) and not _DATE.fullmatch(value)]
    if kind == "DATE":
        return [value for value in literals if isinstance(value, str) and _is_date(value)]
    numbers = [value for value in literals if not isinstance(value, str)]
    return numbers if kind == "REAL" else [value for value in numbers if isinstance(value, int)]


def _is_date(text: str) -> bool:
    try:
        return bool(_DATE.fullmatch(text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _table(table: Description, tables: Sequence[Description], literals: Sequence[Any]) -> Table:
    names = [name for name, *_ in table["columns"]]
    columns = tuple(_column(column, table, tables, literals) for column in table["columns"])
    places = [
        tuple(names.index(name) for name in group) for group in table["unique"] if set(group) <= set(names)
    ]
    referring = sum(bool(column.references) for column in columns)
    return Table(table["name"], columns, _SIZE * (1 + (referring > 0)), tuple(places))


def _column(
    column: Sequence[Any], table: Description, tables: Sequence[Description], literals: Sequence[Any]
) -> Column:
    name, declared, required, in_key = column
    kind = _type(name, declared)
    alone = in_key and sum(bool(each[3]) for each in table["columns"]) == 1
    unique = bool(alone) or [name] in table["unique"]
    made = Column(name, kind, _values(kind, literals), not required and not in_key, unique, bool(in_key))
    target = _target(name, table, tables)
    if target is None:
        return made
    return replace(made, references=target[0], referred=target[1], unique=False)


def _type(name: str, declared: str) -> Type:
    upper = declared.upper()
    if "DATE" in upper or "TIME" in upper:
        return "DATE"
    if "INT" in upper or "BOOL" in upper:
        return "INTEGER"
    if any(part in upper for part in ("REAL", "FLOA", "DOUB", "DEC", "NUM")):
        return "REAL"
    return "DATE" if _DATED_NAME.search(name) else "TEXT"


def _values(kind: Type, literals: Sequence[Any]) -> tuple[Any, ...]:
    own = _fitting(kind, literals)
    if kind == "TEXT":
        around = [
            text for word in own for text in (word, word.swapcase(), f"{word} {_WORDS[0]}", f"un{word}")
        ]
        return (*dict.fromkeys([*around, *_WORDS]),)
    if kind == "DATE":
        return (*dict.fromkeys([*own, *_DATES]),)
    if kind == "INTEGER":
        return (*dict.fromkeys([*own, *range(31)]),)
    return (*dict.fromkeys([*map(float, own), *(quarter / 4 for quarter in range(161))]),)


def _target(name: str, table: Description, tables: Sequence[Description]) -> tuple[str, int] | None:
    """The table and the column's place that a column refers to: as declared, or as its name says (customer_id)."""
    by_name = {each["name"].lower(): each for each in tables}
    for own, other, column in table["references"]:
        if own == name and other.lower() in by_name:
            return by_name[other.lower()]["name"], _place(by_name[other.lower()], column)
    stem = name.lower().removesuffix("_id")
    if stem == name.lower():
        return None
    for guess in (stem, f"{stem}s", f"{stem}es", f"{stem[:-1]}ies"):
        if guess in by_name and guess != table["name"].lower():
            return by_name[guess]["name"], _place(by_name[guess], None)
    return None


def _place(table: Description, column: str | None) -> int:
    names = [name.lower() for name, *_ in table["columns"]]
    if column is not None and column.lower() in names:
        return names.index(column.lower())
    return next((place for place, each in enumerate(table["columns"]) if each[3] == 1), 0)


def _in_order(tables: Sequence[Table]) -> list[Table]:
    """Tables that are referred to before those that refer to them; where they do so in a circle, as they come."""
    left, found, names = list(tables), list[Table](), set[str]()
    while left:
        ready = [
            table
            for table in left
            if all(each.references in {"", table.name, *names} for each in table.columns)
        ]
        first = ready[0] if ready else _cut(left[0], names)
        left = [table for table in left if table.name != first.name]
        found.append(first)
        names.add(first.name)
    return found


def _cut(table: Table, names: set[str]) -> Table:
    """A table of a circle, without the references that cannot be kept."""
    columns = [
        column
        if column.references in {"", table.name, *names}
        else replace(column, references="", values=tuple(range(1, 20)))
        for column in table.columns
    ]
    return replace(table, columns=tuple(columns))
