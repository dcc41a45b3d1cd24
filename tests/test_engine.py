"""The rollout engine, with environments and policies of the test's own."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rftgym
from rftgym.errors import ContractError, InfrastructureError
from rftgym.parser import Parsed, Parser
from rftgym.policy import Conversations, Policy, Reply, Request
from rftgym.rollout.engine import completion_seed, play, rollout_metrics
from rftgym.scoring import score_trajectories
from rftgym.tasks import ListTaskset
from rftgym.types import Failure, Message, Sampling, Score, Task, Trajectory, Turn

SAMPLING = Sampling(max_tokens=8)
TASKS = [rftgym.Task(f"t{i}", {"turns": i % 4 + 1}) for i in range(12)]


@rftgym.reward(bounds=None)
def length(trajectory: Trajectory) -> float:
    return float(len(trajectory.turns))


class Counting(rftgym.MultiTurnEnv[dict[str, int]]):
    """Ends after as many turns as the task says; repeats a random number of its own every turn."""

    system = "Count."

    def make_tasks(self) -> ListTaskset:
        return ListTaskset(TASKS)

    def make_rubric(self) -> rftgym.Rubric:
        return rftgym.Rubric([length], success="length")

    def begin(self, task: Task, rng: Random) -> tuple[dict[str, int], str]:
        return {"left": task.data["turns"]}, f"start {rng.random()}"

    def respond(self, state: dict[str, int], turn: Turn, rng: Random) -> rftgym.Response:
        state["left"] -= 1
        if turn.completion == "raise":
            raise RuntimeError("the board\n is gone")
        if turn.completion == "flaky":
            raise InfrastructureError("the server is gone")
        return rftgym.Response(f"{rng.random()}", terminated=state["left"] == 0)


class Slow(Counting):
    """Takes wall-clock time that differs from one test to the next."""

    slow = True
    jitter = 0.0

    def respond(self, state: dict[str, int], turn: Turn, rng: Random) -> rftgym.Response:
        time.sleep(self.jitter * random.random())
        return super().respond(state, turn, rng)


class Decoding(Policy):
    """Takes one step a token and tells which rows decoded together. How many tokens depends on the seed only."""

    id = "decoding"

    def __init__(self) -> None:
        self.batches: list[tuple[int, ...]] = []
        self.released: list[int] = []
        self.most_rows = 0
        self.seconds_per_step = 0.0

    def open(self, sampling: Sampling) -> Conversations:
        return _Decoding(self)


class _Decoding(Conversations):
    def __init__(self, policy: Decoding) -> None:
        self.policy = policy
        self.left: dict[int, int] = {}
        self.texts: dict[int, str] = {}
        self.seen: set[int] = set()

    def submit(self, requests: Sequence[Request]) -> None:
        for request in requests:
            assert request.row not in self.left, "a row must have finished its last completion"
            self.left[request.row] = 1 + request.seed % 40
            self.texts[request.row] = f"{request.seed}"
            self.seen.add(request.row)
        self.policy.most_rows = max(self.policy.most_rows, len(self.seen))

    def run(self, steps: int | None = None) -> list[Reply]:
        replies = []
        while self.left and (steps is None or steps > 0):
            self.policy.batches.append(tuple(sorted(self.left)))
            time.sleep(self.policy.seconds_per_step)
            self.left = {row: left - 1 for row, left in self.left.items()}
            for row in [row for row, left in self.left.items() if left == 0]:
                del self.left[row]
                replies.append(Reply(row, self.texts[row], (1, 2), (3,), (-0.5,)))
            steps = None if steps is None else steps - 1
        return sorted(replies, key=lambda reply: reply.row)

    def release(self, rows: Sequence[int]) -> None:
        self.policy.released += rows
        self.seen -= set(rows)


class Answering(Policy):
    """Replies with whatever a function makes of a request."""

    id = "answering"

    def __init__(self, function: Any) -> None:
        self.function = function

    def open(self, sampling: Sampling) -> Conversations:
        policy = self

        class Conversation(Conversations):
            queue: Sequence[Request] = ()

            def submit(self, requests: Sequence[Request]) -> None:
                self.queue = requests

            def run(self, steps: int | None = None) -> list[Reply]:
                return [policy.function(request) for request in self.queue]

        return Conversation()


def echo(messages: Sequence[Message], rng: Random) -> str:
    return f"{len(messages)}:{rng.random()}"


def texts(trajectories: Sequence[Trajectory]) -> list[list[str]]:
    return [[message.content for message in trajectory.messages] for trajectory in trajectories]


def strip(trajectory: Trajectory) -> Trajectory:
    for turn in trajectory.turns:
        turn.seconds = {}
    return trajectory


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 11), min_size=1, max_size=8), st.integers(1, 4), st.integers(0, 2**40))
def test_groups_share_task_and_seed_and_nothing_else(picks: list[int], size: int, seed: int) -> None:
    tasks = [TASKS[pick] for pick in picks]
    seeds = [seed + index for index in range(len(tasks))]
    trajectories = play(
        Counting(),
        rftgym.ScriptedPolicy(echo),
        SAMPLING,
        tasks=tasks,
        seeds=seeds,
        group_size=size,
        label="x",
    )
    assert [t.task for t in trajectories] == [task for task in tasks for _ in range(size)]
    assert [(t.group, t.sample) for t in trajectories] == [
        (f"x/{i}", sample) for i in range(len(tasks)) for sample in range(size)
    ]
    assert [t.seed for t in trajectories] == [seed for seed in seeds for _ in range(size)]
    for trajectory in trajectories:
        assert (trajectory.policy, trajectory.env, trajectory.score) == ("scripted", "Counting", None)
        assert trajectory.terminated
        assert not trajectory.truncated
        assert len(trajectory.turns) == trajectory.task.data["turns"]
        assert set(trajectory.turns[0].seconds) == {"policy", "environment"}
    for first in range(0, len(trajectories), size):
        group = trajectories[first : first + size]
        assert len({t.turns[0].messages for t in group}) == 1  # the environment draws from the episode's seed
        assert len({t.turns[0].completion for t in group}) == size  # the policy from the completion's


def test_policies_see_each_message_once_and_environments_are_alone() -> None:
    seen: list[list[str]] = []

    def watch(messages: Sequence[Message], rng: Random) -> str:
        seen.append([f"{message.role}:{message.content}" for message in messages])
        return f"turn {len(messages)}"

    (alone,) = play(Counting(), rftgym.ScriptedPolicy(watch), SAMPLING, tasks=TASKS[3:4], seeds=[5])
    assert seen[-1] == [f"{m.role}:{m.content}" for m in alone.messages][: len(seen[-1])]
    crowd = play(
        Counting(), rftgym.ScriptedPolicy(watch), SAMPLING, tasks=TASKS, seeds=[5] * 12, group_size=2
    )
    assert texts([alone])[0] == texts(crowd[6:7])[0]


@pytest.mark.parametrize("env", [Counting(), Slow()], ids=["quick", "slow"])
def test_batches_are_cut_between_groups_and_keep_the_order(env: Counting) -> None:
    whole = [strip(t) for t in play(env, Decoding(), SAMPLING, tasks=TASKS, seeds=range(12), group_size=3)]
    policy, progress = Decoding(), []
    policy.max_rows = 7
    cut = play(
        env,
        policy,
        SAMPLING,
        tasks=TASKS,
        seeds=range(12),
        group_size=3,
        on_progress=lambda *pair: progress.append(pair),
    )
    assert policy.most_rows == 6
    assert [strip(t) for t in cut] == whole
    assert sorted(policy.released) == sorted(list(range(6)) * 6)
    assert progress[-1] == (36, 36)
    assert progress == sorted(progress)


def test_a_group_larger_than_a_batch_stays_together() -> None:
    policy = Decoding()
    policy.max_rows = 4
    assert len(play(Counting(), policy, SAMPLING, tasks=TASKS[:2], seeds=[1, 2], group_size=9)) == 18
    assert policy.most_rows == 9


def test_overlap_does_not_depend_on_the_clock() -> None:
    """However long environments and policy take, the same rows decode together."""
    histories = []
    for jitter, per_step in ((0.0, 0.0), (0.02, 0.0), (0.003, 0.0005)):
        policy, env = Decoding(), Slow()
        env.jitter, policy.seconds_per_step = jitter, per_step
        played = play(env, policy, SAMPLING, tasks=TASKS, seeds=range(12), group_size=2)
        histories.append((policy.batches, [strip(t) for t in played]))
    assert histories[0] == histories[1] == histories[2]
    batches = histories[0][0]
    assert any(row not in batches[0] for row in batches[-1]) or len(set(batches)) > 10


def test_slow_environments_step_while_others_decode() -> None:
    policy = Decoding()
    busy, overlaps = threading.Event(), []

    class Watched(Slow):
        def respond(self, state: dict[str, int], turn: Turn, rng: Random) -> rftgym.Response:
            busy.set()
            time.sleep(0.01)
            busy.clear()
            return Counting.respond(self, state, turn, rng)

    class Watching(_Decoding):
        def run(self, steps: int | None = None) -> list[Reply]:
            time.sleep(0.002)
            overlaps.append(busy.is_set())
            return super().run(steps)

    policy.open = lambda sampling: Watching(policy)  # type: ignore[method-assign]
    play(Watched(), policy, SAMPLING, tasks=TASKS, seeds=range(12))
    assert any(overlaps)


def test_slow_and_quick_environments_play_the_same_episodes() -> None:
    quick = play(Counting(), rftgym.ScriptedPolicy(echo), SAMPLING, tasks=TASKS, seeds=range(12))
    slow = play(Slow(), rftgym.ScriptedPolicy(echo), SAMPLING, tasks=TASKS, seeds=range(12))
    assert texts(quick) == texts(slow)


@pytest.mark.parametrize("env", [Counting(), Slow()], ids=["quick", "slow"])
@pytest.mark.parametrize(("word", "infrastructure"), [("raise", False), ("flaky", True)])
def test_an_exception_of_the_environment_ends_its_episode_only(
    env: Counting, word: str, infrastructure: bool
) -> None:
    def function(messages: Sequence[Message], rng: Random) -> str:
        return word if len(messages) == 4 and rng.random() < 0.5 else "fine"

    trajectories = play(env, rftgym.ScriptedPolicy(function), SAMPLING, tasks=TASKS, seeds=range(12))
    broken = [t for t in trajectories if t.failures]
    assert 0 < len(broken) < 9
    for t in trajectories:
        assert (t in broken) == (len(t.turns) > 1 and t.turns[1].completion == word)
        assert t.terminated == (t not in broken)
        assert t.truncated == (t in broken)
    (failure,) = broken[0].failures
    assert (failure.stage, failure.name, failure.infrastructure) == (
        "environment",
        type(env).__name__,
        infrastructure,
    )
    assert failure.message in ("the board is gone", "the server is gone")
    assert broken[0].turns[-1].completion == word
    score_trajectories(env.rubric, trajectories)
    assert all((t.reward is None) == (t in broken) for t in trajectories)
    assert all(t.score == Score(None, None, {"length": None}) for t in broken)


def test_an_environment_that_cannot_start_is_a_failure() -> None:
    class Broken(Counting):
        def begin(self, task: Task, rng: Random) -> tuple[dict[str, int], str]:
            if task.id == "t1":
                raise ConnectionError("no route")
            return super().begin(task, rng)

    trajectories = play(Broken(), rftgym.ScriptedPolicy(echo), SAMPLING, tasks=TASKS[:3], seeds=[1, 2, 3])
    assert [len(t.failures) for t in trajectories] == [0, 1, 0]
    assert trajectories[1].failures == [
        Failure("environment", "Broken", "ConnectionError", "no route", infrastructure=True)
    ]
    assert (trajectories[1].task.id, trajectories[1].seed, trajectories[1].policy) == ("t1", 2, "scripted")
    assert trajectories[1].truncated
    score_trajectories(Broken().rubric, trajectories)
    assert [t.reward for t in trajectories] == [1.0, None, 3.0]


def test_an_environment_that_says_nothing_broke_its_contract() -> None:
    class Silent(Counting):
        def respond(self, state: dict[str, int], turn: Turn, rng: Random) -> rftgym.Response:
            return rftgym.Response("")

    (trajectory,) = play(Silent(), rftgym.ScriptedPolicy(echo), SAMPLING, tasks=TASKS[:1], seeds=[1])
    assert [failure.kind for failure in trajectory.failures] == ["ContractError"]
    assert trajectory.truncated


@pytest.mark.parametrize(
    ("said", "told"),
    [("an owl \ud83e", "said half a character (the lone surrogate U+D83E)"), (5, "said 5, which is no text")],
)
def test_what_no_policy_can_read_is_a_failure_and_no_crash(said: Any, told: str) -> None:
    class Unreadable(Counting):
        def respond(self, state: dict[str, int], turn: Turn, rng: Random) -> rftgym.Response:
            response = super().respond(state, turn, rng)
            return response if response.terminated else rftgym.Response(said)

    trajectories = play(Unreadable(), rftgym.ScriptedPolicy(echo), SAMPLING, tasks=TASKS[:2], seeds=[1, 2])
    assert [t.terminated for t in trajectories] == [True, False]
    assert trajectories[1].failures == [Failure("environment", "Unreadable", "ContractError", told)]


def test_an_environment_that_calls_exit_is_a_failure() -> None:
    class Leaving(Counting):
        def begin(self, task: Task, rng: Random) -> tuple[dict[str, int], str]:
            if task.id == "t0":
                raise SystemExit(3)
            return super().begin(task, rng)

        def respond(self, state: dict[str, int], turn: Turn, rng: Random) -> rftgym.Response:
            raise SystemExit("bye")

    trajectories = play(Leaving(), rftgym.ScriptedPolicy(echo), SAMPLING, tasks=TASKS[:2], seeds=[1, 2])
    assert [t.failures for t in trajectories] == [
        [Failure("environment", "Leaving", "SystemExit", message)] for message in ("3", "bye")
    ]


def test_a_parser_that_raises_is_named() -> None:
    class Picky(Parser):
        def parse(self, completion: str) -> Parsed:
            raise ValueError("unexpected")

    class Parsing(Counting):
        parser = Picky()

    (trajectory,) = play(Parsing(), rftgym.ScriptedPolicy(echo), SAMPLING, tasks=TASKS[:1], seeds=[1])
    assert trajectory.failures == [Failure("parser", "Picky", "ValueError", "unexpected")]
    (turn,) = trajectory.turns
    assert [m.role for m in turn.messages] == ["system", "user"]
    assert (turn.answer, turn.well_formed) == (None, False)


def test_a_failed_completion_is_kept_and_masked() -> None:
    failure = Failure("policy", "answering", "Timeout", "no answer", 3, infrastructure=True)

    def function(request: Request) -> Reply:
        late = request.row == 1 and len(request.messages) == 1
        return Reply(request.row, "half a", failure=failure) if late else Reply(request.row, "fine")

    trajectories = play(Counting(), Answering(function), SAMPLING, tasks=TASKS[1:4], seeds=[1, 2, 3])
    broken = trajectories[1]
    assert [t.failures for t in trajectories] == [[], [failure], []]
    assert [turn.stop_reason for turn in broken.turns] == ["eos", "error"]
    assert broken.turns[-1].completion == "half a"
    assert [m.role for m in broken.turns[-1].messages] == ["user"]
    score_trajectories(Counting().rubric, trajectories)
    assert [t.reward for t in trajectories] == [2.0, None, 4.0]


def test_a_full_context_truncates_the_episode() -> None:
    def cut(request: Request) -> Reply:
        return Reply(request.row, "half", (1,), (2,), (-1.0,), "context")

    (trajectory,) = play(Counting(), Answering(cut), SAMPLING, tasks=TASKS[3:4], seeds=[1])
    assert (trajectory.truncated, trajectory.failures, len(trajectory.turns)) == (True, [], 1)
    assert len(trajectory.closing) == 1
    (trajectory,) = play(Counting(), Answering(cut), SAMPLING, tasks=TASKS[0:1], seeds=[1])
    assert (trajectory.terminated, trajectory.truncated) == (True, False)

    def full(request: Request) -> Reply:
        room = len(request.messages) == 2
        return (
            Reply(request.row, "fine", (1,), (2,)) if room else Reply(request.row, "", stop_reason="context")
        )

    (trajectory,) = play(Counting(), Answering(full), SAMPLING, tasks=TASKS[3:4], seeds=[1])
    assert (trajectory.truncated, trajectory.failures, len(trajectory.turns)) == (True, [], 1)
    assert [m.role for m in trajectory.closing] == ["user"]


def test_a_first_prompt_without_room_is_a_failure() -> None:
    never = Answering(lambda request: Reply(request.row, "", stop_reason="context"))
    (trajectory,) = play(Counting(), never, SAMPLING, tasks=TASKS[:1], seeds=[1])
    assert [(f.stage, f.kind) for f in trajectory.failures] == [("policy", "ContextOverflow")]
    assert trajectory.turns == []


def test_a_policy_that_breaks_its_contract_is_told_so() -> None:
    with pytest.raises(ContractError, match=r"policy 'answering': run\(None\) answered rows \[99\]"):
        play(Counting(), Answering(lambda r: Reply(99, "x")), SAMPLING, tasks=TASKS[:1], seeds=[1])

    class Mute(Decoding):
        def open(self, sampling: Sampling) -> Conversations:
            conversations = _Decoding(self)
            conversations.run = lambda steps=None: []  # type: ignore[method-assign]
            return conversations

    with pytest.raises(ContractError, match="gave no reply"):
        play(Counting(), Mute(), SAMPLING, tasks=TASKS[:1], seeds=[1])


def test_a_policy_may_hand_out_replies_as_they_come() -> None:
    class Eager(Decoding):
        def open(self, sampling: Sampling) -> Conversations:
            conversations = _Decoding(self)
            whole = conversations.run
            kept: list[Reply] = []

            def run(steps: int | None = None) -> list[Reply]:
                kept.extend(whole(steps))
                return [kept.pop()]

            conversations.run = run  # type: ignore[method-assign]
            return conversations

    trajectories = play(Counting(), Eager(), SAMPLING, tasks=TASKS, seeds=range(12))
    assert all(len(t.turns) == t.task.data["turns"] and t.terminated for t in trajectories)


@pytest.mark.parametrize("env", [Counting(), Slow()], ids=["quick", "slow"])
def test_ctrl_c_passes(env: Counting) -> None:
    def interrupted(messages: Sequence[Message], rng: Random) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        play(env, rftgym.ScriptedPolicy(interrupted), SAMPLING, tasks=TASKS, seeds=range(12))


def test_environments_are_closed_and_one_that_cannot_be_is_a_failure() -> None:
    closed = []

    class Closing(Counting):
        def close(self) -> None:
            closed.append(self.trajectory.task.id)
            if len(closed) == 2:
                raise OSError("still in use")

    trajectories = play(Closing(), rftgym.ScriptedPolicy(echo), SAMPLING, tasks=TASKS[:4], seeds=range(4))
    assert closed == ["t0", "t1", "t2", "t3"]
    assert [[f.kind for f in t.failures] for t in trajectories] == [[], ["OSError"], [], []]
    assert all(t.terminated and not t.truncated for t in trajectories)


def test_what_does_not_fit_together_is_refused() -> None:
    policy = rftgym.ScriptedPolicy(echo)
    with pytest.raises(ValueError, match="2 tasks, 1 seeds"):
        play(Counting(), policy, SAMPLING, tasks=TASKS[:2], seeds=[1])
    with pytest.raises(ValueError, match="groups of 0"):
        play(Counting(), policy, SAMPLING, tasks=TASKS[:1], seeds=[1], group_size=0)
    assert play(Counting(), policy, SAMPLING, tasks=[], seeds=[]) == []


def test_completion_seeds_are_what_they_were() -> None:
    """Golden: a change here would change every run."""
    assert completion_seed(0, 0, 0) == 6436203349130839549
    assert completion_seed(2**40, 7, 3) == 6937316889013971340
    seeds = {completion_seed(s, g, t) for s in range(12) for g in range(12) for t in range(12)}
    assert len(seeds) == 12**3


def test_global_generators_are_left_alone() -> None:
    before = random.getstate()
    play(Counting(), rftgym.ScriptedPolicy(echo), SAMPLING, tasks=TASKS, seeds=range(12), group_size=2)
    assert random.getstate() == before


def scored(group: str, reward: float | None, **changes: Any) -> Trajectory:
    turn = Turn(
        (), "x", completion_ids=(1, 2), stop_reason="stop", seconds={"policy": 2.0, "environment": 1.0}
    )
    trajectory = Trajectory("e", TASKS[0], 0, group, turns=[turn], **changes)
    trajectory.score = Score(reward, None if reward is None else reward > 0, {"a": reward, "b": None})
    return trajectory


def test_metrics_of_a_batch() -> None:
    failure = Failure("reward", "a", "ValueError", "x")
    metrics = rollout_metrics(
        [
            scored("0", 1.0),
            scored("0", 1.0),
            scored("1", 0.0, truncated=True),
            scored("1", 4.0),
            scored("2", None, failures=[failure, failure]),
            scored("2", 2.0),
        ]
    )
    assert metrics == {
        "episodes": 6,
        "unscored": pytest.approx(1 / 6),
        "turns": 1,
        "tokens": 12,
        "tokens/completion": 2,
        "truncated": pytest.approx(1 / 6),
        "reward/mean": pytest.approx(1.6),
        "reward/std": pytest.approx(1.84**0.5),
        "success/mean": pytest.approx(0.8),
        "component/a": pytest.approx(1.6),
        "groups/zero_spread": pytest.approx(1 / 3),
        "groups/unscored": pytest.approx(1 / 3),
        "failures/environment": 0,
        "failures/policy": 0,
        "failures/parser": 0,
        "failures/reward": 2,
        "stop/stop": 1,
        "seconds/policy": 2,
        "seconds/environment": 1,
    }


def test_metrics_without_scores_hold_no_nan() -> None:
    metrics = rollout_metrics([scored("0", None), Trajectory("e", TASKS[0], 0, "0")])
    assert metrics["unscored"] == 1
    assert not {"reward/mean", "success/mean", "component/a"} & set(metrics)
    assert all(value == value for value in metrics.values())
    assert rollout_metrics([]) == {}
