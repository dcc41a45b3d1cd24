"""What is examined: an environment, how to make another one, what to say to it, and the time there is."""

from __future__ import annotations

import functools
import inspect
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from rftgym.config import EnvSettings, RewardSettings
from rftgym.conformance.findings import Notes
from rftgym.conformance.playing import GARBAGE, Env, said, shown
from rftgym.plugins import Plugins
from rftgym.rubric import Component
from rftgym.types import Message, Task

SOLVED = 6
"""Tasks whose solutions are looked at."""
_NOT_AUTHORS = frozenset(
    {"rftgym", "gymnasium", "builtins", "abc", "typing", "functools", "pydantic", "collections"}
)
ItemT = TypeVar("ItemT")


class Clock:
    """The time for an examination, and for the part of it that is under way.

    Attributes:
        hung: a part had to be interrupted.
    """

    def __init__(self, seconds: float) -> None:
        self._end = self._until = time.monotonic() + seconds
        self.hung = False

    def share(self, part: float) -> None:
        """What comes now may take this share (0 to 1) of the time that is left."""
        now = time.monotonic()
        self._until = now + part * max(0.0, self._end - now)

    @property
    def left(self) -> float:
        """Seconds of the whole that are left, not below 0."""
        return max(0.0, self._end - time.monotonic())

    @property
    def share_left(self) -> float:
        """Seconds of what is under way that are left, not below 0."""
        return max(0.0, self._until - time.monotonic())

    @property
    def out(self) -> bool:
        """The time of what is under way is used up."""
        return time.monotonic() >= self._until


@dataclass(frozen=True)
class Solution:
    """A task with a conversation that its environment says solves it."""

    task: Task
    seed: int
    conversation: list[Message]

    @property
    def completions(self) -> list[str]:
        """What its assistant says."""
        return said(self.conversation)


@dataclass
class Subject:
    """An environment under examination.

    Attributes:
        id: what it is called.
        first: the first one that was made.
        make: makes another one.
        given: completions that the caller thinks plausible.
        settings: with the id from which ``make`` makes it, so that another process can do it too; None where it was
            given as an object.
        rewards: changes to its rubric.
        plugins: that ``id`` is looked up in.
        paths: folders to look for modules in, beyond what is installed.
        module: of the plugin that registers it; "" where there is none.
        notes: what comes up.
    """

    id: str
    first: Env
    make: Callable[[], Env]
    clock: Clock
    given: tuple[str, ...] = ()
    settings: EnvSettings | None = None
    rewards: RewardSettings | None = None
    plugins: Plugins | None = None
    paths: tuple[str, ...] = ()
    module: str = ""
    notes: Notes = field(default_factory=Notes)

    def in_time(self, what: str, things: Sequence[ItemT], at_least: int = 1) -> Iterator[ItemT]:
        """Things one by one while there is time, and at least so many; what is left out is noted."""
        for number, thing in enumerate(things):
            if number >= at_least and self.clock.out:
                self.notes.left_out.append(
                    f"{what}: {len(things) - number} of {len(things)}, for want of time"
                )
                return
            yield thing

    @functools.cached_property
    def completions(self) -> tuple[str, ...]:
        """Good ones and bad ones, to be said in any order."""
        solved = [text for each in self.solutions[:2] for text in each.completions[:4]]
        return (*self.given, *islice(shown(self.first, 12), 12), *solved, *GARBAGE)

    @functools.cached_property
    def solutions(self) -> list[Solution]:
        """Of some tasks of the train split that the environment can solve."""
        env, found = self.make(), []
        size = env.tasks.size("train")
        if size == 0:
            return []
        tried = islice(env.tasks.order("train", 0), 4 * SOLVED if size is None else min(size, 4 * SOLVED))
        for task in tried:
            conversation = env.demonstrate(task, 0)
            if conversation and said(conversation):
                found.append(Solution(task, 0, list(conversation)))
            if len(found) == SOLVED:
                break
        return found

    @functools.cached_property
    def tasks(self) -> list[Task]:
        """The tasks that episodes are played on: those with a solution, or else the first of the train split."""
        if self.solutions:
            return [each.task for each in self.solutions]
        tasks = self.make().tasks
        size = tasks.size("train")
        return [tasks.item("train", index) for index in range(SOLVED if size is None else min(size, SOLVED))]

    @functools.cached_property
    def modules(self) -> list[ModuleType]:
        """The author's modules: where the parts are defined, and what those import of their own package."""
        return authors_modules(parts_of(self.first))

    @functools.cached_property
    def files(self) -> frozenset[str]:
        """Files of the author's modules."""
        return files_of(self.modules)


def files_of(modules: Iterable[ModuleType]) -> frozenset[str]:
    """The source files of modules."""
    return frozenset(str(module.__file__) for module in modules if getattr(module, "__file__", None))


def parts_of(env: Env) -> list[Any]:
    """The classes and functions that an environment is made of."""
    members: list[Env] = list(getattr(env, "parts", {}).values()) or [env]
    found: list[Any] = []
    for each in members:
        found += [*type(each).__mro__, type(each.parser), type(each.tasks)]
        found += [plain(component.function) for component in each.rubric.components]
        found += [
            plain(value)
            for value in vars(each.tasks).values()
            if callable(value) and not isinstance(value, type)
        ]
    return [part for part in found if getattr(part, "__module__", "").partition(".")[0] not in _NOT_AUTHORS]


def plain(function: Any) -> Any:
    """The function or the class behind partials, bound methods, wrappers and callable objects."""
    while True:
        if isinstance(function, Component):
            function = function.function
        elif isinstance(function, functools.partial):
            function = function.func
        elif inspect.ismethod(function):
            function = function.__func__
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        else:
            return function if inspect.isroutine(function) or isinstance(function, type) else type(function)


def authors_modules(parts: Iterable[Any]) -> list[ModuleType]:
    """The modules that parts are defined in, and what those import of the same package or from the same folder."""
    roots = [sys.modules[name] for name in dict.fromkeys(p.__module__ for p in parts) if name in sys.modules]
    roots = [root for root in roots if getattr(root, "__file__", None) and not _standard(root)]
    tops = {root.__name__.partition(".")[0] for root in roots}
    folders = {Path(str(root.__file__)).parent for root in roots}
    found: dict[str, ModuleType] = {}
    waiting = list(roots)
    while waiting:
        module = waiting.pop()
        if module.__name__ in found:
            continue
        found[module.__name__] = module
        for name in {_home(value) for value in list(vars(module).values())}:
            other = sys.modules.get(name)
            if other is not None and _kin(other, tops, folders):
                waiting.append(other)
    return list(found.values())


def _home(value: object) -> str:
    name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", "")
    return name if isinstance(name, str) else ""


def _kin(module: ModuleType, tops: set[str], folders: set[Path]) -> bool:
    file = getattr(module, "__file__", None)
    top = module.__name__.partition(".")[0]
    if not file or not file.endswith(".py") or top in _NOT_AUTHORS:
        return False
    return top in tops or (Path(file).parent in folders and "site-packages" not in file)


def _standard(module: ModuleType) -> bool:
    return module.__name__.partition(".")[0] in sys.stdlib_module_names and module.__name__ != "__main__"
