"""Choosing the database states of a task: those that tell the right query from queries that are nearly right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rftgym_sql.results import Result

MOST_ALIKE = 2
"""States with one and the same result, where others are left."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of a task's query on one state.

    Attributes:
        number: of the state.
        result: of the query.
        told: mutants that are known to give another result.
    """

    number: int
    result: Result
    told: frozenset[int]

    @property
    def fingerprint(self) -> str:
        """The same for equal results."""
        return repr(sorted(map(repr, self.result)))


def choose(trials: Sequence[Trial], wanted: int, *, keep: int = 0) -> list[Trial]:
    """One state after another, that which tells most mutants that none before has told.

    States of the same result are taken `MOST_ALIKE` times at most, so that no constant fits many, and the rarer result
    wins among equals.

    Args:
        wanted: how many.
        keep: states of lower numbers are chosen whatever they tell.
    """
    chosen = [each for each in trials if each.number < keep]
    left = [each for each in trials if each.number >= keep]
    told = {mutant for each in chosen for mutant in each.told}
    seen = Counter(each.fingerprint for each in chosen)
    while left and len(chosen) < wanted:
        best = max(
            left,
            key=lambda each: (
                not chosen and bool(each.result),
                seen[each.fingerprint] < MOST_ALIKE,
                len(each.told - told),
                -seen[each.fingerprint],
                bool(each.result),
                len(each.told),
                -each.number,
            ),
        )
        left.remove(best)
        chosen.append(best)
        told |= best.told
        seen[best.fingerprint] += 1
    return sorted(chosen, key=lambda each: each.number)


def luck(results: Sequence[str]) -> float:
    """The largest share of states that one and the same result would be right on, from the results' fingerprints."""
    return max(Counter(results).values()) / len(results) if results else 1.0
