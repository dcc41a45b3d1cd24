"""Answers of an imperfect player: right code most of the time, a likely mistake or a slip of form the rest.

Item ``i`` is a function of (seed, i). Only problems of the train split occur.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from rftgym_code import prompts
from rftgym_code.rows import rows


@dataclass(frozen=True, slots=True)
class Habits:
    """How often the player makes which mistake; shares from 0 to 1.

    Attributes:
        slip: one of the problem's wrong solutions.
        second: another one on top of it.
        form: the answer is not written as it was asked for.
        returns: prints the result and returns nothing.
        name: calls the function something else.
        broken: breaks off, or leaves a bracket or a colon out.
    """

    slip: float = 0.3
    second: float = 0.2
    form: float = 0.15
    returns: float = 0.04
    name: float = 0.03
    broken: float = 0.06


HABITS: Final = Habits()


def demonstrations(n: int, seed: int, habits: Habits = HABITS) -> Iterator[tuple[dict[str, Any], str]]:
    """Problems of the train split, each with an answer.

    Args:
        n: how many.
        seed: of the series.
    Yields:
        A row as the build wrote it, and the answer.
    """
    problems = train_rows()
    for index in range(n):
        rng = Random(f"rftgym-code:demonstration:{seed}:{index}")
        row = rng.choice(problems)
        yield row, _presented(spoilt(row, habits, rng), habits, rng)


@functools.lru_cache(maxsize=1)
def train_rows() -> tuple[dict[str, Any], ...]:
    """The problems of the train split."""
    return tuple(row for row in rows() if row["split"] == "train")


def spoilt(row: dict[str, Any], habits: Habits, rng: Random) -> str:
    """A problem's solution with the player's mistakes in it."""
    code = str(row["solution"])
    if rng.random() < habits.slip:
        code = _slipped(code, row, rng)
        if rng.random() < habits.second:
            code = _slipped(code, row, rng)
    if rng.random() < habits.returns:
        code = _printing(code)
    if rng.random() < habits.name:
        code = code.replace(str(row["entry"]), rng.choice(["solution", "solve", "func"]))
    if rng.random() < habits.broken:
        code = rng.choice(BREAKS)(code, rng)
    return code


def _slipped(code: str, row: dict[str, Any], rng: Random) -> str:
    old, new = rng.choice(row["slips"])
    return code.replace(old, new, 1)


def _printing(code: str) -> str:
    """The last return prints."""
    head, found, tail = code.rpartition("return ")
    value, newline, rest = tail.partition("\n")
    return f"{head}print({value}){newline}{rest}" if found else code


def _cut(code: str, rng: Random) -> str:
    return code[: rng.randint(len(code) // 2, len(code) - 1)]


def _without(signs: str) -> Callable[[str, Random], str]:
    def left_out(code: str, rng: Random) -> str:
        places = [place for place, sign in enumerate(code) if sign in signs]
        if not places:
            return code
        place = rng.choice(places)
        return code[:place] + code[place + 1 :]

    return left_out


def _flat(code: str, rng: Random) -> str:
    """One line has lost its indentation."""
    lines = code.splitlines(keepends=True)
    place = rng.randrange(1, len(lines))
    return "".join([*lines[:place], lines[place].lstrip(" "), *lines[place + 1 :]])


BREAKS: Final[tuple[Callable[[str, Random], str], ...]] = (_cut, _without("()[]"), _without(":"), _flat)


def _presented(code: str, habits: Habits, rng: Random) -> str:
    if rng.random() >= habits.form:
        return prompts.answer(code)
    bare = code.rstrip("\n")
    return rng.choice(
        [
            bare,
            f"```\n{bare}\n```",
            f"```python\n{bare}",
            f"Here is the function:\n\n{prompts.answer(code)}",
            f"{prompts.answer(code)}\n\nIt returns what was asked for.",
            f"I would write it like this: `{bare.splitlines()[0]}`",
        ]
    )
