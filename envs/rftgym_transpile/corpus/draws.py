"""Inputs of corpus tasks: seeded draws of values, edge cases first, in the notation of tasks."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

INT_MAX: Final = 2**31 - 1
INT_MIN: Final = -(2**31)
LONG_MAX: Final = 2**63 - 1
LONG_MIN: Final = -(2**63)
TESTS: Final = 14
"""Inputs that a task is recorded with; fewer where there are no more."""
POOL: Final = 56
"""Inputs to choose from: what the JVM says decides which are kept, see `record.py`."""


@dataclass(frozen=True, slots=True)
class Draw:
    """A kind of value.

    Attributes:
        sample: draws one.
        edges: cases that are tried first.
    """

    sample: Callable[[Random], Any]
    edges: tuple[Any, ...] = ()


def ints(low: int, high: int, *edges: int) -> Draw:
    """Whole numbers from `low` to `high`; the ends, 0, 1 and -1 are edges where they lie between."""
    usual = [each for each in (0, 1, -1, low, high) if low <= each <= high]
    return Draw(lambda chance: chance.randint(low, high), tuple(dict.fromkeys((*edges, *usual))))


def wide_ints(low: int = INT_MIN, high: int = INT_MAX) -> Draw:
    """Whole numbers small and huge: half of them near 0, the rest anywhere."""

    def sample(chance: Random) -> int:
        near = chance.randint(-100, 100)
        return near if chance.random() < 0.5 and low <= near <= high else chance.randint(low, high)

    return Draw(sample, tuple(each for each in (0, 1, -1, high, low, 7, -8) if low <= each <= high))


def longs() -> Draw:
    """Numbers of 64 bits, small and huge."""
    return wide_ints(LONG_MIN, LONG_MAX)


def doubles(low: float, high: float, *edges: float | Mapping[str, str], digits: int = 2) -> Draw:
    """Fractions from `low` to `high`, rounded to some digits."""
    return Draw(lambda chance: round(chance.uniform(low, high), digits), (0.0, *edges))


def booleans() -> Draw:
    """True or false."""
    return Draw(lambda chance: chance.random() < 0.5, (False, True))


def choice(*values: Any) -> Draw:
    """One of some values, each an edge."""
    return Draw(lambda chance: chance.choice(values), tuple(values))


def chars(alphabet: str) -> Draw:
    """A character."""
    return Draw(lambda chance: chance.choice(alphabet), tuple(alphabet[:2]))


def texts(alphabet: str, low: int, high: int, *edges: str | None) -> Draw:
    """Texts of `low` to `high` characters; the empty one is an edge where it may be."""

    def sample(chance: Random) -> str:
        return "".join(chance.choice(alphabet) for _ in range(chance.randint(low, high)))

    return Draw(sample, (*(("",) if low == 0 else ()), *edges))


def words(pool: str, low: int, high: int, *edges: str | None, glue: str = " ") -> Draw:
    """Words of a pool, put together."""
    known = pool.split()

    def sample(chance: Random) -> str:
        return glue.join(chance.choice(known) for _ in range(chance.randint(low, high)))

    return Draw(sample, edges)


def lists(element: Draw, low: int, high: int, *edges: Any) -> Draw:
    """Lists of `low` to `high` elements; the empty list and a single edge element are edges where they may be."""

    def sample(chance: Random) -> list[Any]:
        size = chance.randint(low, high)
        pool = element.edges if element.edges and chance.random() < 0.15 else ()
        return [chance.choice(pool) if pool else element.sample(chance) for _ in range(size)]

    short: tuple[Any, ...] = ([],) if low == 0 else ()
    single = ([element.edges[0]],) if element.edges and low <= 1 <= high else ()
    return Draw(sample, (*edges, *short, *single))


def sorted_lists(element: Draw, low: int, high: int, *edges: Any) -> Draw:
    """Lists in ascending order."""
    plain = lists(element, low, high)
    return Draw(lambda chance: sorted(plain.sample(chance)), (*edges, *plain.edges))


def grids(element: Draw, rows: tuple[int, int], columns: tuple[int, int], *edges: Any) -> Draw:
    """Rectangular lists of lists."""

    def sample(chance: Random) -> list[list[Any]]:
        width = chance.randint(*columns)
        return [[element.sample(chance) for _ in range(width)] for _ in range(chance.randint(*rows))]

    return Draw(sample, edges)


def maps(keys: Draw, values: Draw, low: int, high: int) -> Draw:
    """Maps in the notation of tasks."""

    def sample(chance: Random) -> dict[str, Any]:
        entries = {keys.sample(chance): values.sample(chance) for _ in range(chance.randint(low, high))}
        return {"$map": [[key, value] for key, value in sorted(entries.items())]}

    return Draw(sample, ({"$map": []},) if low == 0 else ())


def sets(element: Draw, low: int, high: int) -> Draw:
    """Sets in the notation of tasks."""

    def sample(chance: Random) -> dict[str, Any]:
        return {"$set": sorted({element.sample(chance) for _ in range(chance.randint(low, high))})}

    return Draw(sample, ({"$set": []},) if low == 0 else ())


def nullable(draw: Draw) -> Draw:
    """Null now and then."""

    def sample(chance: Random) -> Any:
        return None if chance.random() < 0.1 else draw.sample(chance)

    return Draw(sample, (None, *draw.edges))


@dataclass(frozen=True, slots=True)
class Inputs:
    """Makes the inputs that a task may have.

    Attributes:
        make: all of them, those that must be kept first.
        kept: how many must be kept.
    """

    make: Callable[[Random], list[Any]]
    kept: int


def args(*draws: Draw, shown: Sequence[Sequence[Any]] = (), count: int = POOL) -> Inputs:
    """Argument lists: those shown first, then each edge of each parameter with draws for the others, then draws.

    Args:
        draws: one a parameter.
        shown: argument lists that must be there.
        count: how many there are, all different; fewer where there are no more.
    """

    def make(chance: Random) -> list[Any]:
        found: dict[str, list[Any]] = {}

        def add(given: list[Any]) -> None:
            if len(found) < count:
                found.setdefault(json.dumps(given), given)

        for each in shown:
            add(list(each))
        edges = [(place, edge) for place, draw in enumerate(draws) for edge in draw.edges]
        edges.sort(key=lambda pair: draws[pair[0]].edges.index(pair[1]))  # the first edges of all come first
        for place, edge in edges[:12]:
            add([edge if i == place else draw.sample(chance) for i, draw in enumerate(draws)])
        for _ in range(20 * count):
            add([draw.sample(chance) for draw in draws])
        return list(found.values())

    return Inputs(make, len(shown))


def sessions(
    new: Sequence[Draw],
    methods: Mapping[str, Sequence[Draw]],
    *,
    shown: Sequence[Any] = (),
    low: int = 3,
    high: int = 9,
    count: int = POOL,
) -> Inputs:
    """Objects with calls of their methods, in the notation of tasks.

    Args:
        new: the constructor's parameters.
        methods: parameters of each method.
        shown: inputs that must be there.
        low: calls there are at least.
        high: calls there are at most.
        count: how many inputs.
    """
    names = list(methods)

    def make(chance: Random) -> list[Any]:
        found = {json.dumps(each): each for each in shown}
        for turn in range(20 * count):
            if len(found) >= count:
                break
            start = [draw.edges[turn] if turn < len(draw.edges) else draw.sample(chance) for draw in new]
            steps = [_step(chance, names, methods) for _ in range(chance.randint(low, high))]
            given = {"new": start, "calls": steps}
            found.setdefault(json.dumps(given), given)
        return list(found.values())

    return Inputs(make, len(shown))


def _step(chance: Random, names: Sequence[str], methods: Mapping[str, Sequence[Draw]]) -> list[Any]:
    name = chance.choice(names)
    return [name, *(draw.sample(chance) for draw in methods[name])]
