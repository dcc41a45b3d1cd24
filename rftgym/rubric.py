"""Rewards: named components, and the rubric that composes them.

A component is a function of what it names in its signature, any of ``trajectory``, ``turn``, ``task``,
``completion``, ``answer`` and ``rng`` (a generator that belongs to this component, episode and turn)::

    @rftgym.reward(weight=0.1)
    def brevity(completion: str) -> float:
        return max(0.0, 1 - len(completion) / 500)

It returns a number, or None for "cannot be scored". An exception, a timeout, a NaN or a value out of bounds is
recorded as a :class:`rftgym.Failure` and counts as None; none of them ever becomes a reward of 0.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Literal, get_args

from rftgym.errors import ContractError, InfrastructureError, UsageError
from rftgym.types import Failure, Score, Trajectory, Turn

RewardFunction = Callable[..., "float | Awaitable[float | None] | None"]
Per = Literal["trajectory", "turn"]
Reduce = Literal["sum", "mean", "last", "min", "max"]
Combine = Literal["sum", "product"]
Argument = Callable[["Component", Trajectory, Turn], Any]
Call = Callable[[Trajectory, Turn], "float | Awaitable[float | None] | None"]

LARGEST = 1e30
"""Values beyond this are refused: they would become infinite in a trainer's float32."""
LARGEST_WEIGHT = 1e6
_NUMBERS = (int, float)

# What a component may ask for. For a component per trajectory, `turn` is the last one.
ARGUMENTS: dict[str, Argument] = {
    "trajectory": lambda component, trajectory, turn: trajectory,
    "turn": lambda component, trajectory, turn: turn,
    "task": lambda component, trajectory, turn: trajectory.task,
    "completion": lambda component, trajectory, turn: turn.completion,
    "answer": lambda component, trajectory, turn: turn.answer,
    "rng": lambda component, trajectory, turn: component.generator(trajectory, turn),
}


@dataclass(frozen=True)
class Component:
    """One named reward.

    Attributes:
        name: unique in its rubric.
        function: sync or async; see the module's head for its arguments. Further arguments need defaults.
        weight: of its value in the composed reward; 0 makes it a metric only.
        per: "trajectory" (called once, at the end) or "turn" (called for every turn).
        reduce: how the turns' values make the trajectory's; "sum" is paid out turn by turn, the others at the end.
        needs: names of earlier components which gate this one: where any of them stays below its ``passes_at``, this
            one is not called and its value is 0.
        passes_at: the value from which on the components that need this one count.
        bounds: the lowest and highest value of one call; None = unbounded.
        timeout_seconds: of one call. Kept for async components everywhere, and for sync ones where trajectories are
            scored in batches.
        retries: further attempts after an infrastructure fault.
        stochastic: it may value the same episode differently the next time (a model as judge); ``rftgym check`` asks
            every other component to be deterministic.
        is_async: the function is a coroutine function; found out, not given.

    Raises:
        ContractError: the function asks for something that there is not, or an attribute makes no sense.
        UsageError: the weight is not finite, or beyond :data:`LARGEST_WEIGHT`.
    """

    name: str
    function: RewardFunction
    weight: float = 1.0
    per: Per = "trajectory"
    reduce: Reduce = "sum"
    needs: tuple[str, ...] = ()
    passes_at: float = 1.0
    bounds: tuple[float, float] | None = (0.0, 1.0)
    timeout_seconds: float = 30.0
    retries: int = 2
    stochastic: bool = False
    is_async: bool = field(init=False, default=False)
    _call: Call = field(init=False, repr=False, compare=False)
    _range: tuple[float, float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.per not in get_args(Per) or self.reduce not in get_args(Reduce):
            raise ContractError(
                f"reward {self.name!r}: per={self.per!r}, reduce={self.reduce!r}; per is one of "
                f"{', '.join(get_args(Per))} and reduce one of {', '.join(get_args(Reduce))}"
            )
        if not self.timeout_seconds > 0 or self.retries < 0:
            raise ContractError(
                f"reward {self.name!r}: timeout_seconds must be above 0 and retries not below 0"
            )
        if not isinstance(self.needs, tuple):
            raise ContractError(
                f"reward {self.name!r}: needs={self.needs!r} is no tuple of names, say ('correct',)"
            )
        if not abs(self.weight) <= LARGEST_WEIGHT:
            raise UsageError(
                f"reward {self.name!r}: weight {self.weight} is no number between ±{LARGEST_WEIGHT:g}"
            )
        object.__setattr__(self, "is_async", inspect.iscoroutinefunction(self.function))
        object.__setattr__(self, "_call", _bound(self))
        low, high = (-LARGEST, LARGEST) if self.bounds is None else self.bounds
        object.__setattr__(self, "_range", (max(low, -LARGEST), min(high, LARGEST)))

    def call(self, trajectory: Trajectory, turn: Turn) -> float | Awaitable[float | None] | None:
        """Call the function with what it asks for; whatever it raises propagates."""
        return self._call(trajectory, turn)

    def generator(self, trajectory: Trajectory, turn: Turn) -> Random:
        """The component's own generator for a turn, the same whenever that turn is scored."""
        index = next(index for index, each in enumerate(trajectory.turns) if each is turn)
        return Random(f"{trajectory.seed}:{trajectory.sample}:{self.name}:{index}")

    def checked(self, value: object) -> float | None:
        """A call's result as a float, or None.

        Raises:
            ContractError: it is no number, not finite, out of bounds or beyond :data:`LARGEST`.
        """
        if value is None:
            return None
        # NumPy's and torch's scalars have `item`.
        if not isinstance(value, _NUMBERS) and not hasattr(value, "item"):
            raise ContractError(f"returned {type(value).__name__}, not a number or None")
        number = float(value)  # type: ignore[arg-type]
        low, high = self._range
        if low <= number <= high:
            return number
        if not abs(number) <= LARGEST:
            raise ContractError(f"returned {number}, which is no finite number that a trainer can use")
        raise ContractError(f"returned {number}, outside of its bounds {[low, high]}")


def _bound(component: Component) -> Call:
    """A component's function, called with a trajectory and a turn.

    Raises:
        ContractError: it asks for something that is not in :data:`ARGUMENTS`.
    """
    function = component.function
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError) as error:
        raise ContractError(
            f"reward {component.name!r}: {function!r} is no Python function ({error})"
        ) from error
    wanted = [each.name for each in parameters if each.name in ARGUMENTS]
    unknown = [each.name for each in parameters if not (each.name in ARGUMENTS or _may_be_left_out(each))]
    if unknown or any(each.kind is each.POSITIONAL_ONLY for each in parameters):
        known = ", ".join(ARGUMENTS)
        raise ContractError(
            f"reward {component.name!r} asks for {', '.join(unknown)}; it may ask by name for: {known}"
        )
    if [each.name for each in parameters] == [
        "turn"
    ]:  # the usual cases, and the quick ones: millions of calls a run
        return lambda trajectory, turn: function(turn=turn)
    if [each.name for each in parameters] == ["trajectory"]:
        return lambda trajectory, turn: function(trajectory=trajectory)
    arguments = [(name, ARGUMENTS[name]) for name in wanted]
    return lambda trajectory, turn: function(
        **{name: get(component, trajectory, turn) for name, get in arguments}
    )


def _may_be_left_out(parameter: inspect.Parameter) -> bool:
    return parameter.default is not parameter.empty or parameter.kind in (
        parameter.VAR_POSITIONAL,
        parameter.VAR_KEYWORD,
    )


def reward(name: str | None = None, **settings: Any) -> Callable[[RewardFunction], Component]:
    """Make a function a :class:`Component`; ``settings`` are its attributes. Its name is the function's by default."""

    def decorate(function: RewardFunction) -> Component:
        return Component(name or function.__name__, function, **settings)

    return decorate


class Rubric:
    """Composes components into one reward.

    Args:
        components: in the order of evaluation; names are unique and gates look back only.
        success: name of the component whose value at or above its ``passes_at`` is a success.
        combine: "sum" adds weight x value; "product" multiplies value ** weight over the components with a weight;
            their bounds and weights must not be negative then.
        clip: the composed reward is cut to this range.

    Raises:
        UsageError: names collide, a gate or ``success`` names no component, what is listed is no component, or the
            components do not suit ``combine``.
    """

    def __init__(
        self,
        components: Iterable[Component],
        *,
        success: str,
        combine: Combine = "sum",
        clip: tuple[float, float] | None = None,
    ) -> None:
        self.components = tuple(components)
        self.success = success
        self.combine = combine
        self.clip = clip
        seen: list[str] = []
        for component in self.components:
            _check_kind(component)
            if component.name in seen:
                raise UsageError(f"two reward components are called {component.name!r}")
            for needed in component.needs:
                if needed not in seen:
                    raise UsageError(
                        f"reward {component.name!r} needs {needed!r}, which is no component before it"
                    )
            seen.append(component.name)
        if success not in seen:
            raise UsageError(
                f"success is to be read off {success!r}; components are {', '.join(seen) or 'none'}"
            )
        self._check_composition()
        self._passes_at = {component.name: component.passes_at for component in self.components}
        self._weighed = tuple(
            (component.name, component.weight) for component in self.components if component.weight
        )
        pays = self.components if combine == "sum" and clip is None else ()
        self._earned_by_turn = tuple(
            each
            for each in pays
            if each.per == "turn" and each.reduce in ("sum", "mean") and each.weight and not each.needs
        )
        self._pays_by_turn = tuple(each for each in self._earned_by_turn if each.reduce == "sum")

    def _check_composition(self) -> None:
        if self.combine not in get_args(Combine):
            raise UsageError(f"combine={self.combine!r}; it is one of {', '.join(get_args(Combine))}")
        if self.clip is not None and not self.clip[0] <= self.clip[1]:
            raise UsageError(f"clip={self.clip}: the lower end is above the upper one")
        for component in self.components if self.combine == "product" else ():
            if component.weight and (
                component.weight < 0 or component.bounds is None or component.bounds[0] < 0
            ):
                raise UsageError(
                    f"reward {component.name!r} has weight {component.weight} and bounds {component.bounds}; "
                    "in a product neither may go below 0"
                )

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of the values that a score's ``components`` hold."""
        return tuple(component.name for component in self.components)

    def by_part(self, trajectories: Sequence[Trajectory]) -> Iterable[tuple[Rubric, list[Trajectory]]]:
        """Which rubric scores which episodes: this one all of them, save in a mix of environments."""
        return [(self, list(trajectories))]

    def told(self, trajectory: Trajectory) -> None:
        """Rename what an episode's score holds, in a mix of environments; called once it was scored."""

    @property
    def weights(self) -> dict[str, float]:
        """Weight by component name."""
        return {component.name: component.weight for component in self.components}

    def changed(
        self,
        *,
        add: Sequence[Component] = (),
        weights: Mapping[str, float] | None = None,
        clip: tuple[float, float] | None = None,
    ) -> Rubric:
        """A rubric with components added (behind the others), weights replaced, and another clip where one is given.

        Raises:
            UsageError: a weight names no component; lists those there are.
        """
        weights = weights or {}
        components = [*self.components, *add]
        names = [component.name for component in components]
        for name in weights:
            if name not in names:
                raise UsageError(f"no reward component {name!r} to weigh; components are {', '.join(names)}")
        weighed = [replace(c, weight=float(weights[c.name])) if c.name in weights else c for c in components]
        return Rubric(weighed, success=self.success, combine=self.combine, clip=clip or self.clip)

    def gate(
        self, component: Component, values: Mapping[str, float | None]
    ) -> Literal["open", "shut", "unknown"]:
        """Whether a component counts, given the earlier components' values; "unknown" where a needed one is None."""
        state: Literal["open", "unknown"] = "open"
        for name in component.needs:
            value = values[name]
            if value is None:
                state = "unknown"
            elif value < self._passes_at[name]:
                return "shut"
        return state

    def compose(self, values: Mapping[str, float | None]) -> Score:
        """The score of one trajectory from its components' values.

        A component of weight other than 0 which is None makes the reward None; so does a success component which is.
        """
        components, success_value, shares = dict(values), values[self.success], []
        summed = self.combine == "sum"
        for name, weight in self._weighed:
            value = components[name]
            if value is None:
                return Score(None, None, components)
            shares.append(weight * value if summed else value**weight)
        if success_value is None:
            return Score(None, None, components)
        total = math.fsum(shares) if summed else math.prod(shares)
        if self.clip is not None:
            total = min(max(total, self.clip[0]), self.clip[1])
        return Score(total, success_value >= self._passes_at[self.success], components)

    def score_turn(self, trajectory: Trajectory) -> float:
        """Call the components that pay out turn by turn on the last turn, in the caller's thread.

        Returns:
            Sum of weight x value over the ungated components that are summed over turns; NaN where one cannot be
            scored.
        """
        turn = trajectory.turns[-1]
        paid = 0.0
        for component in self._pays_by_turn:
            value = turn.rewards[component.name] = attempt(component, trajectory, turn)
            paid += math.nan if value is None else component.weight * value
        return paid

    def payouts(self, trajectory: Trajectory) -> list[float] | None:
        """A scored trajectory's reward by the turn that earned it; it sums to the reward.

        Ungated components per turn count at their turns (those reduced by their mean: divided by the number of turns,
        which ``step`` cannot know yet); everything else counts at the last turn.

        Returns:
            One number a turn; None where the trajectory has no turn or its reward is None.
        """
        if trajectory.reward is None or not trajectory.turns:
            return None
        turns = len(trajectory.turns)
        shares = [(c.name, c.weight / (turns if c.reduce == "mean" else 1)) for c in self._earned_by_turn]
        paid = [
            math.fsum(share * (turn.rewards[name] or 0.0) for name, share in shares)
            for turn in trajectory.turns
        ]
        paid[-1] += trajectory.reward - math.fsum(paid)
        return paid

    def score(self, trajectory: Trajectory) -> Score:
        """Score a finished trajectory in the caller's thread, and store the result in it.

        Score many, or slow, trajectories with :func:`rftgym.scoring.score_trajectories`, which works in batches.
        """
        values: dict[str, float | None] = {}
        for component in self.components:
            state = self.gate(component, values) if component.needs else "open"
            if state == "shut":
                values[component.name] = 0.0
            elif state == "unknown" or not trajectory.turns:
                values[component.name] = None
            elif component.per == "trajectory":
                values[component.name] = attempt(component, trajectory, trajectory.turns[-1])
            else:
                for turn in trajectory.turns:
                    if component.name not in turn.rewards:
                        turn.rewards[component.name] = attempt(component, trajectory, turn)
                values[component.name] = reduced(component, trajectory)
        trajectory.score = self.compose(values)
        return trajectory.score


def _check_kind(component: object) -> None:
    if not isinstance(component, Component):
        named = getattr(component, "__name__", repr(component))
        raise UsageError(f"{named:.60} is no reward component: put @rftgym.reward() above the function")


def reduced(component: Component, trajectory: Trajectory) -> float | None:
    """A per-turn component's value for the trajectory; None where any turn's is None, or there is no turn."""
    name = component.name
    known = [value for turn in trajectory.turns if (value := turn.rewards.get(name)) is not None]
    if not known or len(known) < len(trajectory.turns):
        return None
    if component.reduce == "sum":
        return math.fsum(known)
    if component.reduce == "mean":
        return math.fsum(known) / len(known)
    return known[-1] if component.reduce == "last" else (min if component.reduce == "min" else max)(known)


def attempt(component: Component, trajectory: Trajectory, turn: Turn) -> float | None:
    """One call in this thread, retried after infrastructure faults; what goes wrong is recorded in the trajectory."""
    outcome = tried(component, trajectory, turn)
    while isinstance(outcome, Failure):
        if not outcome.infrastructure or outcome.attempts > component.retries:
            trajectory.failures.append(outcome)
            return None
        outcome = tried(component, trajectory, turn, outcome.attempts + 1)
    return outcome


def tried(
    component: Component, trajectory: Trajectory, turn: Turn, attempts: int = 1
) -> float | Failure | None:
    """One call in this thread, the ``attempts``-th; what goes wrong is returned as a record, and recorded nowhere."""
    try:
        value = component._call(trajectory, turn)
        low, high = component._range
        if type(value) is float and low <= value <= high:  # the usual case, and the quick one
            return value
        if not isinstance(value, _NUMBERS) and inspect.isawaitable(value):
            value = _finished(value, component.timeout_seconds)
        return component.checked(value)
    except (Exception, SystemExit) as error:  # noqa: BLE001  # its author may raise anything; all of it becomes data
        return failure_of(component, error, attempts)


def failure_of(component: Component, error: BaseException, attempts: int) -> Failure:
    """The record of an exception that a component raised."""
    kind, message = type(error).__name__, " ".join(str(error).split()) or "(no message)"
    if isinstance(error, TimeoutError):
        kind, message = "Timeout", f"no value within {component.timeout_seconds:g} s"
    infrastructure = isinstance(error, InfrastructureError | ConnectionError)
    return Failure("reward", component.name, kind, message[:500], attempts, infrastructure)


def _finished(awaitable: Awaitable[Any], timeout_seconds: float) -> Any:
    """What an awaitable gives, from synchronous code, even where this thread runs an event loop, as a notebook does."""
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    async def wait() -> Any:
        return await asyncio.wait_for(awaitable, timeout_seconds)

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(wait())
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, wait()).result()
