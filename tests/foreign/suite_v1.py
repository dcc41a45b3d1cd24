"""What has to hold for environments of ``verifiers.v1``; run by tests/test_adapter_verifiers.py."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
import verifiers.v1 as vf

import rftgym
from rftgym.errors import ContractError, UsageError
from rftgym.scoring import score
from rftgym.testing import check_env

SUMS = ["3", " 3\n", "three", "", "33333"]


def played(env: Any, completions: list[str], **options: Any) -> Any:
    env.reset(seed=3, options=options)
    for completion in completions:
        env.step(completion)
    return env.trajectory


def sum_task(env: Any, prompt: str) -> Any:
    tasks = (
        env.tasks.item(split, i)
        for split in ("train", "validation", "test")
        for i in range(env.tasks.size(split))
    )
    return next(task for task in tasks if task.data["prompt"] == prompt)


def test_tasks_keep_their_ids() -> None:
    env = rftgym.make("verifiers:v1_sums")
    few = rftgym.make("verifiers:v1-sums", args={"taskset": {"size": 30}})
    ids = [
        {e.tasks.item(s, i).id for s in ("train", "validation", "test") for i in range(e.tasks.size(s))}
        for e in (env, few)
    ]
    assert len(ids[0]) == 60 and len(ids[1]) == 30 and ids[1] < ids[0]
    assert all(env.tasks.size(split) for split in ("train", "validation", "test"))
    assert sum_task(env, "What is 0 + 1?").id == "6b94b22cf5aa"


def test_prompts_are_the_tasks_own() -> None:
    env = rftgym.make("verifiers:v1_sums")
    _, info = env.reset(seed=0, options={"task": sum_task(env, "What is 1 + 2?").id})
    assert [(m.role, m.content) for m in info["messages"]] == [
        ("system", "Answer with the number."),
        ("user", "What is 1 + 2?"),
    ]


@pytest.mark.parametrize("completion", SUMS)
def test_rewards_are_what_verifiers_says(completion: str) -> None:
    env = rftgym.make("verifiers:v1_sums")
    task = sum_task(env, "What is 1 + 2?")
    found = env.rubric.score(played(env, [completion], task=task.id))
    foreign = env.foreign.env
    own = next(each for each in foreign.taskset if each.data.prompt == "What is 1 + 2?")
    trace = vf.Trace(
        task=vf.TraceTask(type="SumsTask", data=own.data), agent=vf.AgentInfo(config=foreign.config.agent)
    )
    trace.nodes.append(vf.MessageNode(message=vf.AssistantMessage(content=completion), sampled=True))
    asyncio.run(own.score(trace))
    assert found.reward == pytest.approx(trace.reward)
    assert found.components == {
        "length": trace.metrics["length"],
        "correct": trace.rewards["correct"].score,
        "shape": trace.rewards["digits"].score + trace.rewards["short"].score,
    }
    assert found.success == (completion.strip() == "3")


def test_the_answer_solves_a_task_and_is_shown() -> None:
    env = rftgym.make("verifiers:v1_sums")
    shown = env.demonstrate(sum_task(env, "What is 1 + 2?"), 0)
    assert shown is not None and shown[-1].content == "3"


def test_an_environment_talks_with_its_player() -> None:
    before = random.getstate()
    env = rftgym.make("verifiers:v1_guess", endless_size=40)
    question, _ = env.reset(seed=4)
    low, high, over = 1, int(question.rstrip(".").split()[-1]), False
    while not over:
        middle = (low + high) // 2
        hint, _, terminated, truncated, info = env.step(str(middle))
        low, high = (middle + 1, high) if hint == "higher" else (low, middle - 1)
        over = terminated or truncated
    turns = len(env.trajectory.turns)
    assert (
        terminated
        and info["score"].components == {"speed": 1 / turns, "recorded": 1.0}
        and info["score"].success
    )
    assert sum(env.tasks.size(split) for split in ("train", "validation", "test")) == 40
    assert random.getstate() == before


def test_a_stop_ends_and_a_limit_cuts() -> None:
    env = rftgym.make("verifiers:v1_guess")
    assert env.max_turns == 8
    stopped = played(env, ["50", "I give up"])
    assert stopped.terminated and stopped.score.components["speed"] == 0.5
    cut = played(env, ["x"] * 8)
    assert cut.truncated and not cut.terminated and cut.score.reward == pytest.approx(0.1 / 8)


def test_snapshots_and_saved_answers() -> None:
    env = rftgym.make("verifiers:v1_guess")
    env.reset(seed=5)
    env.step("50")
    snapshot = env.snapshot()
    told = []
    for _ in range(2):
        env.restore(snapshot)
        told.append([env.step(said)[0] for said in ("25", "75", "x")])
    assert told[0] == told[1]
    (row,) = score(env, [{"task": env.tasks.item("train", 0).id, "completions": ["50", "x"]}])
    assert row["error"] is None and row["components"]["speed"] == 0.5


def test_what_goes_wrong_in_a_reward_is_a_failure_and_no_zero() -> None:
    env = rftgym.make("verifiers:v1_faulty")
    trajectory = played(env, ["raise"])
    assert trajectory.score.reward is None and trajectory.score.components["fine"] == 1.0
    assert [(f.stage, f.name, f.kind) for f in trajectory.failures] == [
        ("reward", "broken", "ZeroDivisionError")
    ]
    silent = played(env, ["none"])
    assert silent.score.reward is None and not silent.failures
    assert played(env, ["fine"]).score.components == {"fine": 1.0, "broken": 1.0, "recorded": 1.5}


def test_what_goes_wrong_in_an_environment_is_raised() -> None:
    env = rftgym.make("verifiers:v1_faulty", args={"bug": True})
    env.reset(seed=0)
    with pytest.raises(KeyError, match="bug"):
        env.step("hello")
    env = rftgym.make("verifiers:v1_faulty", args={"plays": 2})
    env.reset(seed=0)
    with pytest.raises(ContractError, match="second conversation"):
        env.step("hello")
    env = rftgym.make("verifiers:v1_faulty", args={"plays": 0})
    with pytest.raises(ContractError, match="without having asked"):
        env.reset(seed=0)


@pytest.mark.parametrize(
    ("name", "args", "message"),
    [
        ("v1_pair", {}, "it has the seats one, other"),
        ("v1_starting", {}, r"share what StartingEnv\.start\(\) starts"),
        ("v1_faulty", {"taskset": {"fault": "running"}}, r"need a runtime for runs.*runtime=subprocess"),
        ("v1_faulty", {"taskset": {"fault": "watching"}}, "look of WatchingTask"),
        ("v1_faulty", {"taskset": {"fault": "contained"}}, "run in a container"),
        ("v1_faulty", {"taskset": {"fault": "empty"}}, "has no tasks"),
        ("v1_faulty", {"taskset": {"falt": ""}}, "falt"),
        ("suite_v1", {}, "cannot load it"),
    ],
)
def test_what_is_not_offered_is_refused_by_name(name: str, args: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        rftgym.make(f"verifiers:{name}", args=args)


def test_a_runtime_of_this_machine_may_be_allowed() -> None:
    env = rftgym.make("verifiers:v1_faulty", args={"taskset": {"fault": "running"}}, runtime="subprocess")
    assert played(env, ["fine"]).score.components["runs"] == 1.0


@pytest.mark.parametrize(
    ("name", "completions"), [("v1_sums", SUMS), ("v1_guess", ["50", "25", "75", "give up"])]
)
def test_the_contract_is_kept(name: str, completions: list[str]) -> None:
    check_env(
        f"verifiers:{name}", completions=completions, seconds=200.0
    )  # another process takes long to import it
