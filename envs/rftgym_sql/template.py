"""Question templates: text and query with places that are filled from a generator."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

from rftgym_sql.duck import literal
from rftgym_sql.schema import Schema


@dataclass(frozen=True, slots=True)
class Gap:
    """A number of days between two dates; states hold dates that lie so far apart, and a day more and less.

    Attributes:
        first: "table.column" of the earlier date.
        last: of the later one; may be the same.
        days: to choose from.
    """

    first: str
    last: str
    days: range


@dataclass(frozen=True, slots=True)
class Year:
    """A year; states hold its first and last day, and the days around them.

    Attributes:
        column: "table.column" of dates.
        years: to choose from.
    """

    column: str
    years: range


Filling = str | range | Gap | Year | Sequence[tuple[str, str]]
"""A column to take a value from, "table.column"; whole numbers; a gap between dates; a year; or pairs of the question's
words and the query's."""

_MACRO = re.compile(r"@([A-Z]+)\(([^()]*)\)")
_MACROS: Mapping[str, Mapping[str, Callable[..., str]]] = {
    "sqlite": {
        "YEAR": lambda day: f"CAST(strftime('%Y', {day}) AS INTEGER)",
        "MONTH": lambda day: f"strftime('%Y-%m', {day})",
        "DAYS": lambda first, last: f"CAST(julianday({last}) - julianday({first}) AS INTEGER)",
        "LATER": lambda day, days: f"date({day}, '+{days} days')",
    },
    "duckdb": {
        "YEAR": lambda day: f"year({day})",
        "MONTH": lambda day: f"strftime({day}, '%Y-%m')",
        "DAYS": lambda first, last: f"date_diff('day', {first}, {last})",
        "LATER": lambda day, days: f"({day} + INTERVAL {days} DAY)",
    },
}


@dataclass(frozen=True, slots=True)
class Template:
    """A kind of question.

    Attributes:
        name: unique in its schema.
        difficulty: 0 to 1.
        question: with places, "{price}".
        columns: what the result's columns are, in words, in their order.
        query: with the same places; what differs between engines stands as @YEAR(day), @MONTH(day), @DAYS(from, to),
            @LATER(day, number of days).
        order: places of the columns by which the question orders; empty: it does not.
        fillings: by place. Values called low and high are put in order.
        pins: values that states should hold, by "table.column", besides those of the question.
    """

    name: str
    difficulty: float
    question: str
    columns: str
    query: str
    order: tuple[int, ...] = ()
    fillings: Mapping[str, Filling] = field(default_factory=dict)
    pins: Mapping[str, Sequence[Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Posed:
    """A question with everything filled in.

    Attributes:
        pins: values of the question by "table.column": the states hold them, and their neighbours.
    """

    question: str
    query: str
    pins: Mapping[str, Sequence[Any]]


def ask(
    name: str,
    difficulty: float,
    question: str,
    columns: str,
    query: str,
    order: tuple[int, ...] = (),
    pins: Mapping[str, Sequence[Any]] | None = None,
    **fillings: Filling,
) -> Template:
    """A template, written shortly."""
    return Template(name, difficulty, question, columns, query, order, fillings, pins or {})


def pose(template: Template, schema: Schema, engine: str, rng: Random) -> Posed:
    """A question from a template. What is drawn does not depend on the engine."""
    said, meant = {}, {}
    pins = {column: list(values) for column, values in template.pins.items()}
    for place, filling in template.fillings.items():
        if isinstance(filling, str):
            taken = pins.setdefault(filling, [])
            value = next(each for each in _endless(schema, filling, rng) if each not in taken)
            taken.append(value)
            said[place], meant[place] = plain(value), literal(value)
        elif isinstance(filling, Gap):
            said[place] = meant[place] = str(_pin_gap(filling, schema, pins, rng))
        elif isinstance(filling, Year):
            year = rng.choice(filling.years)
            pins.setdefault(filling.column, []).extend([f"{year}-01-01", f"{year}-12-31"])
            said[place] = meant[place] = str(year)
        elif isinstance(filling, range):
            number = rng.choice(filling)
            said[place] = meant[place] = str(number)
        else:
            said[place], meant[place] = rng.choice(filling)
    _put_in_order(template, pins, said, meant)
    return Posed(template.question.format(**said), dialect(template.query.format(**meant), engine), pins)


def _pin_gap(gap: Gap, schema: Schema, pins: dict[str, list[Any]], rng: Random) -> int:
    """Days to ask for, and dates that lie so far apart."""
    days = rng.choice(gap.days)
    first = schema.value(gap.first, rng)
    pins.setdefault(gap.first, []).append(first)
    last = date.fromisoformat(first) + timedelta(days=days)
    pins.setdefault(gap.last, []).append(last.isoformat())
    return days


def _endless(schema: Schema, column: str, rng: Random) -> Iterator[Any]:
    while True:
        yield schema.value(column, rng)


def _put_in_order(
    template: Template, pins: Mapping[str, list[Any]], said: dict[str, str], meant: dict[str, str]
) -> None:
    filling = template.fillings.get("low")
    if isinstance(filling, str) and filling == template.fillings.get("high"):
        low, high = sorted(pins[filling])
        said.update(low=plain(low), high=plain(high))
        meant.update(low=literal(low), high=literal(high))


def plain(value: Any) -> str:
    """A value as a question says it: without decimals that are not needed."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def dialect(query: str, engine: str) -> str:
    """A query with an engine's own words for what engines say differently."""
    macros = _MACROS[engine]
    return _MACRO.sub(lambda match: macros[match[1]](*re.split(r"\s*,\s*", match[2])), query)
