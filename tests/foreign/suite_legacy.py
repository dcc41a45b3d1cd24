"""What has to hold for environments of verifiers' legacy API; run by tests/test_adapter_verifiers.py."""

from __future__ import annotations

import asyncio
import copy
import gc
import random
import signal
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import verifiers as vf
from verifiers.clients import Client
from verifiers.types import Response, ResponseMessage

import rftgym
from rftgym.errors import UsageError
from rftgym.scoring import score, score_trajectories
from rftgym.testing import check_env
from rftgym.types import Turn

SUMS = [
    "<answer>3</answer>",
    "<answer>\n3\n</answer>",
    "3",
    "",
    "<answer>3",
    "<answer>x</answer><answer>3</answer>",
]


def global_state() -> Any:
    kind, keys, *rest = np.random.get_state()  # noqa: NPY002  # looked at
    return random.getstate(), kind, np.asarray(keys).tobytes(), rest


class Scripted(Client):  # type: ignore[misc]
    """A model that always says the same."""

    def __init__(self, reply: str) -> None:
        super().__init__(None)
        self.reply = reply

    async def get_response(self, prompt: Any, model: str, *args: Any, **kwargs: Any) -> Any:
        message = ResponseMessage(content=self.reply, finish_reason="stop", is_truncated=False)
        return Response(id="", created=0, model=model, message=message)

    async def _none(self, *args: Any) -> Any: ...

    def setup_client(self, config: Any) -> Any: ...

    to_native_tool = to_native_prompt = get_native_response = raise_from_native_response = _none
    from_native_response = close = _none


def played(env: Any, completions: list[str], **options: Any) -> Any:
    env.reset(seed=3, options=options)
    for completion in completions:
        env.step(completion)
    return env.trajectory


def searched(env: Any) -> Any:
    """Find the number by halving."""
    low, high, over = 1, 100, False
    while not over:
        middle = (low + high) // 2
        hint, _, terminated, truncated, _ = env.step(str(middle))
        low, high = (middle + 1, high) if "higher" in hint else (low, middle - 1)
        over = terminated or truncated
    return env.trajectory


def test_tasks_keep_their_ids_and_the_evaluation_set_is_the_test_split() -> None:
    env = rftgym.make("verifiers:legacy_sums")
    few = rftgym.make("verifiers:legacy_sums", args={"n": 30})
    ids = {
        s: [env.tasks.item(s, i).id for i in range(env.tasks.size(s))]
        for s in ("train", "validation", "test")
    }
    fewer = {few.tasks.item(s, i).id for s in ("train", "validation") for i in range(few.tasks.size(s))}
    assert fewer < {*ids["train"], *ids["validation"]}
    assert len(ids["test"]) == 20 and ids["validation"]
    assert not set(ids["test"]) & {*ids["train"], *ids["validation"]}
    assert env.tasks.by_id("8bfd413cdcd4").data["question"] == "What is 1 + 2?"


def test_a_row_of_the_evaluation_set_is_not_trained_on() -> None:
    env = rftgym.make("verifiers:legacy_sums", args={"n": 1005})
    questions = [env.tasks.item("train", i).data["question"] for i in range(env.tasks.size("train"))]
    assert "What is 999 + 1000?" in questions and "What is 1000 + 1001?" not in questions


def test_prompts_are_the_environments_own() -> None:
    env = rftgym.make("verifiers:legacy_sums", args={"system_prompt": "Be  brief.\n"})
    _, info = env.reset(seed=0, options={"task": env.tasks.item("train", 0).id})
    own = env.tasks.item("train", 0).data["prompt"]
    assert [(m.role, m.content) for m in info["messages"]] == [(m["role"], m["content"]) for m in own]
    assert info["messages"][0].content == "Be  brief.\n"


@pytest.mark.parametrize("completion", SUMS)
def test_rewards_are_what_verifiers_says(completion: str) -> None:
    env = rftgym.make("verifiers:legacy_sums")
    task = env.tasks.by_id("8bfd413cdcd4")
    found = env.rubric.score(played(env, [completion], task=task.id))

    async def bare() -> Any:
        state = await env.foreign.env.rollout(task.data, Scripted(completion), "model", {})
        await env.foreign.env.rubric.score_rollout(state)
        return state

    state = asyncio.run(bare())
    assert found.components == state["metrics"] and found.reward == pytest.approx(state["reward"])
    assert found.success == (state["metrics"]["correct"] == 1.0)
    assert env.rubric.weights == {
        "correct": 1.0,
        "odd": 0.25,
        "length": 0.0,
        "format_reward_func": 0.5,
        "num_turns": 0.0,
    }


def test_the_answer_solves_a_task_and_is_shown() -> None:
    env = rftgym.make("verifiers:legacy_sums")
    shown = env.demonstrate(env.tasks.by_id("8bfd413cdcd4"), 0)
    assert shown is not None and shown[-1].content == "<answer>\n3\n</answer>"


def test_the_parser_reads_the_answer() -> None:
    turn = played(rftgym.make("verifiers:legacy_sums"), ["<answer> 7 </answer>"]).turns[0]
    assert (turn.answer, turn.well_formed) == ("7", True)


def test_a_conversation_goes_to_its_end() -> None:
    env = rftgym.make("verifiers:legacy_guess")
    env.reset(seed=5)
    trajectory = searched(env)
    assert trajectory.terminated and not trajectory.truncated
    assert [m.content for m in trajectory.closing] == ["Found."]
    found = trajectory.score.components
    assert found == {"found": 1.0, "speed": 1 / len(trajectory.turns), "num_turns": len(trajectory.turns)}
    assert trajectory.score.success


def test_a_stop_condition_ends_and_a_limit_cuts() -> None:
    env = rftgym.make("verifiers:legacy_guess")
    assert played(env, ["I give up"]).terminated
    cut = played(env, ["x"] * 8)
    assert cut.truncated and not cut.terminated and cut.score.components["num_turns"] == 8
    shorter = rftgym.make("verifiers:legacy_guess", max_turns=3)
    cut = played(shorter, ["x"] * 3)
    assert cut.truncated and cut.score.components == {"found": 0.0, "speed": 1 / 3, "num_turns": 3}


def test_one_seed_is_one_episode_and_nobody_else_is_disturbed() -> None:
    before = global_state()
    env = rftgym.make("verifiers:legacy_guess")
    hints = [[m.content for m in played(env, ["50", "x", "20", "70"]).messages] for _ in range(3)]
    assert hints[0] == hints[1] == hints[2]
    twins = [env.spawn(), env.spawn()]
    task = env.tasks.item("train", 0)
    for seed, twin in enumerate(twins):
        twin.start(task, seed)
    for completion in ("50", "x", "30"):
        for twin in twins:
            twin.advance(Turn((), completion))
    alone = env.spawn()
    alone.start(task, 1)
    for completion in ("50", "x", "30"):
        alone.advance(Turn((), completion))
    assert list(alone.trajectory.messages) == list(twins[1].trajectory.messages)
    assert global_state() == before


def test_a_snapshot_goes_on_where_it_was() -> None:
    env = rftgym.make("verifiers:legacy_guess")
    env.reset(seed=5)
    env.step("50")
    snapshot = env.snapshot()
    first = searched(env)
    messages = [m.content for m in first.messages]
    env.restore(snapshot)
    assert [m.content for m in searched(env).messages] == messages
    copied = copy.deepcopy(first)
    env.rubric.score(copied)
    assert copied.score == first.score


def test_saved_answers_are_scored_even_where_the_episode_was_not_over() -> None:
    env = rftgym.make("verifiers:legacy_guess")
    (row,) = score(env, [{"task": env.tasks.item("train", 0).id, "completions": ["50", "x"]}])
    assert row["error"] is None and row["components"] == {"found": 0.0, "speed": 0.5, "num_turns": 2.0}


def test_too_long_a_completion_counts_as_an_empty_one() -> None:
    env = rftgym.make("verifiers:legacy_sums")
    trajectory = played(env, ["<answer>3</answer>" + " " * env.max_completion_chars], task="8bfd413cdcd4")
    assert trajectory.truncated and trajectory.score.components["correct"] == 0.0
    assert trajectory.score.components["length"] == 0.0


@pytest.mark.parametrize(
    ("completion", "name", "kind"), [("raise", "broken", "ZeroDivisionError"), ("nan", "wild", "ValueError")]
)
def test_what_goes_wrong_in_a_reward_is_a_failure_and_no_zero(completion: str, name: str, kind: str) -> None:
    env = rftgym.make("verifiers:legacy_faulty")
    trajectory = played(env, ["hello", completion])
    assert trajectory.score.reward is None
    assert [(f.stage, f.name, f.kind) for f in trajectory.failures] == [("reward", name, kind)]
    assert trajectory.score.components["fine"] == 1.0 and trajectory.score.components[name] is None


def test_a_reward_that_cannot_say_masks_the_episode() -> None:
    trajectory = played(rftgym.make("verifiers:legacy_faulty"), ["hello", "none"])
    assert trajectory.score.reward is None and not trajectory.failures


def test_a_reward_that_takes_too_long_is_a_timeout() -> None:
    trajectory = played(rftgym.make("verifiers:legacy_faulty", timeout_seconds=1.0), ["hello", "sleep"])
    assert [(f.name, f.kind) for f in trajectory.failures] == [("sleepy", "Timeout")]


def test_batches_score_the_same() -> None:
    env = rftgym.make("verifiers:legacy_faulty")
    trajectories = [played(env.spawn(), ["hello", said]) for said in ("fine", "raise", "none")]
    alone = [copy.deepcopy(each.score) for each in trajectories]
    for each in trajectories:
        each.failures, each.score = [], None
    score_trajectories(env.rubric, trajectories)
    assert [each.score for each in trajectories] == alone
    assert [len(each.failures) for each in trajectories] == [0, 1, 0]


@pytest.mark.parametrize(("said", "error"), [("tool error", vf.ToolCallError), ("bug", KeyError)])
def test_what_goes_wrong_in_a_turn_is_raised(said: str, error: type[Exception]) -> None:
    env = rftgym.make("verifiers:legacy_faulty")
    env.reset(seed=0)
    with pytest.raises(error):
        env.step(said)


def test_a_turn_that_takes_too_long_is_given_up_and_others_go_on() -> None:
    env = rftgym.make("verifiers:legacy_faulty", timeout_seconds=0.5)
    for said in ("wait", "block"):
        env.reset(seed=0)
        with pytest.raises(TimeoutError, match=r"says nothing within 0\.5 s"):
            env.step(said)
    assert played(env, ["hello", "fine"]).score.reward == 1.0 + 1.0 + 0.5 + 0.25 + 0.125


def test_a_conversation_that_is_rewritten_is_refused() -> None:
    env = rftgym.make("verifiers:legacy_faulty", args={"max_turns": 3})
    env.reset(seed=0)
    with pytest.raises(rftgym.errors.ContractError, match="rewrites the conversation"):
        env.step("rewrite")


def test_rewards_of_groups_are_refused_by_name() -> None:
    with pytest.raises(UsageError, match=r"diversity judges a group.*without=\['diversity'\]"):
        rftgym.make("verifiers:legacy_faulty", args={"group": True})
    env = rftgym.make("verifiers:legacy_faulty", args={"group": True}, without=["diversity", "broken"])
    assert list(env.rubric.weights) == ["fine", "silent", "wild", "sleepy", "num_turns"]


def test_episodes_that_nobody_ends_are_cleaned_up(tmp_path: Path) -> None:
    env = rftgym.make("verifiers:legacy_faulty", args={"marks": str(tmp_path)})
    twins = [env.spawn() for _ in range(5)]
    for twin in twins:
        twin.reset(seed=0)
        twin.step("hello")
    twins[0].close()
    del twin
    twins.clear()
    gc.collect()
    until = time.monotonic() + 10
    while len(list(tmp_path.iterdir())) < 5 and time.monotonic() < until:
        time.sleep(0.05)
    assert len(list(tmp_path.iterdir())) == 5


def test_it_can_be_played_where_an_event_loop_runs_already() -> None:
    env = rftgym.make("verifiers:legacy_guess")

    async def play() -> Any:
        env.reset(seed=5)
        return searched(env)

    assert asyncio.run(play()).score.success


def test_threads_may_play_at_a_time() -> None:
    env = rftgym.make("verifiers:legacy_guess")
    alone = [m.content for m in played(env, ["50", "x", "30"]).messages]
    told: list[Any] = []

    def play() -> None:
        told.extend([[m.content for m in played(env.spawn(), ["50", "x", "30"]).messages] for _ in range(10)])

    threads = [threading.Thread(target=play) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == [alone] * 60


def test_signal_handlers_stay_as_they_were() -> None:
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    rftgym.make("verifiers:legacy_sums", args={"n": 17})
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before


def test_tools_are_called_in_text() -> None:
    env = rftgym.make("verifiers:legacy_tools")
    task = next(
        env.tasks.item("train", i) for i in range(20) if env.tasks.item("train", i).data["answer"] == "111"
    )
    _, info = env.reset(seed=0, options={"task": task.id})
    assert info["messages"][0].role == "system" and '"name": "multiply"' in info["messages"][0].content
    answer, *_ = env.step(
        'Let me see.\n<tool_call>{"name": "multiply", "arguments": {"a": 3, "b": 37}}</tool_call>'
    )
    assert answer == "<tool_response>\n111\n</tool_response>"
    answer, *_ = env.step('<tool_call>{"name": "multiply", "arguments": {"a": 3}}</tool_call>')
    assert "missing" in answer
    *_, info = env.step("111")
    assert info["score"].success and info["score"].components["total_tool_calls"] == 2.0
    assert info["score"].components["multiply_calls"] == 2.0


@pytest.mark.parametrize(
    "said", ["<tool_call>{</tool_call>", "<tool_call>[]</tool_call>", '<tool_call>{"name": 3}</tool_call>']
)
def test_a_call_that_cannot_be_read_is_an_answer(said: str) -> None:
    trajectory = played(rftgym.make("verifiers:legacy_tools"), [said])
    assert trajectory.terminated and trajectory.score.components["total_tool_calls"] == 0.0


def test_an_environment_of_another_name_is_not_there() -> None:
    with pytest.raises(UsageError, match="cannot import 'no_such_environment'"):
        rftgym.make("verifiers:no-such-environment")
    with pytest.raises(UsageError, match="unexpected keyword argument 'size'"):
        rftgym.make("verifiers:legacy_sums", args={"size": 3})


def test_it_takes_part_in_a_mix() -> None:
    env = rftgym.make("verifiers:legacy_sums:1,math:1")
    env.reset(seed=0)
    *_, info = env.step("42")
    assert info["score"].reward is not None


@pytest.mark.parametrize(
    ("name", "completions"),
    [("legacy_sums", SUMS), ("legacy_guess", ["50", "25", "75", "give up"]), ("legacy_tools", ["111"])],
)
def test_the_contract_is_kept(name: str, completions: list[str]) -> None:
    check_env(
        f"verifiers:{name}", completions=completions, seconds=200.0
    )  # another process takes long to import it
