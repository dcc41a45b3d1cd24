"""The order of tasks: off, staged, adaptive; its state; what a run makes of it."""

from __future__ import annotations

import json
from collections import Counter
from random import Random
from statistics import fmean
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rftgym
from rftgym import Task, Trajectory
from rftgym.config import CurriculumSettings
from rftgym.curriculum import TaskOrder, preview
from rftgym.errors import RunFailed, UsageError
from rftgym.mix import MixedTaskset
from rftgym.mixing import parse_mix
from rftgym.tasks import FewTrainTasks, ListTaskset, ProceduralTaskset, Taskset
from rftgym.types import Score

FINITE = ListTaskset(Task(f"t{i}", {"i": i}, "train", i / 199) for i in range(200))
ENDLESS = ProceduralTaskset(lambda split, rng, id: Task(id, {}, split, rng.random()))


def curriculum(kind: str, **settings: Any) -> CurriculumSettings:
    return CurriculumSettings.model_validate({"kind": kind, **settings})


def played(tasks: list[Task], skill: float, seed: int, size: int = 8) -> list[Trajectory]:
    """Groups of episodes of a policy that solves what is easier than its skill, mostly."""
    rng = Random(seed)
    episodes = []
    for task in tasks:
        chance = 1 / (1 + 2.718281828 ** (30 * ((task.difficulty or 0.0) - skill)))
        for _ in range(size):
            won = rng.random() < chance
            episodes.append(Trajectory("x", task, 0, score=Score(float(won), won, {})))
    return episodes


def difficulty(tasks: list[Task]) -> float:
    return fmean(task.difficulty or 0.0 for task in tasks)


@pytest.mark.parametrize("tasks", [FINITE, ENDLESS], ids=["finite", "endless"])
def test_off_is_the_splits_own_order(tasks: Taskset) -> None:
    order = TaskOrder(tasks, curriculum("off"), 3)
    assert [*order.next(5, 0.0), *order.next(7, 0.5)] == tasks.sample("train", 12, 3)
    assert order.metrics(order.next(2, 1.0)) == {}


@pytest.mark.parametrize("tasks", [FINITE, ENDLESS], ids=["finite", "endless"])
def test_staged_begins_with_the_easiest_quarter_and_ends_with_all(tasks: Taskset) -> None:
    order = TaskOrder(tasks, curriculum("staged"), 0)
    begin, middle, end = (order.next(40, progress) for progress in (0.0, 0.3, 1.0))
    assert sorted(task.difficulty or 0 for task in begin)[30] < 0.3
    assert difficulty(begin) < difficulty(middle) < difficulty(end)
    assert 0.4 < difficulty(end) < 0.6
    assert max(task.difficulty or 0 for task in end) > 0.85


@pytest.mark.parametrize("tasks", [FINITE, ENDLESS], ids=["finite", "endless"])
@pytest.mark.parametrize("skill", [0.15, 0.5, 0.85])
def test_adaptive_goes_to_the_edge_of_what_the_policy_can_do(tasks: Taskset, skill: float) -> None:
    order = TaskOrder(tasks, curriculum("adaptive"), 0)
    uniform = Random(1)
    for batch in range(12):
        order.observe(played(order.next(8, batch / 12), skill, batch))
    found = [task for _ in range(10) for task in order.next(8, 1.0)]
    from_edge = fmean(abs((task.difficulty or 0) - skill) for task in found)
    by_chance = fmean(abs(uniform.random() - skill) for _ in range(1000))
    assert from_edge < 0.7 * by_chance
    assert len({task.id for task in found}) > 20  # it does not cling to a few


def test_adaptive_follows_a_policy_that_learns() -> None:
    order = TaskOrder(ENDLESS, curriculum("adaptive"), 0)
    path = []
    for batch in range(60):
        tasks = order.next(8, batch / 60)
        path.append(difficulty(tasks))
        order.observe(played(tasks, 0.1 + 0.8 * batch / 60, batch))
    assert fmean(path[5:15]) + 0.3 < fmean(path[50:])


@settings(max_examples=30, deadline=None)
@given(
    kind=st.sampled_from(["off", "staged", "adaptive"]),
    finite=st.booleans(),
    seed=st.integers(0, 99),
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    cut=st.integers(0, 6),
)
def test_an_order_goes_on_from_its_state_as_if_nothing_had_happened(
    kind: str, finite: bool, seed: int, sizes: list[int], cut: int
) -> None:
    tasks = FINITE if finite else ENDLESS
    whole, again = (TaskOrder(tasks, curriculum(kind), seed) for _ in range(2))
    expected = []
    for number, size in enumerate(sizes):
        if number == cut:
            again.restore(json.loads(json.dumps(whole.state())))
        batch = whole.next(size, number / len(sizes))
        expected.append(batch)
        whole.observe(played(batch, 0.5, number))
    cut = min(cut, len(sizes))
    if cut == len(sizes):
        again.restore(json.loads(json.dumps(whole.state())))
    for number, size in enumerate(sizes):
        if number >= cut:
            batch = again.next(size, number / len(sizes))
            assert batch == expected[number]
            again.observe(played(batch, 0.5, number))
    assert again.state() == whole.state()


def test_a_mix_keeps_its_weights_and_each_part_has_its_own_edge() -> None:
    # What is easy in one part is hard in the other: one edge for both would be nobody's.
    other = ListTaskset(Task(f"o{i}", {}, "train", i / 199) for i in range(200))
    mix = MixedTaskset({"a": ENDLESS, "b": other}, parse_mix("a:2,b:1"))
    order = TaskOrder(mix, curriculum("adaptive"), 0)
    for batch in range(20):
        tasks = order.next(9, 0.0)
        assert [mix.part(task) for task in tasks].count("a") == 6
        order.observe(
            [
                episode
                for part, skill in (("a", 0.2), ("b", 0.8))
                for episode in played([t for t in tasks if mix.part(t) == part], skill, batch)
            ]
        )
    last = [task for _ in range(8) for task in order.next(9, 0.0)]
    assert difficulty([t for t in last if mix.part(t) == "a"]) + 0.15 < difficulty(
        [t for t in last if mix.part(t) == "b"]
    )


@pytest.mark.parametrize("kind", ["staged", "adaptive"])
@pytest.mark.parametrize(
    ("mix", "size"), [("a,b", 1), ("a:3,b", 2), ("a,b,c,d", 2), ("a:7,b", 3), ("a:5,b", 3)]
)
def test_every_part_of_a_mix_has_its_share_whatever_the_batch(kind: str, mix: str, size: int) -> None:
    # Looks of eight times these sizes are multiples of the mix's round: each begins with the same part.
    weights = parse_mix(mix)
    order = TaskOrder(MixedTaskset(dict.fromkeys(weights, ENDLESS), weights), curriculum(kind), 0)
    batches = [order.next(size, 0.5) for _ in range(96)]
    assert {len(batch) for batch in batches} == {size}
    found = Counter(task.id.partition("/")[0] for batch in batches for task in batch)
    for name, weight in weights.items():
        assert found[name] == pytest.approx(96 * size * weight / sum(weights.values()), rel=0.2)


def test_a_part_that_is_rare_has_levels_too() -> None:
    weights = parse_mix("a:999,b:1")
    mix = MixedTaskset({"a": ENDLESS, "b": ENDLESS}, weights)
    order = TaskOrder(mix, curriculum("staged"), 0)
    found = [task for _ in range(60) for task in order.next(64, 1.0) if mix.part(task) == "b"]
    assert found and len(order._edges["b"]) == len(order._edges["a"])


def test_what_is_harder_than_all_that_was_looked_at_comes_in_the_end() -> None:
    tasks = ProceduralTaskset(
        lambda split, rng, id: Task(id, {}, split, 1.0 if id.endswith("-570") else rng.random() / 2)
    )
    order = TaskOrder(tasks, curriculum("staged", choice=2), 0)
    looked = [task for _ in range(20) for task in order.next(40, 1.0)]
    assert "train-0-570" in {task.id for task in looked}


def test_few_train_tasks_are_enough() -> None:
    few = FewTrainTasks(ENDLESS, 3, 0)
    order = TaskOrder(few, curriculum("adaptive"), 0)
    tasks = order.next(8, 0.0)
    assert len(tasks) == 8
    assert {task.id for task in tasks} <= {few.item("train", i).id for i in range(3)}


def test_without_difficulties_a_finite_split_goes_by_its_tasks() -> None:
    tasks = ListTaskset(Task(f"t{i}", {}, "train") for i in range(16))
    order = TaskOrder(tasks, curriculum("adaptive"), 0)
    for _ in range(10):
        batch = order.next(4, 0.0)
        order.observe(
            [
                Trajectory("x", task, 0, score=Score(float(won), won, {}))
                for task in batch
                for won in ([True, False] if task.id in ("t3", "t7") else [True, True])
            ]
        )
    weights = {task.id: order.weight(task) for task in (tasks.item("train", i) for i in range(16))}
    assert min(weights["t3"], weights["t7"]) > max(w for id, w in weights.items() if id not in ("t3", "t7"))


@pytest.mark.parametrize("kind", ["staged", "adaptive"])
def test_an_endless_split_without_difficulties_is_refused(kind: str) -> None:
    tasks = ProceduralTaskset(lambda split, rng, id: Task(id, {}, split))
    with pytest.raises(UsageError, match="all of one difficulty"):
        TaskOrder(tasks, curriculum(kind), 0)


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"kind": "staged"},
        {"kind": "adaptive", "handed": "x", "looked_at": 1, "levels": {}},
        {"kind": "adaptive", "handed": float("inf"), "looked_at": 1, "levels": {}},
        {"kind": "adaptive", "handed": 1, "looked_at": 8, "levels": []},
        {"kind": "adaptive", "handed": 1, "looked_at": -8, "levels": {}, "tasks": {}},
        [],
        None,
    ],
)
def test_a_damaged_state_is_told(state: Any) -> None:
    with pytest.raises(RunFailed, match="order of tasks cannot be read"):
        TaskOrder(FINITE, curriculum("adaptive"), 0).restore(state)


# ---- in a run


class Digits(rftgym.SingleTurnEnv):
    """Say the digit; the difficulty is the digit."""

    def make_tasks(self) -> ListTaskset:
        splits = ("train", "validation", "test")
        return ListTaskset(
            Task(f"{split}-{i}", {"i": i}, split, (i % 10) / 9) for split in splits for i in range(20)
        )

    def make_rubric(self) -> rftgym.Rubric:
        return rftgym.Rubric([rftgym.Component("right", self.right)], success="right")

    @staticmethod
    def right(completion: str, task: Task) -> float:
        return float(len(completion) % 10 < task.data["i"] % 10)

    def prompt(self, task: Task) -> str:
        return f"Task {task.id}."

    def demonstrate(self, task: Task, seed: int) -> list[rftgym.Message]:
        return [rftgym.Message("user", self.prompt(task)), rftgym.Message("assistant", "")]


@pytest.fixture
def digits() -> Any:
    from rftgym.plugins import discover

    class Plugin:
        @staticmethod
        @rftgym.hookimpl
        def rftgym_environments() -> list[rftgym.EnvSpec]:
            return [rftgym.EnvSpec(id="digits", entry_point=f"{__name__}:Digits")]

    plugins = discover()
    plugins.add(Plugin(), name="digits")
    return plugins


def small(tmp_path: Any, plugins: Any, kind: str, trainer: str = "grpo", **more: Any) -> Any:
    return rftgym.train(
        env="digits",
        model="tiny",
        curriculum={"kind": kind},
        trainer={"id": trainer, **({} if trainer == "sft" else {"steps": 4, "prompts": 2}), **more},
        sampling={"max_tokens": 4},
        evaluation={"n": 2, "every": 0},
        guard={"preflight": "off", "dry_step": False},
        checkpoints={"every": 1},
        runs=str(tmp_path),
        plugins=plugins,
    )


@pytest.mark.parametrize(("trainer", "more"), [("grpo", {"group_size": 2}), ("ppo", {"minibatches": 1})])
def test_a_run_climbs_and_says_so(tmp_path: Any, digits: Any, trainer: str, more: dict[str, Any]) -> None:
    from rftgym.runs.directory import RunDirectory

    run = RunDirectory.open(small(tmp_path, digits, "staged", trainer, **more)["run"])
    climbed = [step["curriculum/difficulty"] for step in run.metrics()]
    assert len(climbed) == 4
    assert climbed[0] < climbed[-1]
    latest = run.latest_checkpoint()
    assert latest is not None
    newest, checkpoint = latest
    state = json.loads((checkpoint / "order.json").read_text())
    assert (newest, state["kind"], state["handed"]) == (4, "staged", 8)


def test_preflight_plays_what_the_run_begins_with(
    tmp_path: Any, digits: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    posed: list[str] = []

    def prompt(self: Digits, task: Task) -> str:
        posed.append(task.id)
        return f"Task {task.id}."

    monkeypatch.setattr(Digits, "prompt", prompt)
    rftgym.train(
        env="digits",
        model="tiny",
        curriculum={"kind": "staged"},
        trainer={"steps": 1, "prompts": 2, "group_size": 2},
        sampling={"max_tokens": 4},
        evaluation={"n": 2, "every": 0},
        guard={"preflight": "warn", "preflight_tasks": 4, "dry_step": False},
        runs=str(tmp_path),
        plugins=digits,
    )
    trained_on = list(dict.fromkeys(id for id in posed if id.startswith("train-")))
    begun = preview(Digits().tasks, curriculum("staged"), 0, 4)
    assert set(trained_on[:4]) == {task.id for task in begun}
    assert set(trained_on[:4]) != {task.id for task in Digits().tasks.sample("train", 4, 0)}


def test_supervised_fine_tuning_has_no_curriculum(tmp_path: Any, digits: Any) -> None:
    with pytest.raises(UsageError, match="shows examples in an order of its own"):
        small(tmp_path, digits, "adaptive", "sft")
