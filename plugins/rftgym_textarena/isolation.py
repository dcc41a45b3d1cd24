"""What TextArena's games share with the whole process, given to each episode for itself.

Its games draw from the module ``random`` and seed it on every reset; some print, and some call ``nltk.download`` while
they are imported. Here the *names* that TextArena's modules bind are replaced: ``random`` by :data:`DICE`, which
draws from the generator of the episode that is being played in this thread, and ``print`` by one that keeps silent
meanwhile. The process's own generator is never touched, two games may take turns or run in threads, and it costs a
lookup a draw, where swapping the state of the global generator in and out would cost as much as a move, and a lock.
Outside of episodes both names do what they always did, so that other users of TextArena in the process notice
nothing.
"""

from __future__ import annotations

import builtins
import random
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any


class _Playing(threading.local):
    """What is being played in this thread: the generator, and its seed as long as nothing was drawn from it."""

    generator: random.Random | None = None
    fresh: int | None = None


_PLAYING = _Playing()
_LOADING = threading.RLock()
_GLOBAL = random.random.__self__  # type: ignore[attr-defined]  # the generator behind the module's functions


class _Dice(ModuleType):
    """The module ``random``, whose functions draw from the episode's generator; classes and the rest are its own."""

    def __getattr__(self, name: str) -> Any:
        return getattr(random, name)


def _drawing(name: str) -> Callable[..., Any]:
    usual = getattr(random, name)

    def draw(*args: Any, **kwargs: Any) -> Any:
        generator = _PLAYING.generator
        if generator is None:
            return usual(*args, **kwargs)
        _PLAYING.fresh = None
        return getattr(generator, name)(*args, **kwargs)

    draw.__name__ = draw.__qualname__ = name
    return draw


DICE = _Dice("random")
DRAWS = sorted(name for name, value in vars(random).items() if getattr(value, "__self__", None) is _GLOBAL)
"""The module's functions that draw from the global generator, or set it."""
for _name in DRAWS:
    setattr(DICE, _name, _drawing(_name))


def _seed(a: Any = None, version: int = 2) -> None:
    """``random.seed``, save that a generator which was made with this seed just now is not seeded again.

    That would take longer than a move of many games.
    """
    if _PLAYING.generator is None:
        random.seed(a, version)  # noqa: TID251  # somebody else's game
    elif a is None or a != _PLAYING.fresh:
        _PLAYING.generator.seed(a, version)


DICE.seed = _seed  # type: ignore[attr-defined]


def _say(*args: Any, **kwargs: Any) -> None:
    if _PLAYING.generator is None:
        builtins.print(*args, **kwargs)  # noqa: T201  # somebody else's game


def played(generator: random.Random, function: Callable[..., Any], *args: Any) -> Any:
    """Call a function of TextArena's, whose modules draw from ``generator`` meanwhile, in this thread, silently."""
    before = _PLAYING.generator
    _PLAYING.generator, _PLAYING.fresh = generator, None
    try:
        return function(*args)
    finally:
        _PLAYING.generator = before


def dealt(seed: int, reset: Callable[..., Any]) -> random.Random:
    """Reset a game with a seed; returns the generator that it draws from."""
    before = _PLAYING.generator
    generator = random.Random(seed)
    _PLAYING.generator, _PLAYING.fresh = generator, seed
    try:
        reset(num_players=1, seed=seed)
    finally:
        _PLAYING.generator = before
    return generator


class InOrder(dict[Any, None]):
    """What games need of a set, in the order in which it was filled: a set's own differs between processes."""

    def __init__(self, items: Iterable[Any] = ()) -> None:
        super().__init__(dict.fromkeys(items))

    def add(self, item: Any) -> None:
        """As of a set."""
        self[item] = None


def isolate(package: str = "textarena") -> None:
    """Replace the names in every module of the package that is loaded by now. May be called again."""
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] == package and isinstance(module, ModuleType):
            _isolate(module)


def _isolate(module: ModuleType) -> None:
    for name, value in list(vars(module).items()):
        if value is random:
            setattr(module, name, DICE)
        elif getattr(value, "__self__", None) is _GLOBAL:  # from random import choice
            setattr(module, name, getattr(DICE, value.__name__))
    module.print = _say  # type: ignore[attr-defined]


@contextmanager
def no_download() -> Iterator[None]:
    """Meanwhile ``nltk.download`` does nothing in this thread; one thread at a time."""
    with _LOADING:
        import nltk  # type: ignore[import-not-found, unused-ignore]  # TextArena brings it

        usual, thread = nltk.download, threading.get_ident()

        def refuse(*args: Any, **kwargs: Any) -> Any:
            return False if threading.get_ident() == thread else usual(*args, **kwargs)

        nltk.download = refuse
        try:
            yield
        finally:
            nltk.download = usual
