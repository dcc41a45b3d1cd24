"""The functions that judge a task of ``verifiers.v1``, and how they are called."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_origin, get_type_hints

import verifiers.v1 as vf

from rftgym.errors import UsageError
from rftgym_verifiers.foreign import Source, unique
from rftgym_verifiers.judging import judge
from rftgym_verifiers.talk import Talk, Verdict

Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class _Hook:
    """A bound metric, reward or judge.

    Attributes:
        name: of its component.
        key: under which the trace keeps what it gives.
        weight: None: it is a metric.
    """

    name: str
    key: str
    function: Function
    weight: float | None


class Hooks:
    """The metrics, rewards and judges of a taskset's tasks.

    Args:
        name: of the environment.
        task: any of its tasks.
        without: names of those that are left out.

    Raises:
        UsageError: a task has hooks of a kind that rftgym does not call.
    """

    def __init__(self, name: str, task: Any, without: Sequence[str]) -> None:
        self._without = without
        self._bound = functools.lru_cache(maxsize=4096)(
            self._found
        )  # to find them takes as long as to call them
        uncalled = [fn.__name__ for fn in (*_marked(task, "intercept"), *task.hooks("stop"))]
        uncalled = [each for each in uncalled if not _takes_trace_only(getattr(task, each, None))]
        if uncalled:
            raise UsageError(
                f"verifiers:{name}: {', '.join(uncalled)} of {type(task).__name__} look at requests and responses "
                "of a model's server, and rftgym's policies have none"
            )
        self.sources = tuple(Source(hook.name, hook.weight or 0.0) for hook in self._bound(task))

    def _found(self, task: Any) -> list[_Hook]:
        """Metrics first, as verifiers calls them."""
        found: list[tuple[str, Function, float | None]] = [
            *((fn.__name__, fn, None) for fn in task.hooks("metric")),
            *((fn.__name__, fn, float(getattr(fn, "_vf_weight", 1.0))) for fn in task.hooks("reward")),
            *((each.reward_name, each.score, float(each.config.weight)) for each in task.plugged_judges()),
        ]
        kept = [each for each in found if each[0] not in self._without]
        names = unique([key for key, _, _ in kept])
        return [_Hook(name, *each) for name, each in zip(names, kept, strict=True)]

    def asking_for_runtime(self, task: Any) -> list[str]:
        """Names of functions that cannot be called without a runtime."""
        functions = [hook.function for hook in self._bound(task)]
        functions += [getattr(task, name) for name in ("setup", "finalize") if overrides(task, vf.Task, name)]
        return [fn.__name__ for fn in functions if _needs_runtime(fn)]

    async def judge(
        self, talk: Talk, verdict: Verdict, task: Any, trace: Any, runtime: Any, timeout_seconds: float
    ) -> set[str]:
        """Call them all, and put what they say into the verdict and on the trace.

        Returns:
            The keys that the trace has it under.
        """
        written: set[str] = set()
        available = {"task": task.data, "trace": trace, "runtime": runtime}
        for hook in self._bound(task):
            call = functools.partial(invoke, hook.function, available)
            value = await judge(talk, verdict, hook.name, call, timeout_seconds)
            scores = dict(value) if isinstance(value, Mapping) else {hook.key: value}
            for key, score in scores.items():
                _write(trace, key, score, hook.weight)
            written.update(scores)
        return written


def _write(trace: Any, key: str, score: Any, weight: float | None) -> None:
    if score is None:
        return
    if weight is None:
        trace.record_metric(key, score)
    else:
        trace.record_reward(key, score, weight)


def invoke(function: Function, available: Mapping[str, Any]) -> Any:
    """Call a function with what it names in its signature."""
    wanted = _names(getattr(function, "__func__", function))
    return function(**{name: value for name, value in available.items() if name in wanted})


@functools.lru_cache(maxsize=4096)
def _names(function: Function) -> frozenset[str]:
    return frozenset(inspect.signature(function).parameters)


def overrides(thing: Any, base: type, method: str) -> bool:
    """Whether a thing's class has a method of its own in the place of its base's."""
    return getattr(type(thing), method) is not getattr(base, method)


def trace_argument(function: Function) -> str:
    """The parameter that is annotated as a trace; "" where none is."""
    hints = get_type_hints(function)
    names = inspect.signature(function).parameters
    return next((name for name in names if (get_origin(hints.get(name)) or hints.get(name)) is vf.Trace), "")


def _takes_trace_only(function: Function | None) -> bool:
    return function is not None and [trace_argument(function)] == list(inspect.signature(function).parameters)


def _needs_runtime(function: Function) -> bool:
    asked = inspect.signature(function).parameters.get("runtime")
    return asked is not None and asked.default is asked.empty


def _marked(task: Any, mark: str) -> list[Function]:
    names = {
        name for each in type(task).__mro__ for name, value in vars(each).items() if hasattr(value, mark)
    }
    return [getattr(task, name) for name in sorted(names)]
