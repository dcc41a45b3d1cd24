"""Entries of a dataset by the number of their draw: the same in every process, whatever was drawn before.

A dataset of reasoning-gym makes item ``i`` from ``Random(seed + i)``. Here the seed is always 0, and the draw is the
index.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import random
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any, Final

from rftgym.errors import MissingPackageError, RftgymError, UnknownIdError, UsageError
from rftgym_reasoning_gym.apart import Generator, GeneratorFailed
from rftgym_reasoning_gym.quirks import APART, EXECUTES, POOLS, REFUSED

Entry = dict[str, Any]
DRAWS: Final = 1 << 31
"""Some datasets make a NumPy generator from the draw, which has to fit in 32 bits."""
OWN_FIELDS: Final = ("seed", "size")
_KEPT: Final = 1024
_WORTH_KEEPING_SECONDS: Final = 1e-4
"""An entry that took so long to draw stays at hand; to keep the others takes longer than to draw them again."""


class NoEntry(RftgymError):
    """The dataset gives up on this draw; another one has to be taken."""


class Dataset:
    """One dataset with one configuration.

    Args:
        name: as reasoning-gym calls it.
        config: fields of its configuration; "seed" and "size" are not for the user.
        sandbox: id of the sandbox for datasets that execute programs.
        allow_unsafe: go on where the machine cannot isolate untrusted code.

    Raises:
        MissingPackageError: reasoning-gym is not installed.
        UnknownIdError: it has no such dataset.
        UsageError: the configuration does not fit.
    """

    def __init__(
        self, name: str, config: Mapping[str, Any], *, sandbox: str = "local", allow_unsafe: bool = False
    ) -> None:
        self.name = name
        self.config = dict(config)
        self.isolation = sandbox, allow_unsafe
        self.draws = POOLS.get(name, DRAWS)
        self.foreign = made(name, self.config)
        self._kept: dict[int, Entry] = {}
        self._draw: Callable[[int], Entry] = self.foreign.__getitem__
        if name in APART:
            self._draw = self._drawn_apart
        elif name in EXECUTES:
            self._draw = self._drawn_shut_in

    def entry(self, draw: int) -> Entry:
        """The entry of a draw: "question", "answer" and "metadata".

        Raises:
            NoEntry: the dataset gives up on it.
            InfrastructureError: the process or sandbox that makes it failed.
        """
        kept = self._kept.get(draw)
        if kept is not None:
            return kept
        begun = perf_counter()
        try:
            found = self._draw(draw)
        except RftgymError:
            raise
        except Exception as error:
            raise NoEntry(f"reasoning-gym:{self.name} makes nothing of draw {draw}: {error}") from error
        if perf_counter() - begun > _WORTH_KEEPING_SECONDS:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            self._kept[draw] = found
        return found

    def _drawn_apart(self, draw: int) -> Entry:
        try:
            return generator(self.name, json.dumps(self.config), os.getpid()).entry(draw)
        except GeneratorFailed as error:
            raise NoEntry(f"reasoning-gym:{self.name} makes nothing of draw {draw}: {error}") from error

    def _drawn_shut_in(self, draw: int) -> Entry:
        from rftgym_reasoning_gym.shut_in import entry

        return entry(self, draw)


@functools.lru_cache(maxsize=64)
def generator(name: str, config: str, process: int) -> Generator:
    """The process that makes a dataset's entries, shared by all environments of a process."""
    return Generator(name, config)


@functools.cache
def package() -> Any:
    """The module ``reasoning_gym.factory``, with all datasets registered.

    Raises:
        MissingPackageError: it is not installed.
    """
    state = random.getstate()  # one of the packages that it imports draws from the global generator meanwhile
    try:
        import reasoning_gym.factory
    except ImportError as error:
        raise MissingPackageError(
            "the environment family 'reasoning-gym'", "reasoning-gym", "reasoning-gym", why=error
        ) from error
    finally:
        random.setstate(state)
    return reasoning_gym.factory


def names() -> list[str]:
    """All datasets that are environments.

    Raises:
        MissingPackageError: reasoning-gym is not installed.
    """
    return sorted(set(package().DATASETS) - set(REFUSED))


def made(name: str, config: Mapping[str, Any]) -> Any:
    """The dataset, made to be drawn from by index.

    Raises:
        MissingPackageError: reasoning-gym is not installed.
        UnknownIdError: it has no such dataset.
        UsageError: the configuration does not fit; names the fields that there are.
    """
    if name in REFUSED:
        raise UsageError(f"environment 'reasoning-gym:{name}': {REFUSED[name]}")
    datasets = package().DATASETS
    if name not in datasets:
        known = [f"reasoning-gym:{each}" for each in names()]
        raise UnknownIdError(
            "environment", f"reasoning-gym:{name}", known, shown_by="rftgym info reasoning-gym"
        )
    dataset_class, config_class = datasets[name]
    try:
        return dataset_class(_configured(name, config_class, config))
    except (AssertionError, ValueError, TypeError, AttributeError, KeyError) as error:
        if not config:
            raise
        raise UsageError(f"environment 'reasoning-gym:{name}': config {config}: {error}") from error


def _configured(name: str, config_class: Any, config: Mapping[str, Any]) -> Any:
    fields = {field.name: field for field in dataclasses.fields(config_class)}
    known = sorted(set(fields) - set(OWN_FIELDS))
    if unknown := sorted(set(config) - set(known)):
        raise UsageError(
            f"environment 'reasoning-gym:{name}': config has no {', '.join(map(repr, unknown))}; it takes "
            f"{', '.join(known) or 'nothing'}"
        )
    values = {key: _value(fields[key], value) for key, value in config.items()}
    made = config_class(**values, seed=0, size=POOLS.get(name, DRAWS))
    if hasattr(made, "validate"):
        made.validate()
    return made


def _value(field: dataclasses.Field[Any], value: Any) -> Any:
    """A value as JSON gives it, in the type of the field's default."""
    default = field.default
    if field.default_factory is not dataclasses.MISSING:
        default = field.default_factory()
    if isinstance(default, tuple) and isinstance(value, list):
        return tuple(value)
    if dataclasses.is_dataclass(default) and isinstance(value, Mapping):
        return dataclasses.replace(default, **value)  # type: ignore[type-var]
    return value
