"""OpenEnv, both ways: our environments on a server of ours, played by openenv's own client and by the adapter; and
other people's servers as environments. The servers are processes, the package is the real one."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rftgym
from rftgym.env import TextEnv
from rftgym.errors import InfrastructureError, RftgymError, UsageError
from rftgym.policy import ScriptedPolicy
from rftgym.rollout.engine import play
from rftgym.scoring import score_trajectories
from rftgym.testing import check_env, task_digest
from rftgym.types import Message, Sampling, Task, Trajectory

openenv = pytest.importorskip("openenv", reason="pip install 'rftgym[openenv]'")
from openenv.core import GenericEnvClient  # noqa: E402
from websockets.sync.server import serve  # noqa: E402

from rftgym_openenv.codec import last_object  # noqa: E402
from rftgym_openenv.local import LocalServer  # noqa: E402
from rftgym_openenv.wire import Address, ServerError, Session, readable, shown  # noqa: E402

pytestmark = pytest.mark.timeout(120)
HERE = Path(__file__).parent
WORDS = ("crane", "slate", "moist", "bided")
MIX = "wordle:2,math:1"

STUBBORN = """
import time
import rftgym
from rftgym.tasks import ListTaskset

@rftgym.reward()
def judged(completion: str) -> float | None:
    if completion == "slow":
        time.sleep(3)
    if completion == "broken":
        raise RuntimeError("the judge is ill \\ud800")
    return None if completion == "who knows" else 0.5

@rftgym.reward(per="turn", weight=0.1)
def polite(turn: rftgym.Turn) -> float | None:
    return None if turn.completion == "mumble" else 1.0

class Stubborn(rftgym.MultiTurnEnv[None]):
    max_turns = 2
    def make_tasks(self):
        return ListTaskset([rftgym.Task("the-secret", {"answer": "the-secret"})])
    def make_rubric(self):
        return rftgym.Rubric([judged, polite], success="judged")
    def begin(self, task, rng):
        return None, "Say something."
    def respond(self, state, turn, rng):
        if turn.completion == "crash":
            raise KeyError("respond is ill")
        return rftgym.Response("Go on.", terminated=turn.completion != "mumble")
"""


def say(history: Any, rng: Random) -> str:
    """A policy that plays Wordle and does sums, badly; what it says hangs on the conversation alone."""
    rng = Random("|".join(history))
    return f"<guess>{rng.choice(WORDS)}</guess><answer>{rng.randrange(40)}</answer>"


POLICY = ScriptedPolicy(lambda messages, rng: say([message.content for message in messages], rng))


@contextlib.contextmanager
def exported(*arguments: str) -> Iterator[str]:
    """The address of a server that `rftgym export openenv` runs, in a process of its own."""
    command = [sys.executable, "-m", "rftgym", "export", "openenv", *arguments, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        try:
            assert found is not None, "the server said no address"
            yield found[0]
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)


@pytest.fixture(scope="module")
def wordle() -> Iterator[str]:
    with exported("wordle", "--max-sessions", "64") as url:
        yield url


@pytest.fixture(scope="module")
def mix() -> Iterator[str]:
    with exported(MIX) as url:
        yield url


@pytest.fixture(scope="module")
def math_server() -> Iterator[str]:
    with exported("math") as url:
        yield url


@pytest.fixture(scope="module")
def stubborn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    file = tmp_path_factory.mktemp("stubborn") / "stubborn.py"
    file.write_text(STUBBORN, encoding="utf-8")
    with exported(f"{file}:Stubborn") as url:
        yield url


@pytest.fixture(scope="module")
def servers(request: pytest.FixtureRequest) -> Iterator[None]:
    """The applications of openenv_servers.py can be imported by processes that we start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(HERE), prepend=os.pathsep)
        yield


@contextlib.contextmanager
def made(id: str, **settings: Any) -> Iterator[TextEnv[Any]]:
    env = rftgym.make(id, **settings)
    try:
        yield env
    finally:
        env.close()


@pytest.fixture(scope="module")
def foreign(servers: None) -> Iterator[str]:
    server = LocalServer("openenv_servers:application")
    yield server.url()
    server.stop()


@pytest.fixture(scope="module")
def counter(foreign: str) -> Iterator[TextEnv[Any]]:
    with made(f"openenv:{foreign}/counter") as env:
        yield env


@pytest.fixture(scope="module")
def walk(foreign: str) -> Iterator[TextEnv[Any]]:
    with made(f"openenv:{foreign}/walk", wait_seconds=0.5) as env:
        yield env


@pytest.fixture(scope="module")
def hostile(servers: None) -> Iterator[TextEnv[Any]]:
    with made("openenv:openenv_hostile:hostile", step_seconds=2, max_turns=3) as env:
        yield env


def episode(env: TextEnv[Any], *said: str, task: Task | None = None, seed: int = 0) -> Trajectory:
    """One scored episode through the engine, with these completions; the last one again and again."""
    lines = iter(said)
    policy = ScriptedPolicy(lambda messages, rng: next(lines, said[-1]))
    task = env.tasks.item("train", 0) if task is None else task
    (trajectory,) = play(env, policy, Sampling(), tasks=[task], seeds=[seed])
    score_trajectories(env.rubric, [trajectory])
    return trajectory


# ----------------------------------------------------------------------------------- ours, played by openenv's client


async def far_episode(url: str, **reset: Any) -> list[tuple[Any, ...]]:
    """What openenv's own client is told of an episode."""
    told: list[tuple[Any, ...]] = []
    history: list[str] = []
    async with GenericEnvClient(base_url=url) as client:
        result = await client.reset(**reset)
        while True:
            told.append((result.observation["messages"], result.reward, result.done))
            history += [message["content"] for message in result.observation["messages"]]
            if result.done:
                return [*told, (result.metadata["success"], result.metadata["components"])]
            history.append(say(history, Random(0)))
            result = await client.step({"completion": history[-1]})


def near_episode(env: TextEnv[Any], seed: int, **options: Any) -> list[tuple[Any, ...]]:
    """The same of an episode here, through Gymnasium's door."""
    _, info = env.reset(seed=seed, options=options)
    told: list[tuple[Any, ...]] = [(_plain(info["messages"]), None, False)]
    history = [message.content for message in info["messages"]]
    over = False
    while not over:
        history.append(say(history, Random(0)))
        observation, reward, terminated, truncated, info = env.step(history[-1])
        over = terminated or truncated
        messages = [Message("user", observation)] if observation else []
        told.append((_plain(messages), reward, over))
        history += [message.content for message in messages]
    return [*told, (info["score"].success, info["score"].components)]


def _plain(messages: Any) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in messages]


@pytest.mark.parametrize(("server", "id"), [("wordle", "wordle"), ("math_server", "math"), ("mix", MIX)])
def test_openenvs_client_plays_the_episodes_that_are_played_here(
    server: str, id: str, request: pytest.FixtureRequest
) -> None:
    url, env = request.getfixturevalue(server), rftgym.make(id)
    for seed in range(4):
        assert asyncio.run(far_episode(url, seed=seed)) == near_episode(env, seed)
    assert asyncio.run(far_episode(url, seed=5, split="test")) == near_episode(env, 5, split="test")


def test_sixty_four_sessions_at_once_play_as_alone_and_one_more_is_refused(wordle: str) -> None:
    env = rftgym.make("wordle")

    async def together() -> list[list[tuple[Any, ...]]]:
        return await asyncio.gather(*(far_episode(wordle, seed=seed) for seed in range(64)))

    assert asyncio.run(together()) == [near_episode(env, seed) for seed in range(64)]

    async def crowd() -> None:
        clients = [GenericEnvClient(base_url=wordle) for _ in range(64)]
        for client in clients:
            await client.reset(seed=1)
        far = rftgym.make(f"openenv:{wordle}", wait_seconds=0.3)
        with pytest.raises(InfrastructureError, match=r"takes 64 sessions.*max_concurrent_envs"):
            await asyncio.to_thread(far.start, Task("x", {"reset": {}}), 1)
        await clients[0].close()
        await asyncio.to_thread(
            far.start, Task("x", {"reset": {}}), 1
        )  # a place that was given back is taken
        far.close()
        for client in clients[1:]:
            await client.close()

    asyncio.run(crowd())


def test_nothing_that_a_client_is_told_names_the_task_before_its_end(wordle: str) -> None:
    import httpx

    env = rftgym.make("wordle")  # its tasks' ids are the secret words

    async def told(index: int) -> str:
        async with GenericEnvClient(base_url=wordle) as client:
            result = await client.reset(split="train", index=index)
            first = await client.step({"completion": "no word"})
            return f"{result} {first} {await client.state()}"

    for index in range(5):
        secret = env.tasks.item("train", index).id
        task = httpx.post(f"{wordle}/wordle/task", json={"split": "train", "index": index}).text
        listed = httpx.post(
            f"{wordle}/wordle/task_range", json={"split": "train", "start": 0, "stop": 9}
        ).text
        assert secret not in asyncio.run(told(index)) + task + listed


def test_the_task_api_lists_splits_and_counts_tasks(wordle: str, mix: str) -> None:
    import httpx

    env = rftgym.make("wordle")
    assert httpx.get(f"{wordle}/list_environments").json() == ["wordle"]
    assert [each["name"] for each in httpx.get(f"{wordle}/wordle/splits").json()] == [
        "train",
        "validation",
        "test",
    ]
    count = httpx.post(f"{wordle}/wordle/num_tasks", json={"split": "test"}).json()
    assert count == {"num_tasks": env.tasks.size("test")}
    assert httpx.post(f"{wordle}/wordle/task", json={"split": "test", "index": 10**9}).status_code == 400
    (name,) = httpx.get(f"{mix}/list_environments").json()
    assert httpx.post(f"{mix}/{name}/num_tasks", json={"split": "train"}).json() == {"num_tasks": 2**31 - 1}


@pytest.mark.parametrize(
    "reset",
    [
        {"task": "no such word"},
        {"split": "no such split"},
        {"index": -1},
        {"index": 10**9},
        {"index": "1"},
        {"task": "crane", "index": 1},
        {"seed": "one"},
        {"seed": -1},
    ],
)
def test_a_reset_that_cannot_be_is_an_error_and_the_session_lives_on(
    reset: dict[str, Any], wordle: str
) -> None:
    async def tried() -> None:
        async with GenericEnvClient(base_url=wordle) as client:
            with pytest.raises(RuntimeError, match="EXECUTION_ERROR"):
                await client.reset(**reset)
            assert not (await client.reset(seed=1)).done

    asyncio.run(tried())


def test_steps_before_a_reset_or_behind_the_end_are_errors(math_server: str) -> None:
    async def tried() -> None:
        async with GenericEnvClient(base_url=math_server) as client:
            with pytest.raises(RuntimeError, match="reset"):
                await client.step({"completion": "1"})
            await client.reset(seed=1)
            assert (await client.step({"completion": "1"})).done
            with pytest.raises(RuntimeError, match="is over"):
                await client.step({"completion": "1"})
            with pytest.raises(RuntimeError, match="VALIDATION_ERROR"):
                await client.step({"answer": "1"})

    asyncio.run(tried())


@pytest.mark.parametrize(
    ("said", "kind"), [("broken", "RuntimeError"), ("who knows", None), ("crash", "KeyError")]
)
def test_what_cannot_be_scored_has_no_reward_and_says_why(said: str, kind: str | None, stubborn: str) -> None:
    async def last() -> Any:
        async with GenericEnvClient(base_url=stubborn) as client:
            await client.reset(seed=1)
            return await client.step({"completion": said})

    result = asyncio.run(last())
    assert result.done and result.reward is None and result.metadata["unscorable"] is True
    assert result.metadata["success"] is None
    assert [failure["kind"] for failure in result.metadata["failures"]] == ([kind] if kind else [])


def test_half_a_character_ends_no_session(stubborn: str) -> None:
    async def last() -> Any:
        async with GenericEnvClient(base_url=stubborn) as client:
            await client.reset(seed=1)
            return await client.step({"completion": "\ud800 half"})

    assert asyncio.run(last()).reward == 0.6
    with made(f"openenv:{stubborn}") as far:
        assert episode(far, "\ud800 half").reward == 0.6


def test_a_turn_that_cannot_be_scored_leaves_the_whole_episode_unscored(stubborn: str) -> None:
    with made(f"openenv:{stubborn}") as far:
        trajectory = episode(far, "mumble", "bye")
    assert len(trajectory.turns) == 2 and trajectory.terminated
    assert trajectory.score is not None and trajectory.score.reward is None


def test_a_slow_judge_keeps_nobody_else_waiting(stubborn: str) -> None:
    async def two() -> tuple[float, float]:
        async with GenericEnvClient(base_url=stubborn) as slow, GenericEnvClient(base_url=stubborn) as quick:
            await slow.reset(seed=1)
            judged = asyncio.create_task(slow.step({"completion": "slow"}))
            await asyncio.sleep(0.2)
            started = time.monotonic()
            for _ in range(3):
                await quick.reset(seed=1)
                await quick.step({"completion": "hello"})
            seconds, waiting = time.monotonic() - started, not judged.done()
            await judged
            return seconds, waiting

    seconds, waiting = asyncio.run(two())
    assert waiting and seconds < 2.5


# ---------------------------------------------------------------------------------------- ours, played by the adapter


@pytest.mark.parametrize(("server", "id"), [("wordle", "wordle"), ("math_server", "math"), ("mix", MIX)])
def test_there_and_back_gives_the_same_trajectories_and_scores(
    server: str, id: str, request: pytest.FixtureRequest
) -> None:
    near = rftgym.make(id)
    with made(f"openenv:{request.getfixturevalue(server)}") as far:
        assert far.tasks.size("train") == near.tasks.size("train")
        both = []
        for env in (near, far):
            tasks = [env.tasks.item("train", index) for index in range(6)]
            played = play(env, POLICY, Sampling(), tasks=tasks, seeds=range(6), group_size=4)
            score_trajectories(env.rubric, played)
            both.append(played)
    for here, there in zip(*both, strict=True):
        assert not there.failures
        assert list(here.messages) == list(there.messages)
        assert (here.terminated, here.truncated) == (there.terminated, there.truncated)
        assert here.score is not None and there.score is not None and there.score.reward is not None
        assert math.isclose(here.score.reward or 0.0, there.score.reward, abs_tol=1e-9)
        assert here.score.success == there.score.success
        assert there.turns[-1].info["metadata"]["components"] == here.score.components


def test_an_answer_that_is_too_long_is_judged_by_the_server(wordle: str) -> None:
    near = rftgym.make("wordle")
    with made(f"openenv:{wordle}") as far:
        here = episode(near, "x" * (near.max_completion_chars + 1))
        there = episode(far, "x" * (near.max_completion_chars + 1))
    assert there.truncated and not there.terminated and there.score is not None and here.score is not None
    assert there.score.reward == here.score.reward


@pytest.mark.slow
def test_it_keeps_the_contract(wordle: str) -> None:
    with pytest.warns(UserWarning, match="reward-unbounded"):
        check_env(f"openenv:{wordle}")


def test_the_process_s_generator_is_left_alone_by_what_is_imported_for_the_first_time() -> None:
    program = (
        "import random, rftgym\n"
        "env = rftgym.make('openenv:http://127.0.0.1:9', connect_seconds=1.0)\n"
        "before = random.getstate()\n"
        "try: env.tasks.size('train')\n"
        "except rftgym.errors.InfrastructureError as error: print(error)\n"
        "print(random.getstate() == before)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    told, same = done.stdout.splitlines()
    assert told.startswith("cannot connect to http://127.0.0.1:9: ") and told.endswith(
        "; does the server run?"
    )
    assert same == "True"


def test_it_can_be_part_of_a_mix(wordle: str) -> None:
    with made(f"openenv:{wordle},math:1") as mixed:
        tasks = mixed.tasks.sample("train", 4, 0)
        played = play(mixed, POLICY, Sampling(), tasks=tasks, seeds=range(4), group_size=2)
        score_trajectories(mixed.rubric, played)
        assert len({task.id.partition("/")[0] for task in tasks}) == 2
        assert not mixed.snapshots
    assert all(not t.failures and t.reward is not None for t in played)


def test_a_server_that_dies_ends_the_episode_unscored_and_never_with_0(hostile: TextEnv[Any]) -> None:
    trajectory = episode(hostile, "die")
    (failure,) = trajectory.failures
    assert failure.infrastructure and failure.stage == "environment" and failure.kind == "InfrastructureError"
    assert "is lost" in failure.message and "http://127.0.0.1" in failure.message
    assert trajectory.truncated and trajectory.score is not None and trajectory.score.reward is None
    hostile.reset(seed=1)
    with pytest.raises(InfrastructureError, match="is lost"):
        hostile.step("die")
    again = episode(hostile, "steering")  # a server of our own is started again
    assert again.reward == 1.0


# --------------------------------------------------------------------------------------------- other people's servers


def test_a_server_without_tasks_is_played_by_seeds_that_never_meet(counter: TextEnv[Any]) -> None:
    splits = {
        split: {
            counter.tasks.item(split, index, seed).data["reset"]["seed"]
            for index in range(300)
            for seed in (0, 1)
        }
        for split in ("train", "validation", "test")
    }
    assert all(len(seeds) == 600 for seeds in splits.values())
    assert not splits["train"] & splits["validation"] and not splits["train"] & splits["test"]
    assert not splits["validation"] & splits["test"]
    assert counter.tasks.by_id("test-4-17") == counter.tasks.item("test", 17, 4)
    assert counter.tasks.size("train") is None and counter.tasks.size("dev") == 0
    assert task_digest(counter.tasks) == "cffbd93596293a03"


def test_ids_of_seeds_that_nobody_gave_out_are_refused(counter: TextEnv[Any]) -> None:
    for id in ("", "train", "train-1", "dev-0-1", "train-00-1", "train-0--1", "train-0-1\n", "train-1e9-1"):
        with pytest.raises(UsageError, match="no task"):
            counter.tasks.by_id(id)


def test_numbers_are_actions_and_odd_answers_are_data(counter: TextEnv[Any]) -> None:
    number = counter.tasks.item("train", 0).data["reset"]["seed"] % 10
    found = episode(counter, "no idea", str(number))
    assert found.turns[0].messages == (
        Message("user", "Find a number below 10.\nTries: 3\n\nAnswer with integer and nothing else."),
    )
    assert [turn.well_formed for turn in found.turns] == [False, True]
    assert found.turns[1].messages[0].content.startswith("That is no action.")
    assert found.terminated and found.score is not None
    assert (found.score.reward, found.score.success) == (1.0, True)


def test_what_the_server_cuts_is_truncated_and_scored(counter: TextEnv[Any]) -> None:
    task = next(
        t for t in map(counter.tasks.item, ["train"] * 20, range(20)) if t.data["reset"]["seed"] % 10 > 2
    )
    cut = episode(counter, "0", task=task)
    assert (
        cut.truncated
        and not cut.terminated
        and [message.content for message in cut.closing] == ["out of time"]
    )
    assert cut.score is not None and (cut.score.reward, cut.score.success) == (0.25, False)


def test_an_exception_on_the_server_is_no_reward(counter: TextEnv[Any]) -> None:
    task = next(
        t for t in map(counter.tasks.item, ["train"] * 20, range(20)) if t.data["reset"]["seed"] % 10 != 7
    )
    failed = episode(counter, "7", task=task)
    (failure,) = failed.failures
    assert "seven is not to be said" in failure.message and not failure.infrastructure
    assert failed.score is not None and failed.score.reward is None


def test_listed_tasks_are_found_by_split_and_index(walk: TextEnv[Any]) -> None:
    assert [walk.tasks.size(split) for split in ("train", "validation", "test")] == [5, 2, 0]
    assert walk.tasks.item("validation", 1) == Task(
        "validation-1", {"reset": {"split": "dev", "index": 1}}, "validation"
    )
    assert walk.tasks.by_id("train-4") == walk.tasks.item("train", 4)
    for id in ("train-5", "test-0", "train-0-1"):
        with pytest.raises(UsageError, match="no task"):
            walk.tasks.by_id(id)


def test_actions_of_several_fields_are_json_objects(walk: TextEnv[Any]) -> None:
    walked = episode(walk, "I go {away}", '{"direction": "up", "steps": 1}', 'So: {"direction": "south", "steps": 2}.',
                     '{"direction": "north", "steps": 4}', task=walk.tasks.item("train", 1))  # fmt: skip
    opening = walked.turns[0].messages[-1].content
    assert "the goal is at 2" in opening and '"north"' in opening and "'steps': integer" in opening
    assert [turn.well_formed for turn in walked.turns] == [False, False, True, True]
    assert walked.score is not None and walked.score.reward == 1.5 and walked.score.success
    assert walked.turns[3].messages[0].content == "row: -2\nseen: "


def test_a_server_of_one_session_says_what_would_help(walk: TextEnv[Any]) -> None:
    one, two = walk.spawn(), walk.spawn()
    task = walk.tasks.item("train", 0)
    one.start(task, 1)
    with pytest.raises(InfrastructureError, match=r"takes 1 sessions at a time.*max_concurrent_envs"):
        two.start(task, 1)
    one.close()
    assert two.start(task, 1)
    two.close()


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("huge", "is lost"),
        ("long", "70000 characters"),
        ("deep", "RecursionError"),
        ("deep metadata", "more than 32 levels"),
        ("no json", "JSONDecodeError"),
        ("list", "data is list"),
        ("number", "TypeError"),
        ("error", "the server answered"),
        ("silence", "no answer within 2 s"),
        ("leave", "is lost"),
    ],
)
def test_what_a_hostile_server_sends_is_a_failure(said: str, message: str, hostile: TextEnv[Any]) -> None:
    trajectory = episode(hostile, said)
    (failure,) = trajectory.failures
    assert message in failure.message and failure.message.isprintable() and len(failure.message) <= 500
    assert trajectory.score is not None and trajectory.score.reward is None


@pytest.mark.parametrize("said", ["nan", "infinite", "words", "no reward"])
def test_a_reward_that_is_none_is_never_0(said: str, hostile: TextEnv[Any]) -> None:
    trajectory = episode(hostile, said)
    assert trajectory.terminated and not trajectory.failures
    assert (
        trajectory.score is not None and trajectory.score.reward is None and trajectory.score.success is None
    )


def test_what_would_steer_a_terminal_is_written_out(hostile: TextEnv[Any]) -> None:
    trajectory = episode(hostile, "steering")
    assert [message.content for message in trajectory.closing] == ["a\\x1b[2J\\ud800\\x00b"]
    assert trajectory.reward == 1.0
    odd = episode(hostile, "odd metadata")  # "yes" is no True: the episode goes on until our own limit
    assert odd.truncated and odd.reward == 3.0 and odd.turns[0].info["metadata"] == {}


def test_rewards_beyond_the_declared_bounds_are_failures(wordle: str) -> None:
    with made(f"openenv:{wordle}", reward_bounds=[0, 0.001]) as far:
        trajectory = episode(far, "<guess>crane</guess>")
    assert trajectory.reward is None and {failure.kind for failure in trajectory.failures} == {
        "ContractError"
    }
    for bounds in ([1], [2, 1], ["a", "b"]):
        with pytest.raises(UsageError, match="reward_bounds"):
            rftgym.make(f"openenv:{wordle}", reward_bounds=bounds)


def test_tasks_of_the_users_own_are_what_reset_is_called_with(tmp_path: Path, walk: TextEnv[Any]) -> None:
    file = tmp_path / "tasks.jsonl"
    file.write_text('{"id": "far", "reset": {"split": "train", "index": 4}}\n', encoding="utf-8")
    twin = walk.spawn()
    twin.tasks = type(walk).read_tasks(file)
    assert "the goal is at 5" in twin.start(twin.tasks.by_id("far"), 1)[-1].content
    twin.close()


# --------------------------------------------------------------------------------------------- connections, processes


def test_making_one_connects_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a connection")

    with monkeypatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(subprocess, "Popen", refuse)
        far = rftgym.make("openenv:http://127.0.0.1:1", retries=0)
        near = rftgym.make("openenv:no_such_module:app")
    with pytest.raises(InfrastructureError, match=r"127\.0\.0\.1:1"):
        far.tasks.size("train")
    with pytest.raises(UsageError, match="no_such_module"):
        near.tasks.size("train")


@pytest.mark.parametrize("name", ["no-such-package", "ftp://localhost", "what is this", "file:///etc"])
def test_names_that_lead_nowhere_are_refused(name: str) -> None:
    with pytest.raises(UsageError):
        rftgym.make(f"openenv:{name}")


def test_a_mix_leaves_the_server_of_its_part_running(servers: None) -> None:
    with made("openenv:openenv_hostile:hostile,math:1") as mixed:
        part = mixed.parts["openenv:openenv_hostile:hostile"]
        url = part._remote.address.url
        tasks = [task for task in mixed.tasks.sample("train", 4, 0) if not task.id.startswith("math")]
        for _ in range(2):
            played = play(
                mixed,
                ScriptedPolicy(lambda messages, rng: "steering"),
                Sampling(),
                tasks=tasks,
                seeds=range(2),
            )
            assert not any(trajectory.failures for trajectory in played)
        assert part._remote.address.url == url
    assert part._remote.address.url != url
    part.close()


def test_a_missing_package_is_told_with_its_cure() -> None:
    program = (
        "import sys; sys.modules['websockets'] = None; import rftgym\n"
        "rftgym.make('openenv:http://127.0.0.1:1', retries=0)._remote.begin({})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "MissingPackageError" in done.stderr and "pip install 'rftgym[openenv]'" in done.stderr


def test_snapshots_are_refused(counter: TextEnv[Any]) -> None:
    twin = counter.spawn()
    twin.reset(seed=0)
    with pytest.raises(UsageError, match="snapshots"):
        twin.snapshot()
    twin.close()


def test_closing_a_twin_leaves_the_server_and_closing_the_environment_stops_it(servers: None) -> None:
    server = LocalServer("openenv_hostile:hostile")
    url = server.url()
    assert server.url() == url
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))):
        pass
    server.stop()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])))
    server.stop()


def test_a_local_server_ends_with_whoever_started_it(servers: None) -> None:
    program = (
        "import os, signal; from rftgym_openenv.local import LocalServer; s = LocalServer('openenv_hostile:hostile');"
        "print(s.url(), flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    port = int(done.stdout.strip().rpartition(":")[2])
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            return
        time.sleep(0.1)
    pytest.fail("the server outlived its parent")


@contextlib.contextmanager
def answering(handler: Any, **settings: Any) -> Iterator[Address]:
    """A WebSocket server of this process, with the package's own defaults but for the settings."""
    with serve(handler, "127.0.0.1", 0, **settings) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Address(f"http://127.0.0.1:{server.socket.getsockname()[1]}", step_seconds=5)
        server.shutdown()
        thread.join()


OBSERVED = '{"type": "observation", "data": {"observation": {"text": "hello"}}}'


@pytest.mark.slow
def test_pings_are_answered_while_the_policy_thinks() -> None:
    def handle(connection: Any) -> None:
        for _ in connection:
            connection.send(OBSERVED)

    with answering(handle, ping_interval=0.5, ping_timeout=4) as address:
        session = Session(address)
        session.reset({})
        time.sleep(6)
        assert session.step({}).observation == {"text": "hello"}
        session.close()


def test_a_message_in_pieces_is_put_together() -> None:
    def handle(connection: Any) -> None:
        for _ in connection:
            connection.send(iter(["", OBSERVED[:20], OBSERVED[20:]]))

    with answering(handle) as address:
        session = Session(address)
        assert session.reset({}).observation == session.step({}).observation == {"text": "hello"}
        session.close()


@pytest.mark.slow
def test_what_nobody_asked_for_is_not_kept_for_ever() -> None:
    sent = []

    def handle(connection: Any) -> None:
        with contextlib.suppress(Exception):
            while True:
                connection.send("x" * 1_000_000)
                sent.append(1)

    with answering(handle, close_timeout=1) as address:
        session = Session(address)
        time.sleep(5)
        assert len(sent) < 60
        with pytest.raises(InfrastructureError, match="is lost"):
            _ask_often(session)


def _ask_often(session: Session) -> None:
    """Until it is lost; what the messages say is nothing of the protocol."""
    for _ in range(60):
        with contextlib.suppress(ServerError):
            session.step({})


def test_a_process_that_was_forked_looks_after_links_of_its_own(wordle: str) -> None:
    with made(f"openenv:{wordle}") as far:
        here = far.tasks.item("train", 0)
        script = f"""
import os, sys, rftgym
env = rftgym.make("openenv:{wordle}")
task = env.tasks.item("train", 0)
env.start(task, 1)
pid = os.fork()
if pid == 0:
    print(env.spawn().start(task, 1)[-1].content, flush=True)
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == far.start(here, 1)[-1].content


def test_episodes_leave_no_connections_behind(wordle: str) -> None:
    with made(f"openenv:{wordle}") as far:
        tasks = [far.tasks.item("train", index) for index in range(4)]
        for _ in range(3):
            play(far, POLICY, Sampling(), tasks=tasks, seeds=range(4), group_size=4)
        deadline = time.monotonic() + 5
        while (left := _connections(wordle)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not left


def _connections(url: str) -> int:
    port = f":{int(url.rpartition(':')[2]):04X}"
    lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    return sum(line.split()[2].endswith(port) and line.split()[3] == "01" for line in lines)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no-such-env"], "unknown env"),
        (["wordle", "--port", "70000"], "70000"),
        (["wordle", "--max-sessions", "0"], "0"),
        (["wordle", "--host", "999.1.1.1"], "cannot listen"),
    ],
)
def test_exporting_what_cannot_be_is_bad_usage(arguments: list[str], message: str) -> None:
    command = [sys.executable, "-m", "rftgym", "export", "openenv", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_bad_usage() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "rftgym", "export", "openenv", "wordle", "--port", str(port)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "--port" in done.stderr


# -------------------------------------------------------------------------------------------------------------- texts

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


@given(
    st.dictionaries(st.text(max_size=4), JSON, max_size=4), st.text(st.characters(exclude_characters="{}"))
)
def test_the_last_object_of_a_text_is_found_whole(value: dict[str, Any], around: str) -> None:
    import json

    written = json.dumps(value)
    assert last_object(f"{around}{written}{around}") == value
    assert last_object(f'{{"first": {{"a": 1}}}} {around} {{ {written} {around}') == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "}",
        "\x00\x1b[31m",
        "\ud800",
        "{\x27a\x27: 1}",
        '{"a":' * 13_000,
        "{" * 65_536,
        '{"' * 30_000,
        "[" * 65_536,
    ],
)
def test_texts_without_an_object_are_answered_quickly(text: str) -> None:
    started = time.perf_counter()
    assert last_object(text) is None
    assert time.perf_counter() - started < 1


@given(st.text(st.characters(codec=None)))
def test_a_readable_text_steers_nothing_and_an_error_fits_in_a_line(text: str) -> None:
    clean = readable(text)
    assert all(c in "\n\t" or not (ord(c) < 32 or 127 <= ord(c) < 160) for c in clean)
    clean.encode("utf-8")
    assert readable(clean) == clean
    assert "\n" not in shown(text) and len(shown(text)) <= 300
    shown(text).encode("utf-8")


def test_errors_are_of_our_tree() -> None:
    assert issubclass(ServerError, RftgymError)
