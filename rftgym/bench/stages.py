"""Where an episode's time goes: the environment's own methods and its rewards, each with a stopwatch."""

from __future__ import annotations

import copy
import functools
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from rftgym.bench import clock
from rftgym.env import TextEnv
from rftgym.parser import Parser
from rftgym.rubric import Component, Rubric

TASKS, BEGIN, PARSE, RESPOND = "tasks", "begin", "parse", "respond"
EPISODES, SCORING = "keeping the episode", "calling the rewards"
"""What the framework takes."""
REWARD = "reward "
ORDER = (TASKS, BEGIN, PARSE, RESPOND, EPISODES, REWARD, SCORING)
TRIALS = 20_000
"""Empty stages that a stopwatch is tried on, to know its own cost."""


class Stopwatch:
    """CPU and wall-clock time by stage. A stage inside another one counts once, as itself.

    Args:
        others: the CPU time of processes below this one counts too; a look at it takes a while.

    Attributes:
        taken: time by stage; ``calls``: how often it came.
        derived: classes that were made to measure, by those that they derive from.
    """

    def __init__(self, *, others: bool = False) -> None:
        self.others = others
        self.taken: dict[str, clock.Moment] = {}
        self.calls: dict[str, int] = defaultdict(int)
        self.derived: dict[type, type] = {}
        self._inside = threading.local()
        self._lock = threading.Lock()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Around the work."""
        outer = getattr(self._inside, "taken", clock.NOTHING)
        self._inside.taken = clock.NOTHING  # by stages inside this one
        begun = clock.started(others=self.others)
        try:
            yield
        finally:
            passed = clock.stopped(others=self.others).since(begun)
            self.add(name, passed.since(self._inside.taken))
            self._inside.taken = outer + passed

    def add(self, name: str, passed: clock.Moment) -> None:
        """Count some time."""
        with self._lock:
            self.taken[name] = self.taken.get(name, clock.NOTHING) + passed
            self.calls[name] += 1

    def stages(self, playing: clock.Moment, scoring: clock.Moment) -> dict[str, tuple[float, float]]:
        """CPU and wall-clock seconds by stage, and what is left of playing and of scoring; less the stopwatch's own."""
        inside, around = own_cost(others=self.others)
        rest = {EPISODES: playing, SCORING: scoring}
        found = {}
        for name, taken in self.taken.items():
            calls, left = self.calls[name], SCORING if name.startswith(REWARD) else EPISODES
            found[name] = taken.since(_times(inside, calls))
            rest[left] = rest[left].since(taken).since(_times(around, calls))
        return {name: (max(0.0, t.cpu), max(0.0, t.wall)) for name, t in {**found, **rest}.items()}


def place(name: str) -> int:
    """Of a stage in a table: as an episode goes."""
    return ORDER.index(REWARD if name.startswith(REWARD) else name)


@functools.cache
def own_cost(*, others: bool) -> tuple[clock.Moment, clock.Moment]:
    """What a stopwatch adds to a stage, and what to the time around it, a call.

    It never waits: by the wall clock it costs what it costs in CPU time, however busy the machine was at the trial.
    """
    watch, trials = Stopwatch(others=others), TRIALS // 100 if others else TRIALS
    begun = clock.started()
    for _ in range(trials):
        with watch.stage("nothing"):
            pass
    passed, inside = clock.stopped().since(begun), watch.taken["nothing"]
    return _times(inside, 1 / trials), _times(passed.since(inside), 1 / trials)


def _times(moment: clock.Moment, factor: float) -> clock.Moment:
    return clock.Moment(moment.own * factor, moment.others * factor, moment.cpu * factor)


def watched(env: TextEnv[Any], watch: Stopwatch) -> TextEnv[Any]:
    """A twin of an environment, with its rubric and its tasks, whose work is timed."""
    twin = env.spawn()
    twin.spawned = env.spawned
    twin.__class__ = _timed_class(type(env), watch)
    twin.rubric = _timed_rubric(env.rubric, watch)
    twin.tasks = _timed_twin(env.tasks, "item", TASKS, watch)
    return twin


def _timed_twin(thing: Any, method: str, stage: str, watch: Stopwatch) -> Any:
    """The same thing, of a class derived from its own whose method is timed: an environment may look at its class."""
    if type(thing) in watch.derived.values():
        return thing
    derived = watch.derived.get(type(thing))
    if derived is None:
        derived = watch.derived[type(thing)] = _derived(type(thing), method, stage, watch)
    if not hasattr(thing, "__dict__"):
        twin = copy.copy(thing)
        object.__setattr__(twin, "__class__", derived)  # it may be frozen
        return twin
    twin = object.__new__(derived)
    object.__setattr__(twin, "__dict__", vars(thing))  # shared: what one of them remembers, both do
    return twin


def _derived(base: type, method: str, stage: str, watch: Stopwatch) -> type:
    work = getattr(base, method)

    def timed(self: Any, *args: Any, **kwargs: Any) -> Any:
        with watch.stage(stage):
            return work(self, *args, **kwargs)

    return type(base.__name__, (base,), {"__slots__": (), "__module__": base.__module__, method: timed})


def _timed_class(base: type[TextEnv[Any]], watch: Stopwatch) -> type[TextEnv[Any]]:
    """The environment's class with a stopwatch at each of its three doors; twins of its instances have it too."""

    def begin(self: Any, task: Any, rng: Any) -> Any:
        with watch.stage(BEGIN):
            return base.begin(self, task, rng)

    def respond(self: Any, state: Any, turn: Any, rng: Any) -> Any:
        with watch.stage(RESPOND):
            return base.respond(self, state, turn, rng)

    latest: tuple[Any, Any] = None, None

    def read(self: Any) -> Parser:
        nonlocal latest
        own = self.__dict__.get("parser")
        found = own if own is not None else super(timed, self).parser  # a property's, too
        parser, twin = latest
        if parser is not found:
            twin = _timed_twin(found, "parse", PARSE, watch)
            latest = found, twin
        reader: Parser = twin
        return reader

    def write(self: Any, parser: Parser) -> None:
        self.__dict__["parser"] = parser

    members = {
        "begin": begin,
        "respond": respond,
        "parser": property(read, write),
        "__module__": base.__module__,
    }
    timed: type[TextEnv[Any]] = type(base.__name__, (base,), members)
    return timed


def _timed_rubric(rubric: Rubric, watch: Stopwatch, prefix: str = "") -> Rubric:
    twin = copy.copy(rubric)
    parts = getattr(rubric, "rubrics", None)
    if parts is not None:  # a mix: each episode is scored by its own part's
        timed = {name: _timed_rubric(part, watch, f"{name}/") for name, part in parts.items()}
        twin.rubrics = timed  # type: ignore[attr-defined]
        return twin
    twin.components = tuple(
        replace(each, function=_timed(each, watch, f"{REWARD}{prefix}{each.name}"))
        for each in rubric.components
    )
    return twin


def _timed(component: Component, watch: Stopwatch, name: str) -> Callable[..., Any]:
    function: Callable[..., Any] = component.function
    if component.is_async:

        @functools.wraps(function)
        async def wait(*args: Any, **kwargs: Any) -> Any:
            begun = clock.started(others=watch.others)
            try:
                return await function(*args, **kwargs)
            finally:
                watch.add(name, clock.stopped(others=watch.others).since(begun))

        return wait

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with watch.stage(name):
            return function(*args, **kwargs)

    return call
