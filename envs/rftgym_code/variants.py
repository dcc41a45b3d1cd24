"""Procedural problems of the train split: keep some of the numbers or words of a list, change them, and sum them up.

No problem of the other splits is of this kind; the build checks that no solution here passes for one of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from rftgym_code.problems.problem import Problem, ints, words


@dataclass(frozen=True, slots=True)
class Piece:
    """One of the three parts of such a problem.

    Attributes:
        name: part of the function's name.
        text: what is done, for the docstring.
        code: an expression over ``x``, or, of the last part, over ``kept``.
        slip: a likely wrong expression in its place.
    """

    name: str
    text: str
    code: str
    slip: str


@dataclass(frozen=True, slots=True)
class Family:
    """Problems over one kind of items.

    Attributes:
        item: type of an item, as it is annotated.
        noun: the items' name.
        draw: a list of items.
        last: the third parts, each with the type of its result.
    """

    item: str
    noun: str
    draw: Callable[[Random], list[Any]]
    edges: tuple[list[Any], ...]
    keep: tuple[Piece, ...]
    change: tuple[Piece, ...]
    last: tuple[tuple[Piece, str], ...]


NUMBERS: Final = Family(
    "int",
    "numbers",
    lambda rng: ints(rng, -12, 12, 3, 9),
    ([], [0], [1], [-1], [2, 2], [-3, -3, 7], [10, 0, -10]),
    (
        Piece("even", "that are even", "x % 2 == 0", "x % 2 == 1"),
        Piece("odd", "that are odd", "x % 2 != 0", "x % 2 == 0"),
        Piece("positive", "above 0", "x > 0", "x >= 0"),
        Piece("negative", "below 0", "x < 0", "x <= 1"),
        Piece("large", "of at least 5", "x >= 5", "x > 5"),
        Piece("threes", "that are multiples of 3", "x % 3 == 0", "x > 0 and x % 3 == 0"),
        Piece("digits", "from 0 to 9", "0 <= x <= 9", "0 < x < 9"),
        Piece("far", "whose distance from 0 is more than 4", "abs(x) > 4", "x > 4"),
    ),
    (
        Piece("squares", "the squares of", "x * x", "x * 2"),
        Piece("doubles", "twice", "2 * x", "x + 2"),
        Piece("distances", "the absolute values of", "abs(x)", "-x"),
        Piece("halves", "the halves (rounded down) of", "x // 2", "int(x / 2)"),
        Piece("opposites", "the opposites (times -1) of", "-x", "abs(x)"),
        Piece("followers", "the successors (one more) of", "x + 1", "x - 1"),
    ),
    (
        (Piece("list", "as a list, in their order", "kept", "kept[::-1]"), "list[int]"),
        (Piece("sum", "and add them up", "sum(kept)", "sum(kept[1:])"), "int"),
        (Piece("sorted", "sorted, largest first", "sorted(kept, reverse=True)", "sorted(kept)"), "list[int]"),
        (
            Piece(
                "largest",
                "and return the largest, or 0 where there is none",
                "max(kept, default=0)",
                "min(kept, default=0)",
            ),
            "int",
        ),
        (
            Piece("distinct", "and count how many different ones there are", "len(set(kept))", "len(kept)"),
            "int",
        ),
        (
            Piece(
                "pairs",
                "as a list of pairs (place among the kept, value), places from 0",
                "list(enumerate(kept))",
                "list(enumerate(kept, 1))",
            ),
            "list[tuple[int, int]]",
        ),
    ),
)
WORDS: Final = Family(
    "str",
    "words",
    lambda rng: words(rng, 3, 8, "abceAB", 5),
    ([], ["a"], ["B"], ["abc", "cba"], ["A", "a", "A"], ["ccc", "abcab"]),
    (
        Piece("long", "of at least three letters", "len(x) >= 3", "len(x) > 3"),
        Piece("short", "of fewer than four letters", "len(x) < 4", "len(x) <= 4"),
        Piece("small", "that are all in lower case", "x.islower()", "x[0].islower()"),
        Piece("vowel", "that begin with a vowel", 'x[0] in "aeiouAEIOU"', 'x[0] in "aeiou"'),
        Piece(
            "doubled",
            "in which some letter occurs twice, case counting",
            "len(set(x)) < len(x)",
            "len(set(x.lower())) < len(x)",
        ),
        Piece("with_a", 'that hold an "a" in lower case', '"a" in x', '"a" in x.lower()'),
    ),
    (
        Piece("upper", "in upper case", "x.upper()", "x.capitalize()"),
        Piece("reversed", "written backwards", "x[::-1]", "x[-1:] + x[1:]"),
        Piece("heads", "cut to their first two letters", "x[:2]", "x[:3]"),
        Piece("endless", "without their last letter", "x[:-1]", "x[1:]"),
        Piece("twice", "each written twice in a row, as in abab", "x * 2", 'x + " " + x'),
    ),
    (
        (Piece("list", "as a list, in their order", "kept", "kept[::-1]"), "list[str]"),
        (Piece("joined", 'joined by "-"', '"-".join(kept)', '"".join(kept)'), "str"),
        (
            Piece("sorted", "sorted by alphabet, equal ones once", "sorted(set(kept))", "sorted(kept)"),
            "list[str]",
        ),
        (Piece("letters", "and count their letters in all", 'len("".join(kept))', "len(kept)"), "int"),
        (
            Piece(
                "longest",
                'and return the longest, the first of several, or "" where there is none',
                'max(kept, key=len, default="")',
                'max(kept, default="")',
            ),
            "str",
        ),
    ),
)
TEXT: Final = '''
def {name}({noun}: list[{item}]) -> {result}:
    """{doc}

    >>> {name}({shown})
    {{example}}
    """
    kept = [{change} for x in {noun} if {keep}]
    return {last}
'''


def variants(n: int, seed: str = "rftgym-code:variants") -> Iterator[Problem]:
    """``n`` different problems; the source of each has a place for the result of its example."""
    rng = Random(seed)
    everything = [
        (family, keep, change, last)
        for family in (NUMBERS, WORDS)
        for keep in family.keep
        for change in family.change
        for last in family.last
    ]
    for family, keep, change, (last, result) in rng.sample(everything, n):
        name = f"{last.name}_{change.name}_{keep.name}"
        yield _problem(name, family, keep, change, last, result)


def _problem(name: str, family: Family, keep: Piece, change: Piece, last: Piece, result: str) -> Problem:
    shown = family.draw(Random(f"{name}:shown"))
    source = TEXT.format(
        name=name,
        noun=family.noun,
        item=family.item,
        result=result,
        doc=_doc(family, keep, change, last),
        shown=repr(shown),
        change=change.code,
        keep=keep.code,
        last=last.code,
    )
    slips = (
        (f" if {keep.code}]", f" if {keep.slip}]"),
        (f" if {keep.code}]", "]"),
        (f"[{change.code} for", f"[{change.slip} for"),
        (f"[{change.code} for", "[x for"),
        (f"return {last.code}", f"return {last.slip}"),
    )
    return Problem(1, source, tuple((edge,) for edge in family.edges), lambda rng: (family.draw(rng),), slips)


def _doc(family: Family, keep: Piece, change: Piece, last: Piece) -> str:
    if family.item == "int":
        return f"Take {change.text} the {family.noun} {keep.text}, {last.text}."
    return f"Take the {family.noun} {keep.text}, {change.text}, {last.text}."
