"""Rewards: what is composed, what is masked, and that nothing that goes wrong ever becomes a reward of 0."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rftgym
from rftgym import Component, MultiTurnEnv, Response, Rubric, Task, Trajectory, Turn
from rftgym.errors import ContractError, InfrastructureError, UsageError
from rftgym.tasks import ListTaskset, Taskset

unit = st.floats(0, 1)
weights = st.floats(-100, 100)


def constant(name: str, value: Any, **settings: Any) -> Component:
    return Component(name, lambda completion: value, **settings)


def played(*completions: str) -> Trajectory:
    turns = [Turn((), completion, answer=completion) for completion in completions]
    return Trajectory("test", Task("t", {"x": 1}), seed=7, turns=turns, terminated=True)


def scored(component: Component, *completions: str) -> Trajectory:
    trajectory = played(*(completions or ("one",)))
    Rubric([component], success=component.name).score(trajectory)
    return trajectory


# ---- composition


@given(st.lists(st.tuples(unit, weights), min_size=1, max_size=6))
def test_the_reward_is_the_weighted_sum(values: list[tuple[float, float]]) -> None:
    components = [constant(f"c{i}", value, weight=weight) for i, (value, weight) in enumerate(values)]
    score = Rubric(components, success="c0").score(played("x"))
    assert score.reward == pytest.approx(sum(value * weight for value, weight in values), abs=1e-9)
    assert score.components == {f"c{i}": value for i, (value, _) in enumerate(values)}


@given(st.lists(st.tuples(unit, st.floats(0, 5)), min_size=1, max_size=6))
def test_a_product_multiplies_powers_of_the_weighed_components(values: list[tuple[float, float]]) -> None:
    components = [constant(f"c{i}", value, weight=weight) for i, (value, weight) in enumerate(values)]
    score = Rubric(components, success="c0", combine="product").score(played("x"))
    assert score.reward == pytest.approx(math.prod(v**w for v, w in values if w), abs=1e-9)


@given(unit, weights, st.floats(-1, 0), st.floats(0, 1))
def test_the_clip_holds_and_changes_nothing_inside(
    value: float, weight: float, low: float, high: float
) -> None:
    reward = (
        Rubric([constant("c", value, weight=weight)], success="c", clip=(low, high)).score(played("x")).reward
    )
    assert reward == min(max(value * weight, low), high)


def test_weight_0_makes_a_metric_whatever_it_says() -> None:
    rubric = Rubric([constant("right", 1.0), constant("metric", None, weight=0)], success="right")
    score = rubric.score(played("x"))
    assert (score.reward, score.success, score.components["metric"]) == (1.0, True, None)


@given(st.one_of(st.none(), unit), unit, st.floats(0.01, 1))
def test_a_gate_opens_at_passes_at(first: float | None, second: float, passes_at: float) -> None:
    rubric = Rubric(
        [constant("first", first, passes_at=passes_at), constant("second", second, needs=("first",))],
        success="first",
    )
    score = rubric.score(played("x"))
    if first is None:
        assert score.components["second"] is None and score.reward is None
    else:
        assert score.components["second"] == (second if first >= passes_at else 0.0)


def test_a_shut_gate_means_that_the_component_is_not_called() -> None:
    calls: list[str] = []
    later = Component("later", lambda completion: calls.append(completion) or 1.0, needs=("first",))
    score = Rubric([constant("first", 0.0), later], success="first").score(played("x"))
    assert score.reward == 0.0 and calls == []


@pytest.mark.parametrize(
    ("reduce", "expected"), [("sum", 9.0), ("mean", 3.0), ("last", 5.0), ("min", 1.0), ("max", 5.0)]
)
def test_turns_are_reduced(reduce: Any, expected: float) -> None:
    length = Component("length", lambda completion: len(completion), per="turn", reduce=reduce, bounds=None)
    assert scored(length, "abc", "x", "abcde").score == rftgym.types.Score(
        expected, expected >= 1, {"length": expected}
    )


def test_success_is_read_off_its_own_component() -> None:
    rubric = Rubric([constant("style", 1.0), constant("half", 0.5, passes_at=0.5)], success="half")
    assert rubric.score(played("x")).success is True
    assert rubric.changed(weights={"half": 0}).score(played("x")).success is True


# ---- what a component may ask for


def test_arguments_come_by_name() -> None:
    asked: dict[str, Any] = {}

    def everything(
        task: Task,
        *,
        trajectory: Trajectory,
        scale: float = 2.0,
        answer: Any,
        rng: Random,
        turn: Turn,
        **rest: Any,
    ) -> float:
        asked.update(task=task, trajectory=trajectory, answer=answer, turn=turn, rest=rest, draw=rng.random())
        return scale / 2

    trajectory = scored(Component("all", everything), "one", "two")
    assert trajectory.reward == 1.0
    assert asked["task"] is trajectory.task and asked["turn"] is trajectory.turns[-1] and asked["rest"] == {}
    assert asked["answer"] == "two" and asked["trajectory"] is trajectory


@pytest.mark.parametrize("function", [lambda completions: 1.0, lambda completion, gold: 1.0])
def test_asking_for_what_there_is_not_names_what_there_is(function: Callable[..., float]) -> None:
    with pytest.raises(
        ContractError, match=r"asks for (completions|gold); it may ask by name for: trajectory, turn"
    ):
        Component("wrong", function)


def test_a_components_generator_belongs_to_its_episode_and_turn() -> None:
    def draw(rng: Random) -> float:
        return rng.random()

    first, again = (scored(Component("draw", draw, per="turn"), "a", "b", "c") for _ in range(2))
    values = [turn.rewards["draw"] for turn in first.turns]
    assert len(set(values)) == 3 and values == [turn.rewards["draw"] for turn in again.turns]


# ---- what goes wrong is a record and a None


def raises(error: BaseException) -> Callable[[str], float]:
    def function(completion: str) -> float:
        raise error

    return function


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        (raises(ValueError("broken")), "ValueError"),
        (raises(SystemExit(3)), "SystemExit"),
        (raises(RecursionError()), "RecursionError"),
        (lambda completion: math.nan, "ContractError"),
        (lambda completion: math.inf, "ContractError"),
        (lambda completion: -0.01, "ContractError"),
        (lambda completion: 1.01, "ContractError"),
        (lambda completion: "1", "ContractError"),
        (lambda completion: [1.0], "ContractError"),
        (lambda completion: 10**400, "OverflowError"),
    ],
)
@pytest.mark.parametrize("per", ["trajectory", "turn"])
def test_failures_are_recorded_and_never_become_0(function: Callable[..., Any], kind: str, per: Any) -> None:
    trajectory = scored(Component("bad", function, per=per))
    assert trajectory.score == rftgym.types.Score(None, None, {"bad": None})
    assert [(f.stage, f.name, f.kind, f.attempts) for f in trajectory.failures] == [
        ("reward", "bad", kind, 1)
    ]


def test_none_masks_without_a_failure() -> None:
    trajectory = scored(constant("cannot", None))
    assert trajectory.reward is None and trajectory.failures == []


def test_ctrl_c_is_no_failure() -> None:
    with pytest.raises(KeyboardInterrupt):
        scored(Component("stopped", raises(KeyboardInterrupt())))


@pytest.mark.parametrize("value", [True, 1, np.float32(1), np.int64(1), np.array(1.0)])
def test_numbers_of_all_kinds_are_floats(value: Any) -> None:
    trajectory = scored(constant("one", value))
    assert trajectory.reward == 1.0 and type(trajectory.reward) is float


@pytest.mark.parametrize("fault", [InfrastructureError("down"), ConnectionResetError("reset")])
def test_infrastructure_faults_are_tried_again(fault: Exception) -> None:
    faults = [fault, fault]

    def flaky(completion: str) -> float:
        if faults:
            raise faults.pop()
        return 1.0

    assert scored(Component("flaky", flaky)).reward == 1.0
    down = scored(Component("down", raises(fault), retries=3))
    assert down.reward is None and down.failures[0].attempts == 4 and down.failures[0].infrastructure


# ---- async


async def _one(completion: str) -> float:
    await asyncio.sleep(0)
    return 1.0


def test_async_components_are_awaited_with_and_without_a_running_loop() -> None:
    assert Component("one", _one).is_async
    assert scored(Component("one", _one)).reward == 1.0

    async def notebook() -> float | None:
        return scored(Component("one", _one)).reward

    assert asyncio.run(notebook()) == 1.0


def test_an_async_component_that_hangs_is_a_timeout() -> None:
    async def hangs(completion: str) -> float:
        await asyncio.sleep(60)
        return 1.0

    trajectory = scored(Component("hangs", hangs, timeout_seconds=0.05))
    assert trajectory.reward is None
    assert (trajectory.failures[0].kind, trajectory.failures[0].message) == (
        "Timeout",
        "no value within 0.05 s",
    )


# ---- bad rubrics


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"weight": math.nan}, UsageError, "weight nan"),
        ({"weight": math.inf}, UsageError, "weight inf"),
        ({"per": "turns"}, ContractError, "per is one of trajectory, turn"),
        ({"reduce": "median"}, ContractError, "reduce one of sum"),
        ({"needs": "format"}, ContractError, "no tuple of names"),
        ({"timeout_seconds": 0}, ContractError, "above 0"),
        ({"retries": -1}, ContractError, "not below 0"),
    ],
)
def test_components_that_make_no_sense(settings: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        constant("odd", 1.0, **settings)


def test_rubrics_that_make_no_sense() -> None:
    a, b = constant("a", 1.0), constant("b", 1.0, needs=("a",))
    for components, settings, words in [
        ([a, a], {"success": "a"}, "two reward components are called 'a'"),
        ([b, a], {"success": "a"}, "needs 'a', which is no component before it"),
        ([a], {"success": "b"}, "components are a"),
        ([a], {"success": "a", "combine": "max"}, "sum, product"),
        ([a], {"success": "a", "clip": (1.0, 0.0)}, "lower end"),
        ([constant("m", 1.0, weight=-1)], {"success": "m", "combine": "product"}, "in a product"),
        ([constant("m", 1.0, bounds=None)], {"success": "m", "combine": "product"}, "in a product"),
    ]:
        with pytest.raises(UsageError, match=words):
            Rubric(components, **settings)


def test_changed_adds_and_weighs_and_refuses_what_is_not_there() -> None:
    rubric = Rubric([constant("a", 1.0), constant("b", 1.0)], success="a")
    changed = rubric.changed(add=[constant("c", 1.0, weight=0.1)], weights={"b": 2})
    assert changed.weights == {"a": 1.0, "b": 2.0, "c": 0.1} and rubric.weights == {"a": 1.0, "b": 1.0}
    assert changed.score(played("x")).reward == pytest.approx(3.1)
    with pytest.raises(UsageError, match="no reward component 'd' to weigh; components are a, b"):
        rubric.changed(weights={"d": 1})
    with pytest.raises(UsageError, match="two reward components are called 'a'"):
        rubric.changed(add=[constant("a", 1.0)])


# ---- step() pays out the same reward, turn by turn


class Echo(MultiTurnEnv[list[str]]):
    """Three turns; the components' values are the numbers in the completion."""

    max_turns = 3

    def make_tasks(self) -> Taskset:
        return ListTaskset([Task("t", {})])

    def make_rubric(self) -> Rubric:
        raise NotImplementedError

    def begin(self, task: Task, rng: Random) -> tuple[list[str], str]:
        return [], "go"

    def respond(self, state: list[str], turn: Turn, rng: Random) -> Response:
        return Response("more")


def number(index: int) -> Callable[[str], float | None]:
    def value(completion: str) -> float | None:
        part = completion.split()[index]
        return None if part == "None" else float(part)

    return value


components = st.builds(
    lambda per, reduce, weight, needs: {"per": per, "reduce": reduce, "weight": weight, "needs": needs},
    st.sampled_from(["turn", "trajectory"]),
    st.sampled_from(["sum", "mean", "last", "min", "max"]),
    weights,
    st.booleans(),
)


@given(
    st.lists(components, min_size=1, max_size=4),
    st.lists(st.lists(st.one_of(unit, st.just(None)), min_size=4, max_size=4), min_size=3, max_size=3),
    st.one_of(st.none(), st.just((-0.5, 0.5))),
)
def test_the_rewards_of_step_sum_to_the_score(
    settings: list[dict[str, Any]], values: list[list[float | None]], clip: tuple[float, float] | None
) -> None:
    parts = [
        Component(f"c{i}", number(i), **{**each, "needs": (f"c{i - 1}",) if each["needs"] and i else ()})
        for i, each in enumerate(settings)
    ]
    env = Echo(rubric=Rubric(parts, success="c0", clip=clip))
    env.reset(seed=0)
    rewards = []
    for row in values:
        _, reward, _, truncated, info = env.step(" ".join(map(str, row)))
        rewards.append(reward)
    assert truncated
    score = info["score"]
    if score.reward is None:
        assert math.isnan(sum(rewards))
    else:
        assert sum(rewards) == pytest.approx(score.reward, abs=1e-9)
    replayed = played(*(" ".join(map(str, row)) for row in values))
    assert env.rubric.score(replayed) == score
