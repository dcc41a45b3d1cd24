"""The stages that the weights of `tiny-mixed` went through, and the players whose demonstrations they saw."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from random import Random
from typing import Final

from rftgym import Message
from rftgym_math import demonstrations as math
from rftgym_tiny.build.mixed.lessons import Recipe, Share
from rftgym_tiny.build.mixed.renaming import renamed, words_of
from rftgym_tiny.build.train import Stage
from rftgym_tool_use import demonstrations as tool_use
from rftgym_transpile import demonstrations as transpile

ENVIRONMENTS: Final = ("math", "transpile-java-python", "tool-use")
WIDTH: Final = 256
LAYERS: Final = 5
HEADS: Final = 4
FEED_FORWARD: Final = 512
MERGES: Final = 1200
WORDS: Final = 300
SEEN: Final = 4000
"""Conversations of each player that the vocabulary is found in."""
REPLY_TOKENS: Final = 256


def calculates(habits: math.Habits, *, size: int = 32) -> Share:
    """Solutions to problems of `math`."""

    def shown(n: int, seed: int) -> Iterator[list[Message]]:
        return math.demonstrations(n, seed=seed, habits=habits)

    return Share("math", shown, size=size)


def translates(habits: transpile.Habits) -> Share:
    """Translations of practice methods of `transpile-java-python`."""

    def shown(n: int, seed: int) -> Iterator[list[Message]]:
        return transpile.demonstrations(n, seed=seed, habits=habits)

    return Share("transpile-java-python", shown, size=32)


def translates_any_names(habits: transpile.Habits) -> Share:
    """The same, two of three of them with names that practice methods don't have."""

    def shown(n: int, seed: int) -> Iterator[list[Message]]:
        chance = Random(f"rftgym-tiny:mixed:names:{seed}")
        for chat in transpile.demonstrations(n, seed=seed, habits=habits):
            yield renamed(chat, some_words(), chance) if chance.random() < 2 / 3 else chat

    return Share("transpile-java-python", shown, size=32)


@lru_cache(maxsize=1)
def some_words() -> tuple[str, ...]:
    """Words that the demonstrations of all environments have: what names are made of."""
    shown = (math.demonstrations, transpile.demonstrations, tool_use.demonstrations)
    return words_of(chat for each in shown for chat in each(400, seed=0))


def calls(habits: tool_use.Habits, *, size: int = 4) -> Share:
    """Episodes of `tool-use`."""

    def shown(n: int, seed: int) -> Iterator[list[Message]]:
        return tool_use.demonstrations(n, seed=seed, habits=habits)

    return Share("tool-use", shown, size=size, weight=0.3)


NUMBERS: Final[Recipe] = (calculates(math.CAREFUL, size=64), calls(tool_use.CAREFUL, size=6))
ABILITY: Final[Recipe] = (
    calculates(math.CAREFUL),
    translates(transpile.CAREFUL),
    calls(tool_use.CAREFUL),
)
ANY_NAMES: Final[Recipe] = (
    calculates(math.CAREFUL),
    translates_any_names(transpile.CAREFUL),
    calls(tool_use.CAREFUL),
)
HABITS: Final[Recipe] = (
    calculates(math.DEFAULT),
    translates_any_names(transpile.DEFAULT),
    calls(tool_use.DEFAULT),
)
PLAYERS: Final = tuple(share.demonstrations for share in (*ABILITY, *HABITS))
STAGES: Final = (
    Stage("numbers", NUMBERS, steps=2400, rate=2e-3, rate_end=2e-3, warm_up=60),
    Stage("ability", ABILITY, steps=800, rate=2e-3, rate_end=2e-3),
    Stage("any-names", ANY_NAMES, steps=1700, rate=2e-3, rate_end=0.0, decay=0.6),
    Stage("habits", HABITS, steps=120, rate=5e-4, rate_end=0.0, warm_up=10),
)
