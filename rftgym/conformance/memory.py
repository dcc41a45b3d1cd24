"""What is kept outside of an episode's state: in modules, in classes and in the environment itself."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from rftgym.conformance.playing import Env
from rftgym.conformance.subject import Subject

_EPISODES = frozenset({"_state", "_trajectory", "_pending", "_rng", "_np_random", "_np_random_seed", "_paid"})
_PLAIN = (int, float, complex, str, bytes, bool, type(None))
DEPTH = 4
ELEMENTS = 2000


def changed_by(subject: Subject, play: Callable[[], object], env: Env | None = None) -> str:
    """The names of what an episode changed outside of its state; "" where that is nothing that can be seen."""
    env = env or subject.first
    before = remembered(subject, env)
    play()
    after = remembered(subject, env)
    names = [name for name in after if after[name] != before.get(name)]
    return ", ".join(sorted(names)[:3])


def remembered(subject: Subject, env: Env) -> dict[str, str]:
    """A digest of every value by its name."""
    homes = {module.__name__ for module in subject.modules}
    return {name: _digest(value, homes, DEPTH) for name, value in _places(subject, env)}


def _places(subject: Subject, env: Env) -> Iterator[tuple[str, Any]]:
    for module in subject.modules:
        for name, value in list(vars(module).items()):
            if not name.startswith("__") and not callable(value) and not isinstance(value, ModuleType):
                yield f"{_called(module)}.{name}", value
            elif isinstance(value, type) and value.__module__ == module.__name__:
                yield from _of_class(value)
    for each in type(env).__mro__:
        if each.__module__ in {module.__name__ for module in subject.modules}:
            yield from _of_class(each)
    for name, value in vars(env).items():
        if name not in _EPISODES:
            yield f"self.{name}", value


def _called(module: ModuleType) -> str:
    """A module's name; of one that was imported from a file the file's."""
    return Path(str(module.__file__)).stem if module.__name__.startswith("rftgym_file_") else module.__name__


def _of_class(owner: type) -> Iterator[tuple[str, Any]]:
    for name, value in list(vars(owner).items()):
        if not name.startswith("__") and not callable(value) and not hasattr(value, "__get__"):
            yield f"{owner.__qualname__}.{name}", value


def _digest(value: Any, homes: set[str], depth: int) -> str:
    if isinstance(value, _PLAIN):
        text = repr(value)
        return text if len(text) < 100 else f"{len(text)}:{zlib.crc32(text.encode('utf-8', 'replace'))}"
    if depth == 0:
        return type(value).__name__
    if isinstance(value, Mapping):
        inner = [
            f"{_digest(k, homes, depth - 1)}={_digest(v, homes, depth - 1)}"
            for k, v in list(value.items())[:ELEMENTS]
        ]
    elif isinstance(value, list | tuple | deque):
        inner = [_digest(each, homes, depth - 1) for each in list(value)[:ELEMENTS]]
    elif isinstance(value, set | frozenset):
        inner = sorted(_digest(each, homes, depth - 1) for each in list(value)[:ELEMENTS])
    elif type(value).__module__ in homes and hasattr(value, "__dict__"):
        inner = [f"{name}={_digest(each, homes, depth - 1)}" for name, each in list(vars(value).items())]
    else:
        return f"{type(value).__name__}@{id(value)}"
    size = len(value) if hasattr(value, "__len__") else len(inner)
    return f"{type(value).__name__}[{size}:{zlib.crc32(repr(inner).encode('utf-8', 'replace'))}]"
