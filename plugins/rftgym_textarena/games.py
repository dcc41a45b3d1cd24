"""Which games there are, what each of them needs, and how one is dealt.

Making a game may take seconds (a dictionary is read), so each is made once a process, as a *template* that is never
played: an episode plays a shallow copy, with copies of the small containers that a game changes in place, and
shares the rest. What is amiss in a game and mended here is listed in docs/adapters/textarena.md.
"""

from __future__ import annotations

import copy
import functools
import hashlib
import importlib
import importlib.util
import inspect
import json
import re
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from rftgym.errors import ContractError, MissingPackageError, UnknownIdError, UsageError
from rftgym.syntax import parse
from rftgym_textarena.isolation import InOrder, dealt, isolate, no_download, played, undrawn
from rftgym_textarena.rules import RULES, Rules, mend

VARIANTS = ("-raw", "-train")
"""Ends of ids that name the same game in other wrappers."""
DEALS = 1000
"""Seeds that are tried before a split is said to have no game."""
_SHARED_FROM = 200
"""A container of at least so many entries, however deep, is a word list or the like: a game reads it, and no more."""
_WAITS_FOR_A_MODEL = "OpenRouterAgent"
_SEEDS = 100
_SLOW_SECONDS = 0.005
_LOCK = threading.RLock()
_DEALING = threading.Lock()
"""Sokoban keeps what it is about while it makes a room in its module."""
_TEMPLATES: dict[str, Template] = {}


def registry(what: str = "environment 'textarena'") -> Mapping[str, Any]:
    """TextArena's own registry.

    Raises:
        MissingPackageError: TextArena is not installed, or cannot be imported.
    """
    try:
        with no_download(), undrawn():
            found: Mapping[str, Any] = importlib.import_module("textarena.envs.registration").ENV_REGISTRY
    except ImportError as error:
        raise MissingPackageError(what, "textarena", "textarena", why=error) from error
    return found


def single_player() -> list[str]:
    """Ids of games for one player that need no other model, sorted; without the variants in other wrappers."""
    found = [name for name in registry() if not name.endswith(VARIANTS)]
    return sorted(name for name in found if _obstacle(name) is None)


@functools.cache
def _obstacle(name: str) -> str | None:
    """Why a registered game cannot be played here, read off its source: importing a hundred games takes a minute."""
    source = _source(registry()[name].entry_point)
    if "SinglePlayerState(" not in source:
        return (
            "it is a game for more than one player, and rftgym has no opponent for it: the games bring none, not even "
            "a list of legal moves to choose from"
        )
    try:
        parse(source)
    except SyntaxError as error:
        return f"TextArena released it with an error of syntax, in line {error.lineno} of its source"
    if _WAITS_FOR_A_MODEL in source:
        return "its game master is a model behind a paid service (OpenRouter), so it is neither offline nor repeatable"
    return None


def _source(entry_point: Any) -> str:
    """The source of a game's module, which is not imported where a string names it."""
    if not isinstance(entry_point, str):
        return inspect.getsource(inspect.getmodule(entry_point) or entry_point)
    package, *rest = entry_point.partition(":")[0].split(".")
    spec = importlib.util.find_spec(package)
    folder = Path(spec.origin).parent if spec is not None and spec.origin else Path()
    file = folder.joinpath(*rest).with_suffix(".py")
    return file.read_text(encoding="utf-8") if file.is_file() else ""


@dataclass(frozen=True, eq=False)
class Template:
    """A game that was made and is never played.

    Attributes:
        rules: what is known about its class.
        act: TextArena's own wrappers of actions, those of this id.
        own_words: the kind of an observation that repeats what the player said.
        shared: by address, what all copies of the game share.
        kind: the game's class.
        attributes: what a copy of the game begins with: name, value and, where each copy has its own, how that is
            copied.
    """

    name: str
    game: Any
    rules: Rules
    act: tuple[Callable[[str], str], ...]
    own_words: Any
    shared: Mapping[int, Any]
    kind: type
    attributes: tuple[tuple[str, Any, Callable[[Any], Any] | None], ...]

    @functools.cached_property
    def moves(self) -> int:
        """How many moves an episode has at most, invalid ones included."""
        state = self._probe[0]
        limit = state.max_turns or self.rules.moves(self.game)
        return int((limit + 1) * (2 if state.error_allowance else 1))

    @functools.cached_property
    def slow(self) -> bool:
        """Whether dealing takes so long that deals are kept for a while: the siblings of a group play the same."""
        return self._probe[1] >= _SLOW_SECONDS

    @functools.cached_property
    def _probe(self) -> tuple[Any, float]:
        """The state of a game and the CPU seconds that it took to deal."""
        begin = time.thread_time()
        return self._found(0)[0].state, time.thread_time() - begin

    def deal(self, seed: int) -> tuple[Any, Random]:
        """A game that can be won, reset with a seed, and the generator that it draws from.

        Where a game fails to deal with a seed, or deals what cannot be won, the next seed is taken.

        Raises:
            ContractError: many seeds in a row failed.
        """
        if not self.slow:
            return self._found(seed)
        game, generator = self._kept(seed)
        return self.copy_of(game, {}), twin(generator)

    @functools.lru_cache(maxsize=256)  # noqa: B019  # a template lives as long as the process
    def _kept(self, seed: int) -> tuple[Any, Random]:
        return self._found(seed)

    def _found(self, seed: int) -> tuple[Any, Random]:
        for next_seed in range(seed, seed + _SEEDS):
            try:
                game, generator = self._deal(next_seed)
            except (ArithmeticError, RuntimeError) as error:  # a puzzle that is solved already, a full room
                failure: object = error
                continue
            fair = self.rules.fair
            if fair is None or fair(game):
                return game, generator
            failure = "it cannot be won"
        raise ContractError(
            f"game {self.name!r} deals nothing with the {_SEEDS} seeds from {seed}: {failure}"
        )

    def _deal(self, seed: int) -> tuple[Any, Random]:
        game: Any = object.__new__(self.kind)
        # One by one: once its __dict__ was touched, CPython looks an object's attributes up the slow way.
        for attribute, value, copied in self.attributes:
            setattr(game, attribute, value if copied is None else copied(value))
        with _DEALING:
            generator = dealt(seed, game.reset)
        if self.rules.mended:
            mend(game.state)
        return game, generator

    def copy_of(self, game: Any, memo: dict[int, Any]) -> Any:
        """A deep copy that shares what all games share."""
        memo.update(self.shared)
        return copy.deepcopy(game, memo)

    @functools.lru_cache(maxsize=10_000)  # noqa: B019  # a template lives as long as the process
    def seed_for(self, id: str, split: str) -> int:
        """The seed of a task: the first, drawn by its id, whose game belongs to its split.

        Raises:
            UsageError: none was found.
        """
        rng = Random(id)
        for _ in range(DEALS):
            seed = rng.randrange(2**31)
            if self.rules.key is None or split_of(self.rules.key(self.deal(seed)[0])) == split:
                return seed
        raise UsageError(f"game {self.name!r}: none of {DEALS} deals belongs to split {split!r}")


def twin(generator: Random) -> Random:
    """A generator that will draw the same."""
    other = Random(0)
    other.setstate(generator.getstate())
    return other


def split_of(key: Any) -> str:
    """The split that a deal belongs to: of ten, eight are for training, one for validation and one for the test."""
    number = key if isinstance(key, int) else hashlib.sha256(json.dumps(key).encode()).digest()[0]
    return {0: "validation", 1: "test"}.get(number % 10, "train")


def template(name: str, settings: Mapping[str, Any]) -> Template:
    """The template of a game, made once a process.

    Args:
        settings: of the game's own constructor, beside those of its id.

    Raises:
        UnknownIdError: TextArena has no such game.
        UsageError: it cannot be played here, it needs data that are not there, or it does not take the settings.
        MissingPackageError: TextArena is not installed.
    """
    key = json.dumps([name, dict(settings)], sort_keys=True, default=repr)
    with _LOCK:
        if key not in _TEMPLATES:
            _TEMPLATES[key] = _made(name, settings)
        return _TEMPLATES[key]


def _made(name: str, settings: Mapping[str, Any]) -> Template:
    what = f"environment 'textarena:{name}'"
    games = registry(what)
    if name not in games:
        raise UnknownIdError("game of TextArena's", name, single_player(), shown_by="rftgym info textarena")
    if obstacle := _obstacle(name):
        raise UsageError(f"{what}: {obstacle}")
    spec = games[name]
    game = _constructed(what, spec.entry_point, {**spec.kwargs, **settings})
    textarena = importlib.import_module("textarena")
    wrappers = [each for each in spec.default_wrappers or () if issubclass(each, textarena.ActionWrapper)]
    act = tuple(each(game).action for each in reversed(wrappers))
    shared = {id(value): value for value in vars(game).values() if _is_shared(value)}
    own = {a for a, v in vars(game).items() if id(v) not in shared and _is_container(v)}
    attributes = tuple((a, v, _copier(v) if a in own else None) for a, v in vars(game).items())
    rules = RULES.get(type(game).__name__, Rules())
    own_words = textarena.ObservationType.PLAYER_ACTION
    return Template(name, game, rules, act, own_words, shared, type(game), attributes)


def _constructed(what: str, entry_point: Any, arguments: Mapping[str, Any]) -> Any:
    with no_download():
        try:
            factory = entry_point
            if isinstance(entry_point, str):
                module, _, attribute = entry_point.partition(":")
                factory = getattr(importlib.import_module(module), attribute)
            isolate()
            if RULES.get(factory.__name__, Rules()).ordered:
                sys.modules[factory.__module__].set = InOrder  # type: ignore[attr-defined]
            inspect.signature(factory).bind(**arguments)
            return played(Random(0), functools.partial(factory, **arguments))
        except LookupError as error:
            data = _missing_data(error)
            if data is None:
                raise
            raise UsageError(
                f"{what} needs data of NLTK's that TextArena does not bring ({', '.join(data)}): "
                f"python -m nltk.downloader words averaged_perceptron_tagger_eng"
            ) from error
        except TypeError as error:
            raise UsageError(f"{what} cannot be made with game={dict(arguments)}: {error}") from error
        except ImportError as error:
            raise MissingPackageError(what, "textarena", "textarena", why=error) from error


def _missing_data(error: LookupError) -> list[str] | None:
    """What NLTK says that it did not find, or None where it is another error."""
    return re.findall(r"nltk\.download\('([\w.-]+)'\)", re.sub(r"\x1b\[[0-9;]*m", "", str(error))) or None


def _is_container(value: Any) -> bool:
    return type(value) in (list, dict, set)


def _is_shared(value: Any) -> bool:
    return _size(value) >= _SHARED_FROM if _is_container(value) else hasattr(value, "__dict__")


def _size(value: Any) -> int:
    """How many entries a container has, those of its containers included."""
    if not _is_container(value):
        return 1
    return sum(map(_size, value.values() if isinstance(value, dict) else value))


def _copier(value: Any) -> Callable[[Any], Any]:
    entries = list(value.values()) if isinstance(value, dict) else list(value)
    flat = not any(_is_container(each) or hasattr(each, "__dict__") for each in entries)
    return type(value).copy if flat else copy.deepcopy
