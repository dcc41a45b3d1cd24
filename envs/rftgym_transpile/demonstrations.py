"""Imperfect demonstrations: random short Java methods with their Python translations, without end.

Made for supervised fine-tuning and for the bundled model `tiny-mixed`. Both texts are written from one syntax tree
(`rftgym_transpile.practice`), so a translation without slips is right by construction. Demonstration `i` depends on
(seed, i) and the habits alone; no method equals one of a validation or test task, whatever the names and numbers in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from random import Random
from typing import Any, Final

from rftgym import Message
from rftgym_transpile import prompts
from rftgym_transpile.corpus.held_out import is_held_out
from rftgym_transpile.practice import java, methods, python
from rftgym_transpile.practice.syntax import Method


@dataclass(frozen=True, slots=True)
class Habits:
    """How often an answer has each kind of slip, at every place of the answer where it can happen.

    Attributes are shares between 0 and 1; see `rftgym_transpile.practice.python.SLIPS` for what each one does. "fence"
    is a fence without "python", which is read all the same and is not well-formed.
    """

    fence: float = 0.0
    signature: float = 0.0
    result: float = 0.0
    division: float = 0.0
    negatives: float = 0.0
    bound: float = 0.0
    start: float = 0.0
    logic: float = 0.0
    words: float = 0.0
    increment: float = 0.0
    length: float = 0.0
    letters: float = 0.0
    codes: float = 0.0
    joining: float = 0.0
    choice: float = 0.0
    functions: float = 0.0
    ladder: float = 0.0
    depth: float = 0.0
    range: float = 0.0
    declaration: float = 0.0
    raising: float = 0.0

    def __post_init__(self) -> None:
        for each in fields(self):
            share = getattr(self, each.name)
            if not 0 <= share <= 1:
                raise ValueError(f"habit {each.name!r} is a share between 0 and 1, got {share}")

    def drawn(self, chance: Random) -> frozenset[str]:
        """The slips of one answer."""
        return frozenset(each.name for each in fields(self) if chance.random() < getattr(self, each.name))


CAREFUL: Final = Habits()
"""A translator without slips."""
DEFAULT: Final = Habits(
    fence=0.25,
    signature=0.58,
    result=0.3,
    division=0.5,
    negatives=0.1,
    bound=0.4,
    start=0.03,
    logic=0.25,
    words=0.1,
    increment=0.15,
    length=0.05,
    letters=0.05,
    codes=0.05,
    joining=0.3,
    choice=0.05,
    functions=0.05,
    ladder=0.1,
    depth=0.04,
    range=0.3,
    declaration=0.04,
    raising=0.05,
)
"""The player of `TextEnv.demonstrations`: three slips decide most answers, each of them at one place."""


def exercise(seed: int | str, index: int) -> Method:
    """Method number `index` of the series that belongs to `seed`; none that is held out."""
    chance = Random(f"rftgym-transpile:exercise:{seed}:{index}")
    while True:
        found = methods.method(chance)
        if not is_held_out(java.write(found)):
            return found


def demonstration(seed: int, index: int, habits: Habits = DEFAULT) -> tuple[dict[str, Any], str]:
    """Demonstration number `index` of the series that belongs to `seed`: a task's data and the whole completion."""
    method = exercise(seed, index)
    slips = habits.drawn(Random(f"rftgym-transpile:demonstration:{seed}:{index}"))
    data = {
        "source_language": "java",
        "target_language": "python",
        "source": java.write(method),
        "entry": method.name,
    }
    tag = "" if "fence" in slips else "python"
    return data, f"```{tag}\n{python.write(method, slips)}\n```"


def conversation(data: dict[str, Any], completion: str) -> list[Message]:
    """A task's first messages and the completion."""
    source, target = data["source_language"], data["target_language"]
    return [
        Message("system", prompts.system(source, target)),
        Message("user", prompts.problem(data)),
        Message("assistant", completion),
    ]


def demonstrations(n: int, *, seed: int, habits: Habits = DEFAULT) -> Iterator[list[Message]]:
    """The first `n` demonstrations of the series that belongs to `seed`, as conversations."""
    return (conversation(*demonstration(seed, index, habits)) for index in range(n))
