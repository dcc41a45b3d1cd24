"""Several environments as one: how a mix is written, its tasks, episodes and rewards, and a run on it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rftgym
from rftgym import Turn
from rftgym.config import EnvSettings, RewardSettings
from rftgym.errors import UsageError
from rftgym.mix import MixedEnv, MixedTaskset
from rftgym.mixing import is_mix, name_of, parse_mix, turn_counts, turns_of
from rftgym.registry import defaults_of, installed, make_configured
from rftgym.tasks import ListTaskset, ProceduralTaskset
from rftgym.testing import check_env
from rftgym.types import Task

MIX = "wordle:2,dataset:1"


def finite(n: int) -> ListTaskset:
    return ListTaskset(Task(f"{split}-{i}", {"i": i}, split) for split in ("train", "test") for i in range(n))


def endless() -> ProceduralTaskset:
    return ProceduralTaskset(lambda split, rng, id: Task(id, {"x": rng.random()}, split))


# ---- how it is written


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("a,b", {"a": 1, "b": 1}),
        ("a:2,b:1", {"a": 2, "b": 1}),
        ("a:0.5, b:1.5", {"a": 1, "b": 3}),
        ("triton-kernels:3,b", {"triton-kernels": 3, "b": 1}),
    ],
)
def test_weights_are_read(text: str, weights: dict[str, int]) -> None:
    assert is_mix(text)
    assert turn_counts(parse_mix(text)) == weights


@pytest.mark.parametrize(
    ("text", "weights"),
    [
        ("gym:countdown:2,b", {"gym:countdown": 2, "b": 1}),
        ("gym:x,gym:y:3", {"gym:x": 1, "gym:y": 3}),
        ("gym:2048-v0:2,b", {"gym:2048-v0": 2, "b": 1}),
        ("./a/my_env.py:MyEnv:2,my_env.py", {"./a/my_env.py:MyEnv": 2, "my_env.py": 1}),
        ("open:http://host:8000,b:2", {"open:http://host:8000": 1, "b": 2}),
        ("open:http://host:8000/:3,b", {"open:http://host:8000/": 3, "b": 1}),
        ("open:http://host:8000:3,b", {"open:http://host:8000": 3, "b": 1}),
        ("open:http://host,b", {"open:http://host": 1, "b": 1}),
    ],
)
def test_members_of_families_files_and_addresses_can_be_mixed(text: str, weights: dict[str, int]) -> None:
    assert is_mix(text)
    assert parse_mix(text) == weights


@pytest.mark.parametrize(
    "id",
    ["wordle", "gym:countdown", "gym:2048-v0", "./my_env.py:MyEnv", "my_env.py", "open:http://host:8000"],
)
def test_one_environment_is_no_mix(id: str) -> None:
    assert not is_mix(id)
    assert name_of(id).count("/") == 0


@pytest.mark.parametrize(
    "text",
    [
        "a:,b",
        "a:-1,b",
        "a,,b",
        "a,a",
        "a:0,b",
        "a:1:2,b",
        ",",
        "a:999.999,b",
        "a:" + "9" * 5000 + ",b",
        "a:0." + "9" * 5000 + ",b",
    ],
)
def test_what_is_no_mix_is_told(text: str) -> None:
    with pytest.raises(UsageError, match=r"mix of environments reads like|stands twice|weights are above 0"):
        parse_mix(text)


@given(st.dictionaries(st.sampled_from("abcde"), st.integers(1, 9), min_size=1))
def test_turns_are_as_many_as_the_weights_say_and_spread(counts: dict[str, int]) -> None:
    turns = turns_of(counts)
    assert Counter(turns) == counts
    for name, count in counts.items():  # never far from its due, wherever one stops
        for end in range(len(turns)):
            assert abs(turns[:end].count(name) - end * count / len(turns)) < 2


# ---- tasks


@pytest.mark.parametrize("other", [finite(40), endless()], ids=["finite", "endless"])
def test_tasks_come_by_weight_and_are_found_by_their_ids(other: object) -> None:
    mix = MixedTaskset({"a": finite(90), "b": other}, parse_mix("a:2,b:1"))  # type: ignore[dict-item]
    tasks = mix.sample("train", 60, 5)
    assert Counter(map(mix.part, tasks)) == {"a": 40, "b": 20}
    assert len({task.id for task in tasks}) == 60
    assert all(mix.by_id(task.id) == task for task in tasks)
    order = mix.order("train", 5)
    assert Counter(mix.part(next(order)) for _ in range(300)) == {"a": 200, "b": 100}


def test_a_part_with_few_tasks_gives_them_all_once() -> None:
    mix = MixedTaskset({"a": finite(50), "b": finite(3)}, parse_mix("a,b"))
    tasks = mix.sample("test", 40, 0)
    assert Counter(map(mix.part, tasks)) == {"a": 37, "b": 3}
    assert len({task.id for task in tasks}) == 40


def test_items_are_all_there() -> None:
    mix = MixedTaskset({"a": finite(5), "b": finite(3)}, parse_mix("a:2,b:1"))
    assert mix.size("train") == 8
    assert len({mix.item("train", i).id for i in range(8)}) == 8
    with pytest.raises(IndexError):
        mix.item("train", 8)
    assert mix.size("validation") == 0
    without_end = MixedTaskset({"a": finite(5), "b": endless()}, parse_mix("a:2,b:1"))
    assert without_end.size("train") is None
    assert without_end.item("train", 2**31 - 1).id.partition("/")[0] in ("a", "b")
    ids = [without_end.item("train", i).id for i in range(9)]
    assert [id for id in ids if id.startswith("a")][:5] == [f"a/train-{i}" for i in range(5)]


def test_a_split_that_one_part_lacks_belongs_to_the_others() -> None:
    lacking = ListTaskset([Task("x", {}, "train")])
    mix = MixedTaskset({"a": lacking, "b": endless()}, parse_mix("a,b"))
    assert {mix.part(task) for task in mix.sample("test", 5, 0)} == {"b"}
    assert {mix.item("test", i).id.partition("/")[0] for i in range(5)} == {"b"}


@pytest.mark.parametrize("id", ["x", "c/train-1", "a", "a/", "a/none"])
def test_an_id_of_no_part_is_told(id: str) -> None:
    mix = MixedTaskset({"a": finite(5), "b": finite(3)}, parse_mix("a,b"))
    with pytest.raises(UsageError, match="no task"):
        mix.by_id(id)


# ---- episodes


@pytest.mark.timeout(120)
def test_a_mix_keeps_the_contract() -> None:
    check_env(MIX, completions=["<guess>crane</guess>", "55"])


def test_an_episode_goes_as_in_the_part_alone() -> None:
    mix, alone = rftgym.make(MIX), rftgym.make("wordle")
    task = alone.tasks.sample("train", 1, 0)[0]
    ours, theirs = mix.spawn(), alone.spawn()
    assert ours.start(mix.tasks.by_id(f"wordle/{task.id}"), 3) == theirs.start(task, 3)
    for guess in ("<guess>crane</guess>", "crane", "<guess>zzzzz</guess>", *["<guess>slate</guess>"] * 3):
        assert ours.advance(Turn((), guess)) == theirs.advance(Turn((), guess))
        assert ours.trajectory.turns[-1].info == theirs.trajectory.turns[-1].info
    assert (ours.trajectory.terminated, ours.trajectory.truncated) == (
        theirs.trajectory.terminated,
        theirs.trajectory.truncated,
    )
    score, same = ours.rubric.score(ours.trajectory), theirs.rubric.score(theirs.trajectory)
    assert (score.reward, score.success) == (same.reward, same.success)
    assert score.components == {
        "wordle/success": float(same.success or False),
        "wordle/reward": same.reward,
        **{f"wordle/{name}": value for name, value in same.components.items()},
    }
    assert ours.rubric.payouts(ours.trajectory) == theirs.rubric.payouts(theirs.trajectory)
    single = mix.spawn()
    single.start(mix.tasks.by_id("dataset/reverse-2"), 0)
    single.advance(Turn((), "whatever"))
    assert single.trajectory.terminated  # one turn, although the mix has six


def test_a_snapshot_brings_its_part_along() -> None:
    mix = rftgym.make(MIX)
    one, other = mix.spawn(), mix.spawn()
    one.start(mix.tasks.sample("train", 1, 0)[0], 0)
    assert one.trajectory.task.id.startswith("wordle/")
    shot = one.snapshot()
    other.start(mix.tasks.by_id("dataset/reverse-2"), 0)
    other.restore(shot)
    assert other.advance(Turn((), "<guess>crane</guess>")) == one.advance(Turn((), "<guess>crane</guess>"))


def test_demonstrations_come_by_weight() -> None:
    mix = rftgym.make(MIX)
    shown = list(mix.demonstrations("train", 9, 0))
    assert sum("guess" in talk[0].content for talk in shown) == 6
    assert len(list(mix.solved(6, 0))) == 6


# ---- configuration


def test_rewards_of_a_mix_are_named_by_part() -> None:
    rewards = RewardSettings(weights={"wordle/win": 3.0}, add={"brevity": 0.5})
    rubric = make_configured(EnvSettings(id=MIX), rewards).rubric
    weights = rubric.weights
    assert (weights["wordle/win"], weights["wordle/brevity"], weights["dataset/brevity"]) == (3.0, 0.5, 0.5)
    for name in ("win", "chess/win", "wordle/none"):
        with pytest.raises(UsageError, match="no reward component"):
            make_configured(EnvSettings(id=MIX), RewardSettings(weights={name: 1.0}))


def test_arguments_of_a_part_go_by_its_name() -> None:
    env = rftgym.make(MIX, dataset={"tag": "answer"}, max_turns=2)
    assert isinstance(env, MixedEnv)
    assert [part.max_turns for part in env.parts.values()] == [2, 2]
    episode = env.spawn()
    opening = episode.start(env.tasks.by_id("dataset/reverse-2"), 0)
    assert "<answer>" in opening[-1].content
    with pytest.raises(UsageError, match="arguments of a part go by its name"):
        rftgym.make(MIX, tag="answer")
    with pytest.raises(UsageError, match="at least one turn"):
        rftgym.make(MIX, max_turns=0)
    with pytest.raises(UsageError, match="must be a mapping"):
        rftgym.make(MIX, dataset=3)


def test_a_file_of_tasks_belongs_to_one_environment() -> None:
    with pytest.raises(UsageError, match="belongs to one environment"):
        make_configured(EnvSettings(id=MIX, tasks="x.jsonl"), RewardSettings())


def test_each_part_is_shown_its_own_shots() -> None:
    env = make_configured(EnvSettings(id=MIX, shots=1), RewardSettings())
    for part, word in (("wordle", "<guess>"), ("dataset", "")):
        task = next(t for t in env.tasks.sample("train", 30, 0) if env.tasks.part(t) == part)
        opening = env.spawn().start(task, 0)
        shown = [message.content for message in opening if message.role == "assistant"]
        assert shown
        assert all(("<guess>" in text) == (part == "wordle") and word in text for text in shown)


def test_defaults_of_a_mix_are_large_enough_for_each_part() -> None:
    alone = [defaults_of(id, installed()) for id in ("wordle", "triton-kernels")]
    mixed = defaults_of("wordle,triton-kernels", installed())
    assert mixed["sampling.max_tokens"] == max(each["sampling.max_tokens"] for each in alone)
    assert mixed["grpo.steps"] == max(each["grpo.steps"] for each in alone)


def test_an_unknown_part_is_told_with_what_was_meant(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'wordle'"):
        rftgym.train(env="wordel:2,dataset:1", runs=str(tmp_path))
    assert not list(tmp_path.iterdir())


# ---- a run


def test_a_run_on_a_mix_tells_of_each(tmp_path: Path) -> None:
    result = rftgym.train(
        env="wordle:1,dataset:1",
        model="tiny",
        trainer={"steps": 1, "prompts": 2, "group_size": 2},
        evaluation={"n": 4, "every": 0},
        guard={"preflight": "off", "dry_step": False},
        runs=str(tmp_path),
    )
    components = result["after"]["components"]
    assert {"wordle/success", "wordle/reward", "dataset/success", "dataset/correct"} <= set(components)
    assert components["wordle/success"]["high"] > 0  # exact end of 0 of 2, not a point


class Looking(rftgym.MultiTurnEnv[None]):
    """Answers with what it sees of its own episode."""

    max_turns = 3

    def make_tasks(self) -> ListTaskset:
        return finite(4)

    def make_rubric(self) -> rftgym.Rubric:
        return rftgym.Rubric([rftgym.Component("one", lambda turn: 1.0)], success="one")

    def begin(self, task: Task, rng: Random) -> tuple[None, str]:
        return None, "look"

    def respond(self, state: None, turn: Turn, rng: Random) -> rftgym.Response:
        own = self.trajectory
        return rftgym.Response(
            f"{self.tasks.by_id(own.task.id).id} {len(own.turns)} {own.turns[-1].completion}"
        )


def test_a_part_sees_its_episode_as_if_alone_and_no_other_ones() -> None:
    mix = MixedEnv({"a": Looking(), "b": Looking()}, parse_mix("a,b"))
    one, other = mix.spawn(), mix.spawn()
    one.start(mix.tasks.by_id("a/train-1"), 0)
    other.start(mix.tasks.by_id("a/train-2"), 0)
    assert one.advance(Turn((), "x"))[0].content == "train-1 1 x"
    assert other.advance(Turn((), "y"))[0].content == "train-2 1 y"
    assert one.advance(Turn((), "z"))[0].content == "train-1 2 z"
    assert one.trajectory.task.id == "a/train-1"
