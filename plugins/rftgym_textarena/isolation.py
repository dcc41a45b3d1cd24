"""What TextArena's games share with the whole process, given to each episode for itself.

Its games draw from the module ``random`` and seed it on every reset; some print, and some call ``nltk.download`` while
they are imported. Here the *names* that TextArena's modules bind are replaced: ``random`` by :data:`DICE`, which
draws from the generator of the episode that is being played in this thread, and ``print`` by one that keeps silent
meanwhile. The process's own generator is never touched, two games may take turns or run in threads, and it costs a
lookup a draw, where swapping the state of the global generator in and out would cost as much as a move, and a lock.
Outside of episodes both names do what they always did, so that other users of TextArena in the process notice
nothing. Two more names are replaced because a cheap move spends a third of its time behind them: ``re``, by one that
looks a pattern up in fewer steps, and ``SinglePlayerState`` (:mod:`rftgym_textarena.state`).
"""

from __future__ import annotations

import builtins
import functools
import random
import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any


class _Playing(threading.local):
    """What is being played in this thread: its generator, or, while a game is dealt, where that will come from."""

    generator: random.Random | _Unseeded | None = None


class _Unseeded:
    """Stands for the generator of a game that is being dealt until the game seeds it, or draws without that.

    TextArena seeds with the very number that the deal has, which takes longer than a move of many games: it is not
    to be done twice.
    """

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number

    def __getattr__(self, name: str) -> Any:
        generator = _PLAYING.generator = random.Random(self.number)
        return getattr(generator, name)


_PLAYING = _Playing()
_LOADING = threading.RLock()
_GLOBAL = random.random.__self__  # type: ignore[attr-defined]  # the generator behind the module's functions


def _stand_in(usual: ModuleType, **own: Any) -> Any:
    """What games have in the place of a module: names given here are its own, the rest are the module's.

    A module proper, not of a class derived from it: in those CPython looks names up the slow way.
    """
    module = ModuleType(usual.__name__, usual.__doc__)
    vars(module).update(vars(usual) | own)
    module.__getattr__ = functools.partial(getattr, usual)  # type: ignore[method-assign]  # what came later
    return module


def _drawing(name: str) -> Callable[..., Any]:
    usual = getattr(random, name)

    def draw(*args: Any, **kwargs: Any) -> Any:
        generator = _PLAYING.generator
        if generator is None:
            return usual(*args, **kwargs)
        return getattr(generator, name)(*args, **kwargs)

    draw.__name__ = draw.__qualname__ = name
    return draw


DRAWS = sorted(name for name, value in vars(random).items() if getattr(value, "__self__", None) is _GLOBAL)
"""The functions of the module ``random`` that draw from the global generator, or set it."""


# The usual draws once more, written out: a card or a mine takes several. Without a generator a game is somebody else's.


def _random() -> float:
    generator = _PLAYING.generator
    return random.random() if generator is None else generator.random()


def _randint(a: Any, b: Any) -> int:
    generator = _PLAYING.generator
    return random.randint(a, b) if generator is None else generator.randint(a, b)


def _choice(seq: Any) -> Any:
    generator = _PLAYING.generator
    return random.choice(seq) if generator is None else generator.choice(seq)


def _seed(a: Any = None, version: int = 2) -> None:
    generator = _PLAYING.generator
    if generator is None:
        random.seed(a, version)  # noqa: TID251  # somebody else's game
    elif type(generator) is _Unseeded and type(a) is int:
        _PLAYING.generator = random.Random(a)
    else:
        generator.seed(a, version)


DICE = _stand_in(
    random,
    **{name: _drawing(name) for name in DRAWS}
    | {"random": _random, "randint": _randint, "choice": _choice, "seed": _seed},
)
"""The module ``random``, whose functions draw from the episode's generator."""


def _say(*args: Any, **kwargs: Any) -> None:
    if _PLAYING.generator is None:
        builtins.print(*args, **kwargs)  # noqa: T201  # somebody else's game


def played(generator: random.Random, function: Callable[..., Any], *args: Any) -> Any:
    """Call a function of TextArena's, whose modules draw from ``generator`` meanwhile, in this thread, silently."""
    playing = _PLAYING
    before = playing.generator
    playing.generator = generator
    try:
        return function(*args)
    finally:
        playing.generator = before


def stepped(generator: random.Random, game: Any, move: str) -> None:
    """:func:`played` for ``game.step(move)``, which is called so often that it is written out."""
    playing = _PLAYING
    before = playing.generator
    playing.generator = generator
    try:
        game.step(move)
    finally:
        playing.generator = before


def dealt(seed: int, reset: Callable[..., Any]) -> random.Random:
    """Reset a game with a seed; returns the generator that it draws from."""
    playing = _PLAYING
    before = playing.generator
    playing.generator = _Unseeded(seed)
    try:
        reset(num_players=1, seed=seed)
        generator: Any = playing.generator
    finally:
        playing.generator = before
    return random.Random(seed) if type(generator) is _Unseeded else generator


class InOrder(dict[Any, None]):
    """What games need of a set, in the order in which it was filled: a set's own differs between processes."""

    def __init__(self, items: Iterable[Any] = ()) -> None:
        super().__init__(dict.fromkeys(items))

    def add(self, item: Any) -> None:
        """As of a set."""
        self[item] = None


_pattern = functools.lru_cache(maxsize=512)(re.compile)


def _search(pattern: Any, string: Any, flags: Any = 0) -> Any:
    return _pattern(pattern, flags).search(string)


PATTERNS = _stand_in(re, compile=_pattern, search=_search)
"""The module ``re``, which keeps patterns longer and finds them sooner."""


@functools.cache
def _arena(usual: ModuleType) -> Any:
    """The module ``textarena``, whose state for one player is ours while an episode is played."""
    from rftgym_textarena.state import SoloState, is_known

    theirs = usual.SinglePlayerState

    def state(num_players: int, seed: Any = None, max_turns: Any = None, error_allowance: Any = 1) -> Any:
        made = theirs if _PLAYING.generator is None else SoloState
        return made(num_players, seed, max_turns, error_allowance)

    return _stand_in(usual, **({"SinglePlayerState": state} if is_known() else {}))


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
        elif value is re:
            setattr(module, name, PATTERNS)
        elif value is sys.modules.get("textarena") and module.__name__.startswith("textarena.envs."):
            setattr(module, name, _arena(value))
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


@contextmanager
def undrawn() -> Iterator[None]:
    """What the first import of TextArena draws from the process's generator (a module of rich's does) is put back."""
    if "textarena" in sys.modules:
        yield
        return
    state = random.getstate()
    try:
        yield
    finally:
        random.setstate(state)
