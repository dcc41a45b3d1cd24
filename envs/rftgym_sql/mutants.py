"""Queries that are nearly right: what people and models get wrong about a query, one slip at a time.

They choose the database states of a task (see `choosing`), and an imperfect player makes them (see `demonstrations`).
Some are equivalent to the query that they come from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rftgym_sql.tokens import Token, tokens

MOST = 48
SWAPS: dict[str, dict[str, tuple[str, ...]]] = {
    "comparison": {
        ">": (">=", "<"),
        ">=": (">",),
        "<": ("<=", ">"),
        "<=": ("<",),
        "=": ("<>",),
        "<>": ("=",),
    },
    "aggregate": {
        "SUM": ("AVG", "MAX"),
        "AVG": ("SUM", "MAX"),
        "MAX": ("MIN",),
        "MIN": ("MAX",),
        "COUNT": ("SUM",),
    },
    "set": {"INTERSECT": ("UNION",), "EXCEPT": ("UNION",), "UNION": ("EXCEPT",)},
    "window": {
        "RANK": ("DENSE_RANK", "ROW_NUMBER"),
        "DENSE_RANK": ("RANK", "ROW_NUMBER"),
        "ROW_NUMBER": ("RANK",),
        "LAG": ("LEAD",),
        "LEAD": ("LAG",),
    },
    "logic": {"AND": ("OR",), "OR": ("AND",)},
    "direction": {"DESC": ("ASC",), "ASC": ("DESC",)},
    "case": {"LOWER": ("UPPER", ""), "UPPER": ("LOWER", "")},
}
CLAUSES = ("WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", "INTERSECT", "EXCEPT")
"""Words that end the clause before them."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A query with one slip; `kind` is a key of `KINDS` or `SWAPS`."""

    kind: str
    query: str


def mutants(query: str, most: int = MOST) -> list[Mutant]:
    """Mutants of a query, each other text, in a fixed order that takes kinds by turns."""
    pieces = tokens(query)
    queues = [list(_of_kind(kind, make, pieces)) for kind, make in KINDS.items()]
    seen, found = {query}, list[Mutant]()
    for turn in range(max(map(len, queues), default=0)):
        for queue in queues:
            if turn < len(queue) and queue[turn].query not in seen:
                seen.add(queue[turn].query)
                found.append(queue[turn])
    return found[:most]


Pieces = Sequence[Token]
Make = Callable[[Pieces], Iterator[str]]


def _of_kind(kind: str, make: Make, pieces: Pieces) -> Iterator[Mutant]:
    return (Mutant(kind, " ".join(text.split()) if "\n" not in text else text) for text in make(pieces))


def _text(pieces: Pieces) -> str:
    return "".join(piece.text for piece in pieces)


def _with(pieces: Pieces, start: int, end: int, text: str) -> str:
    return _text(pieces[:start]) + text + _text(pieces[end:])


def _next(pieces: Pieces, start: int) -> int:
    """The place of the first token from ``start`` on that is no space; the end where there is none."""
    return next((i for i in range(start, len(pieces)) if pieces[i].kind != "space"), len(pieces))


def _closing(pieces: Pieces, opening: int) -> int:
    """The place of the bracket that closes the one at ``opening``."""
    depth = 0
    for place in range(opening, len(pieces)):
        depth += {"(": 1, ")": -1}.get(pieces[place].text, 0)
        if not depth:
            return place
    return len(pieces)


def _end_of(pieces: Pieces, start: int, ends: Sequence[str]) -> int:
    """Where the part of a query that begins at ``start`` ends: at one of these words, or its closing bracket."""
    depth = 0
    for place in range(start, len(pieces)):
        piece = pieces[place]
        depth += {"(": 1, ")": -1}.get(piece.text, 0)
        if depth < 0 or (not depth and piece.upper in ends):
            return place
    return len(pieces)


def _words(pieces: Pieces, *words: str) -> Iterator[int]:
    return (i for i, piece in enumerate(pieces) if piece.kind in ("word", "mark") and piece.upper in words)


def _swapped(name: str) -> Make:
    table = SWAPS[name]

    def make(pieces: Pieces) -> Iterator[str]:
        for place in _words(pieces, *table):
            for other in table[pieces[place].upper]:
                yield _with(pieces, place, place + 1, other)

    return make


def _join(pieces: Pieces) -> Iterator[str]:
    for place in _words(pieces, "JOIN"):
        before = max((i for i in range(place) if pieces[i].kind != "space"), default=0)
        if pieces[before].upper == "LEFT":
            yield _with(pieces, before, place, "")
        elif pieces[before].upper not in ("CROSS", "INNER", "OUTER", "FULL", "RIGHT"):
            yield _with(pieces, place, place, "LEFT ")


def _distinct(pieces: Pieces) -> Iterator[str]:
    for place in _words(pieces, "DISTINCT"):
        yield _with(pieces, place, place + 1, "")
    for place in _words(pieces, "SELECT"):
        if pieces[_next(pieces, place + 1)].upper != "DISTINCT":
            yield _with(pieces, place + 1, place + 1, " DISTINCT")
    for place in _words(pieces, "SUM", "AVG", "COUNT"):
        inside = _next(pieces, place + 1) + 1
        if inside < len(pieces) and pieces[_next(pieces, inside)].upper not in ("DISTINCT", "*", "1"):
            yield _with(pieces, inside, inside, "DISTINCT ")


def _count(pieces: Pieces) -> Iterator[str]:
    for place in _words(pieces, "COUNT"):
        opening = _next(pieces, place + 1)
        if opening < len(pieces) and pieces[opening].text == "(":
            end = _closing(pieces, opening)
            if _text(pieces[opening + 1 : end]).strip() != "*":
                yield _with(pieces, opening + 1, end, "*")


def _limit(pieces: Pieces) -> Iterator[str]:
    """Rows that nobody asked to leave out, or to show."""
    if not any(_words(pieces, "LIMIT")):
        for rows in (10, 3, 1):
            yield f"{_text(pieces)} LIMIT {rows}"
    for place in _words(pieces, "LIMIT"):
        yield _with(pieces, place, _end_of(pieces, place + 1, CLAUSES), "")


def _number(pieces: Pieces) -> Iterator[str]:
    for place, piece in enumerate(pieces):
        if piece.kind == "number" and piece.text.isdigit() and len(piece.text) < 10:
            yield _with(pieces, place, place + 1, str(int(piece.text) + 1))
            if int(piece.text):
                yield _with(pieces, place, place + 1, str(int(piece.text) - 1))


def _clause(pieces: Pieces) -> Iterator[str]:
    for place in _words(pieces, "WHERE", "HAVING", "ORDER"):
        before = max((i for i in range(place) if pieces[i].kind != "space"), default=0)
        end = _end_of(pieces, place + 1, [word for word in CLAUSES if word != pieces[place].upper])
        if pieces[before].text != "(":  # inside OVER (...) the brackets would stay empty
            yield _with(pieces, place, end, "")
        if pieces[place].upper == "HAVING":
            yield _with(pieces, place, place + 1, "WHERE")


def _none(pieces: Pieces) -> Iterator[str]:
    """No row at all, where an aggregate over nothing gives one."""
    aggregated = any(_words(pieces, "COUNT", "SUM", "AVG", "MIN", "MAX"))
    if aggregated and not any(_words(pieces, "GROUP", "OVER", "WITH", "UNION", "INTERSECT", "EXCEPT")):
        yield f"{_text(pieces)} HAVING COUNT(*) > 0"


def _condition(pieces: Pieces) -> Iterator[str]:
    """One of several conditions left out, and one of several columns to group or to order by."""
    for place in _words(pieces, "AND"):
        end = _end_of(pieces, place + 1, (*CLAUSES, "AND", "OR", "THEN", "WHEN", "JOIN", "LEFT"))
        yield _with(pieces, place, end, "")
    for place in _words(pieces, "BY"):
        end = _end_of(pieces, place + 1, CLAUSES)
        depth = 0
        for comma in range(place, end):
            depth += {"(": 1, ")": -1}.get(pieces[comma].text, 0)
            if pieces[comma].text == "," and not depth:
                yield _with(pieces, comma, end, " ")


def _null(pieces: Pieces) -> Iterator[str]:
    for place in _words(pieces, "IS"):
        after = _next(pieces, place + 1)
        if after < len(pieces) and pieces[after].upper == "NOT":
            yield _with(pieces, after, after + 1, "")
        else:
            yield _with(pieces, place + 1, place + 1, " NOT")


def _not(pieces: Pieces) -> Iterator[str]:
    for place in _words(pieces, "NOT"):
        if pieces[_next(pieces, place + 1)].upper in ("IN", "EXISTS", "LIKE", "BETWEEN"):
            yield _with(pieces, place, place + 1, "")
    for place in _words(pieces, "IN", "EXISTS", "LIKE", "BETWEEN"):
        yield _with(pieces, place, place, "NOT ")


def _all(pieces: Pieces) -> Iterator[str]:
    for place in _words(pieces, "UNION"):
        after = _next(pieces, place + 1)
        if pieces[after].upper == "ALL":
            yield _with(pieces, after, after + 1, "")
        else:
            yield _with(pieces, place + 1, place + 1, " ALL")


def _division(pieces: Pieces) -> Iterator[str]:
    """Whole numbers divided as such."""
    text = _text(pieces)
    for factor in ("1.0 * ", "100.0 * ", " * 1.0", " * 100.0"):
        if factor in text:
            yield text.replace(factor, factor.replace(".0", ""))


def _default(pieces: Pieces) -> Iterator[str]:
    """COALESCE forgotten."""
    for place in _words(pieces, "COALESCE", "IFNULL"):
        opening = _next(pieces, place + 1)
        end = _closing(pieces, opening)
        inner = _end_of(pieces, opening + 1, (",",))
        yield _with(pieces, place, end + 1, _text(pieces[opening + 1 : inner]))


def _columns(pieces: Pieces) -> Iterator[str]:
    """The last SELECT's first column repeated, or its columns the other way round."""
    for place in _words(pieces, "SELECT"):
        end = _end_of(pieces, place + 1, ("FROM",))
        first = _next(pieces, place + 1)
        if first < end and pieces[first].upper == "DISTINCT":
            first = _next(pieces, first + 1)
        comma = _end_of(pieces, first, (",", "FROM"))
        if comma < end:
            rest, one = _text(pieces[comma + 1 : end]).strip(), _text(pieces[first:comma])
            yield _with(pieces, first, end, f"{rest}, {one} ")
            yield _with(pieces, first, end, f"{one} ")


def _string(pieces: Pieces) -> Iterator[str]:
    """A word in another case, and a pattern that is tied to one end."""
    for place, piece in enumerate(pieces):
        if piece.kind != "string":
            continue
        if piece.text != piece.text.swapcase():
            yield _with(pieces, place, place + 1, piece.text.swapcase())
        if piece.text.startswith("'%") and len(piece.text) > 3:
            yield _with(pieces, place, place + 1, "'" + piece.text[2:])
        if piece.text.endswith("%'") and len(piece.text) > 3:
            yield _with(pieces, place, place + 1, piece.text[:-2] + "'")


KINDS: dict[str, Make] = {
    "join": _join,
    "distinct": _distinct,
    "count": _count,
    "limit": _limit,
    "number": _number,
    "clause": _clause,
    "none": _none,
    "condition": _condition,
    "null": _null,
    "not": _not,
    "all": _all,
    "division": _division,
    "default": _default,
    "columns": _columns,
    "string": _string,
    **{name: _swapped(name) for name in SWAPS},
}
