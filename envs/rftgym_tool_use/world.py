"""Procedural questions about invented tables.

A question is drawn first, from its wording alone follows its split, and only then are its tables filled with numbers:
so no question is asked in two splits, and no question's answer can be known without looking it up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from rftgym import Task
from rftgym_tool_use.calculator import evaluate, shown


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FRUITS: Final = _words(
    "apple apricot banana cherry coconut cranberry date fig gooseberry grape guava kiwi lemon lime lychee mango "
    "medlar mulberry nectarine olive orange papaya peach pear persimmon plum pomelo quince raspberry sloe"
)
PEOPLE: Final = _words(
    "ada amir anna ben bela cleo dana david elif emma finn greta hugo ida ines ivan jonas kai lena leo lina "
    "marta mila nora olga omar otto paula rosa samir"
)
CITIES: Final = _words(
    "accra athens basel bergen bonn brno cairo cork delft dublin geneva ghent graz hanoi kyoto lagos lima "
    "lisbon lyon malmo nantes oslo porto quito riga rome seville sofia turin vienna"
)
NUMBERS: Final[Mapping[str, tuple[tuple[str, ...], int, int]]] = {
    "price": (FRUITS, 11, 999),
    "weight": (FRUITS, 11, 999),
    "stock": (FRUITS, 11, 999),
    "age": (PEOPLE, 11, 99),
    "height": (PEOPLE, 101, 219),
    "distance": (CITIES, 11, 999),
    "area": (CITIES, 11, 999),
}
"""Tables of numbers: their keys, the lowest and the highest value."""
LINKS: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "fruit": (PEOPLE, FRUITS),
    "city": (PEOPLE, CITIES),
}
"""Tables that lead from a key to a key of others."""
DISTRACTORS: Final = 3
"""Keys in each table that nobody asks for."""
MISSING_SHARE: Final = 0.1
"""Of questions whose answer is unknown, since a key is in no table."""
UNKNOWN: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Path:
    """How to one number: ``table[key]``, or ``table[link[key]]`` where there is a link."""

    table: str
    key: str
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A question before its tables are filled.

    Attributes:
        text: as it is asked.
        paths: to the numbers that it needs, in the order in which they are named.
        formula: of the answer, with {0}, {1}... for the numbers; None where the number itself is the answer.
    """

    text: str
    paths: tuple[Path, ...]
    formula: str | None = None


def _fact(rng: Random) -> Question:
    table, (key,) = _picked(rng, 1)
    return Question(f"What is the {table} of {key}?", (Path(table, key),))


def _times(rng: Random) -> Question:
    table, (key,) = _picked(rng, 1)
    n = rng.randint(2, 99)
    return Question(f"What is {n} times the {table} of {key}?", (Path(table, key),), f"{n}*{{0}}")


def _chain(rng: Random) -> Question:
    table, link, (key,) = _linked(rng, 1)
    return Question(f"What is the {table} of the {link} of {key}?", (Path(table, key, link),))


def _two(rng: Random) -> Question:
    table, (one, other) = _picked(rng, 2)
    word, sign = rng.choice((("plus", "+"), ("minus", "-"), ("times", "*")))
    text = f"What is the {table} of {one} {word} the {table} of {other}?"
    return Question(text, (Path(table, one), Path(table, other)), f"{{0}}{sign}{{1}}")


def _whole(rng: Random) -> Question:
    table, (one, other) = _picked(rng, 2)
    n = rng.randint(2, 99)
    text = f"How many whole times does the {table} of {one} go into {n} times the {table} of {other}?"
    return Question(text, (Path(table, one), Path(table, other)), f"{n}*{{1}}//{{0}}")


def _chain_times(rng: Random) -> Question:
    table, link, (key,) = _linked(rng, 1)
    n = rng.randint(2, 99)
    text = f"What is {n} times the {table} of the {link} of {key}?"
    return Question(text, (Path(table, key, link),), f"{n}*{{0}}")


def _basket(rng: Random) -> Question:
    table, (one, other) = _picked(rng, 2)
    n, m = rng.randint(2, 99), rng.randint(2, 99)
    text = f"What is {n} times the {table} of {one} plus {m} times the {table} of {other}?"
    return Question(text, (Path(table, one), Path(table, other)), f"{n}*{{0}}+{m}*{{1}}")


def _three(rng: Random) -> Question:
    table, keys = _picked(rng, 3)
    text = f"What is the {table} of {keys[0]} plus the {table} of {keys[1]} plus the {table} of {keys[2]}?"
    return Question(text, tuple(Path(table, key) for key in keys), "{0}+{1}+{2}")


def _two_chains(rng: Random) -> Question:
    table, link, (one, other) = _linked(rng, 2)
    word, sign = rng.choice((("plus", "+"), ("minus", "-")))
    text = f"What is the {table} of the {link} of {one} {word} the {table} of the {link} of {other}?"
    return Question(text, (Path(table, one, link), Path(table, other, link)), f"{{0}}{sign}{{1}}")


KINDS: Final[Mapping[Callable[[Random], Question], float]] = {
    _fact: 0.0,
    _times: 0.2,
    _chain: 0.3,
    _two: 0.4,
    _whole: 0.5,
    _basket: 0.55,
    _chain_times: 0.6,
    _three: 0.7,
    _two_chains: 1.0,
}
"""Kinds of questions by difficulty: more look-ups, keys that must be looked up first, a formula of more parts."""


def _picked(rng: Random, n: int) -> tuple[str, list[str]]:
    table = rng.choice(tuple(NUMBERS))
    return table, rng.sample(NUMBERS[table][0], n)


def _linked(rng: Random, n: int) -> tuple[str, str, list[str]]:
    link = rng.choice(tuple(LINKS))
    starts, ends = LINKS[link]
    table = rng.choice([name for name, (keys, _, _) in NUMBERS.items() if keys is ends])
    return table, link, rng.sample(starts, n)


def split_of(question: str) -> str:
    """The split of a question: its wording decides, so that it never moves and is asked in one split only."""
    place = int.from_bytes(hashlib.sha256(question.encode()).digest()[:4], "big") % 10
    return "test" if place == 0 else "validation" if place == 1 else "train"


def generate(split: str, rng: Random, id: str) -> Task:
    """A task of a split, as :class:`rftgym.tasks.ProceduralTaskset` asks for it.

    ``data``: "question", "tables" (values as text by table and key), "needed" (pairs of table and key that must have
    been looked up), "expression" (or None) and "answer".
    """
    kind = rng.choice(tuple(KINDS))
    question = kind(rng)
    while split_of(question.text) != split:
        question = kind(rng)
    data = _filled(question, rng)
    return Task(id, data, split, _difficulty(KINDS[kind], data))


def _difficulty(asked: float, data: Mapping[str, Any]) -> float:
    """That of the kind of question; where a key is missing, most of the work falls away."""
    return asked if data["answer"] != UNKNOWN else min(asked, 0.1 if len(data["needed"]) == 1 else 0.35)


def _filled(question: Question, rng: Random) -> dict[str, Any]:
    tables: dict[str, dict[str, str]] = {}
    needed, values, taken = list[list[str]](), list[str](), list[str]()
    for path in question.paths:
        key = path.key
        if path.link is not None:
            ends = [end for end in LINKS[path.link][1] if end not in taken]
            key = tables.setdefault(path.link, {})[path.key] = rng.choice(ends)
            needed.append([path.link, path.key])
        taken.append(key)
        values.append(tables.setdefault(path.table, {}).setdefault(key, _value(path.table, rng)))
        needed.append([path.table, key])
    expression = question.formula.format(*values) if question.formula else None
    answer = shown(evaluate(expression)) if expression else values[0]
    _distract(tables, taken, rng)
    if rng.random() < MISSING_SHARE:
        needed = needed[: 1 if question.paths[0].link is None else 2]
        table, key = needed[-1]
        del tables[table][key]
        expression, answer = None, UNKNOWN
    return {
        "question": question.text,
        "tables": {table: dict(sorted(rows.items())) for table, rows in sorted(tables.items())},
        "needed": needed,
        "expression": expression,
        "answer": answer,
    }


def _distract(tables: dict[str, dict[str, str]], asked: list[str], rng: Random) -> None:
    """Another table with the same keys, and keys in every table that nobody asks for."""
    main = next(name for name in tables if name in NUMBERS)
    other = rng.choice(
        [name for name, each in NUMBERS.items() if each[0] is NUMBERS[main][0] and name != main]
    )
    tables[other] = {key: _value(other, rng) for key in asked}
    for name, rows in tables.items():
        keys = NUMBERS[name][0] if name in NUMBERS else LINKS[name][0]
        for key in rng.sample([key for key in keys if key not in rows and key not in asked], DISTRACTORS):
            rows[key] = _value(name, rng) if name in NUMBERS else rng.choice(LINKS[name][1])


def _value(table: str, rng: Random) -> str:
    _, low, high = NUMBERS[table]
    return str(rng.randint(low, high))
