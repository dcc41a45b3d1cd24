"""Scoring in batches, and scoring saved answers."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rftgym
from rftgym.errors import InfrastructureError, RunFailed, UsageError
from rftgym.rubric import Component
from rftgym.scoring import check_error_share, score, score_trajectories
from rftgym.tasks import ListTaskset
from rftgym.types import Failure, Score, Task, Trajectory, Turn


def episode(*completions: str, task: str = "t", sample: int = 0) -> Trajectory:
    turns = [Turn((), completion, answer=completion) for completion in completions]
    return Trajectory("e", Task(task, {}), 3, sample=sample, turns=turns, terminated=True)


def component(function: Callable[..., Any], name: str = "c", **attributes: Any) -> Component:
    return Component(name, function, **{"bounds": None, **attributes})


def scored(only: Component, trajectories: Sequence[Trajectory], **options: Any) -> list[float | None]:
    score_trajectories(rftgym.Rubric([only], success=only.name), trajectories, **options)
    return [trajectory.reward for trajectory in trajectories]


def number(completion: str) -> float | None:
    """Misbehaves where the completion says so."""
    if completion == "raise":
        raise ValueError("no number")
    if completion == "nan":
        return float("nan")
    return None if completion == "none" else float(completion)


async def later(completion: str) -> float | None:
    await asyncio.sleep(0)
    return number(completion)


# ---- the same scores as Rubric.score

WORDS = st.sampled_from(["0", "1", "2", "-1", "none", "raise", "nan"])
EPISODES = st.lists(st.lists(WORDS, min_size=1, max_size=4), min_size=1, max_size=6)


def drawn(completion: str, rng: Random) -> float:
    return rng.random()


COMPONENTS = st.builds(
    component,
    st.sampled_from([number, later, drawn]),
    weight=st.sampled_from([0.0, 1.0, -0.5]),
    per=st.sampled_from(["turn", "trajectory"]),
    reduce=st.sampled_from(["sum", "mean", "last", "min", "max"]),
)


@st.composite
def rubrics(draw: st.DrawFn) -> rftgym.Rubric:
    parts: list[Component] = []
    for index, part in enumerate(draw(st.lists(COMPONENTS, min_size=1, max_size=3))):
        needs = draw(st.sets(st.sampled_from([p.name for p in parts]))) if parts else set()
        fields = {
            "weight": part.weight,
            "per": part.per,
            "reduce": part.reduce,
            "needs": tuple(sorted(needs)),
        }
        parts.append(component(part.function, f"c{index}", **fields))
    clip = draw(st.sampled_from([None, (-1.0, 1.0)]))
    return rftgym.Rubric(parts, success=draw(st.sampled_from(parts)).name, clip=clip)


@settings(deadline=None, max_examples=150)
@given(rubrics(), EPISODES)
def test_a_batch_is_scored_as_each_alone(rubric: rftgym.Rubric, episodes: list[list[str]]) -> None:
    together = [episode(*words, sample=i) for i, words in enumerate(episodes)]
    alone = [episode(*words, sample=i) for i, words in enumerate(episodes)]
    score_trajectories(rubric, together)
    for trajectory in alone:
        rubric.score(trajectory)
    assert together == alone


def test_values_that_step_paid_out_are_kept() -> None:
    calls = []

    def count(completion: str) -> float:
        calls.append(completion)
        return 1.0

    trajectory = episode("a", "b")
    trajectory.turns[0].rewards["c"] = 5.0
    assert scored(component(count, per="turn"), [trajectory]) == [6.0]
    assert calls == ["b"]


def test_components_run_in_order_over_the_batch_and_gates_spare_calls() -> None:
    calls: list[str] = []

    def gate(completion: str) -> float:
        calls.append(f"gate {completion}")
        return number(completion) or 0.0

    def dear(completion: str) -> float:
        calls.append(f"dear {completion}")
        return 1.0

    rubric = rftgym.Rubric(
        [component(gate, "gate"), component(dear, "dear", needs=("gate",))], success="dear"
    )
    batch = [episode("0"), episode("1"), episode("raise")]
    score_trajectories(rubric, batch)
    assert calls == ["gate 0", "gate 1", "gate raise", "dear 1"]
    assert [t.reward for t in batch] == [0.0, 2.0, None]
    assert batch[2].score == Score(None, None, {"gate": None, "dear": None})


@pytest.mark.parametrize("stage", ["environment", "policy", "parser"])
def test_half_an_episode_is_not_judged(stage: Any) -> None:
    called = []
    broken = episode("1")
    broken.failures.append(Failure(stage, "x", "ValueError", "y"))
    only = component(lambda completion: called.append(completion) or 1.0)
    assert scored(only, [broken, episode("2")]) == [None, 1.0]
    assert called == ["2"]
    assert broken.score == Score(None, None, {"c": None})


def test_an_episode_without_turns_has_no_score() -> None:
    assert scored(component(number), [episode()]) == [None]
    assert scored(component(number, per="turn"), [episode()]) == [None]


# ---- what goes wrong becomes data


@pytest.mark.parametrize("function", [number, later])
def test_exceptions_and_nan_are_recorded_and_never_zero(function: Callable[..., Any]) -> None:
    batch = [episode("raise"), episode("nan"), episode("none"), episode("2")]
    assert scored(component(function), batch) == [None, None, None, 2.0]
    assert [[(f.stage, f.name, f.kind) for f in t.failures] for t in batch] == [
        [("reward", "c", "ValueError")],
        [("reward", "c", "ContractError")],
        [],
        [],
    ]


def test_a_reward_that_exits_does_not_take_the_run_with_it() -> None:
    def leave(completion: str) -> float:
        sys.exit(3)

    async def leave_later(completion: str) -> float:
        sys.exit(3)

    for function in (leave, leave_later):
        batch = [episode("a"), episode("b")]
        assert scored(component(function), batch) == [None, None]
        assert [f.kind for t in batch for f in t.failures] == ["SystemExit"] * 2


def test_a_call_whose_error_is_no_exception_is_recorded_and_not_made_for_ever() -> None:
    calls: list[str] = []

    def cancelled(completion: str) -> float:
        calls.append(completion)
        raise asyncio.CancelledError("gone")

    batch = [episode("1"), episode("2", sample=1)]
    score_trajectories(rftgym.Rubric([component(cancelled, "cancelled")], success="cancelled"), batch)
    assert calls == ["1", "2"]
    assert [(f.kind, f.message) for t in batch for f in t.failures] == [("CancelledError", "gone")] * 2


def test_a_rubric_that_cannot_be_composed_is_recorded() -> None:
    class Odd(rftgym.Rubric):
        def compose(self, values: Any) -> Score:
            raise ZeroDivisionError("0 ** -1")

    only = component(number)
    trajectory = episode("1")
    score_trajectories(Odd([only], success="c"), [trajectory])
    assert trajectory.reward is None
    assert [f.kind for f in trajectory.failures] == ["ZeroDivisionError"]


@pytest.mark.parametrize("fault", [InfrastructureError, ConnectionError])
@pytest.mark.parametrize("is_async", [False, True])
def test_infrastructure_faults_are_tried_again(fault: type[Exception], is_async: bool) -> None:
    attempts: dict[str, int] = {}

    def flaky(completion: str) -> float:
        attempts[completion] = attempts.get(completion, 0) + 1
        if attempts[completion] <= int(completion):
            raise fault("try again")
        return float(attempts[completion])

    async def flaky_later(completion: str) -> float:
        return flaky(completion)

    batch = [episode("0"), episode("2"), episode("3")]
    only = component(flaky_later if is_async else flaky, retries=2)
    assert scored(only, batch) == [1.0, 3.0, None]
    assert [len(t.failures) for t in batch] == [0, 0, 1]
    (failure,) = batch[2].failures
    assert (failure.kind, failure.attempts, failure.infrastructure) == (fault.__name__, 3, True)


# ---- timeouts


def test_a_call_that_hangs_is_left_behind_and_the_rest_goes_on() -> None:
    seen: list[int] = []

    def hang(completion: str) -> float:
        seen.append(threading.get_ident())
        if completion == "hang":
            while True:
                pass
        return 1.0

    batch = [episode("a"), episode("hang"), episode("b"), episode("hang"), episode("c")]
    started = time.monotonic()
    assert scored(component(hang, timeout_seconds=0.5), batch) == [1.0, None, 1.0, None, 1.0]
    assert time.monotonic() - started < 20
    assert [[(f.kind, f.message) for f in t.failures] for t in batch[1:3]] == [
        [("Timeout", "no value within 0.5 s")],
        [],
    ]
    assert len(seen) == 5
    assert threading.get_ident() not in seen
    deadline = time.monotonic() + 10  # loops in Python do not burn on for the rest of the run
    while any(t.name == "rftgym-reward-c" for t in threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not [t for t in threading.enumerate() if t.name == "rftgym-reward-c"]


def test_a_late_value_does_not_count() -> None:
    batch = [episode("1.2"), episode("0")]

    def nap(completion: str) -> float:
        time.sleep(float(completion))
        return 1.0

    assert scored(component(nap, timeout_seconds=0.5), batch) == [None, 1.0]
    time.sleep(1.0)
    assert [t.reward for t in batch] == [None, 1.0]
    assert [len(t.failures) for t in batch] == [1, 0]


def test_the_timeout_is_of_one_call_and_of_one_attempt() -> None:
    def nap(completion: str) -> float:
        time.sleep(0.3)
        return 1.0

    assert scored(component(nap, timeout_seconds=1.0), [episode("x") for _ in range(4)]) == [1.0] * 4
    attempts = []

    def flaky(completion: str) -> float:
        attempts.append(1)
        time.sleep(0.4)
        if len(attempts) < 3:
            raise InfrastructureError("again")
        return 1.0

    assert scored(component(flaky, timeout_seconds=1.0), [episode("x")]) == [1.0]


def test_an_async_call_that_waits_too_long_is_tried_once_more() -> None:
    calls: dict[str, int] = {}

    async def wait(completion: str) -> float:
        calls[completion] = calls.get(completion, 0) + 1
        if completion == "always" or (completion == "first" and calls[completion] == 1):
            await asyncio.sleep(60)
        return 1.0

    batch = [episode("always"), episode("first"), episode("never")]
    assert scored(component(wait, timeout_seconds=0.5), batch) == [None, 1.0, 1.0]
    assert calls == {"always": 2, "first": 2, "never": 1}
    (failure,) = batch[0].failures
    assert (failure.kind, failure.attempts, failure.infrastructure) == ("Timeout", 2, True)


def test_an_async_call_that_cannot_be_cancelled_is_left_behind() -> None:
    async def stubborn(completion: str) -> float:
        for _ in range(40):
            try:
                await asyncio.sleep(0.05)
            except asyncio.CancelledError:
                continue
        return 1.0

    started = time.monotonic()
    assert scored(component(stubborn, timeout_seconds=0.1, retries=0), [episode("x")]) == [None]
    assert time.monotonic() - started < 1.8


def test_an_async_call_that_blocks_the_loop_is_found_out() -> None:
    async def block(completion: str) -> float:
        await asyncio.sleep(0)
        if completion == "block":
            time.sleep(5)
        return 1.0

    batch = [episode("a"), episode("block"), *(episode(f"{i}") for i in range(20))]
    started = time.monotonic()
    assert scored(component(block, timeout_seconds=0.5), batch, concurrency=4) == [1.0, None] + [1.0] * 20
    assert time.monotonic() - started < 4.5
    assert batch[1].failures[0].kind == "Timeout"
    assert "the event loop stood still" in batch[1].failures[0].message
    assert scored(component(later), [episode("3")]) == [3.0]  # and the next batch has a loop again


def test_a_reward_that_stops_the_loop_is_survived() -> None:
    async def stop(completion: str) -> float:
        if completion == "stop":
            asyncio.get_running_loop().stop()
        await asyncio.sleep(0.01)
        return 1.0

    batch = [episode("a"), episode("stop"), episode("b")]
    assert scored(component(stop, timeout_seconds=0.5), batch, concurrency=1) == [1.0, None, 1.0]
    assert [[f.kind for f in t.failures] for t in batch] == [[], ["Timeout"], []]


@pytest.mark.parametrize("is_async", [False, True])
def test_a_judge_that_is_down_does_not_take_hours(is_async: bool) -> None:
    async def wait(completion: str) -> float:
        await asyncio.sleep(60)
        return 1.0

    def hang(completion: str) -> float:
        while True:
            pass

    batch = [episode("x") for _ in range(200)]
    started = time.monotonic()
    only = component(wait if is_async else hang, timeout_seconds=0.05, retries=0)
    assert scored(only, batch, concurrency=4) == [None] * 200
    assert time.monotonic() - started < 60
    assert all([f.kind for f in t.failures] == ["Timeout"] for t in batch)
    assert "not tried" in batch[-1].failures[0].message
    assert sum("not tried" in t.failures[0].message for t in batch) > 180


def test_async_calls_run_side_by_side_up_to_the_limit() -> None:
    running, most = set(), []

    async def judge(completion: str) -> float:
        running.add(completion)
        most.append(len(running))
        await asyncio.sleep(0.2)
        running.discard(completion)
        return 1.0

    batch = [episode(f"{i}") for i in range(24)]
    started = time.monotonic()
    assert scored(component(judge), batch, concurrency=8) == [1.0] * 24
    assert max(most) == 8
    assert time.monotonic() - started < 4


def test_async_components_share_one_loop_also_where_the_caller_runs_one() -> None:
    loops = []

    async def where(completion: str) -> float:
        loops.append(asyncio.get_running_loop())
        return 1.0

    async def notebook() -> list[float | None]:
        return scored(component(where), [episode("x")])

    assert scored(component(where), [episode("x")]) == [1.0]
    assert asyncio.run(notebook()) == [1.0]
    assert loops[0] is loops[1]


def test_ctrl_c_gets_through_to_the_caller() -> None:
    """In a process of its own: the signal goes to the main thread while a reward runs in another."""
    code = """
import os, signal, threading, time, rftgym
from rftgym.scoring import score_trajectories
from rftgym.types import Task, Trajectory, Turn
def slow(completion):
    time.sleep(30)
    return 1.0
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell has it ignored
rubric = rftgym.Rubric([rftgym.Component("slow", slow)], success="slow")
threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    score_trajectories(rubric, [Trajectory("e", Task("t", {}), 0, turns=[Turn((), "x")])])
except KeyboardInterrupt:
    print("interrupted")
"""
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "interrupted\n", done.stderr
    assert time.monotonic() - started < 25


def test_a_fork_gets_an_event_loop_of_its_own() -> None:
    code = """
import os, rftgym
from rftgym.scoring import score_trajectories
from rftgym.types import Task, Trajectory, Turn
async def one(completion):
    return 1.0
rubric = rftgym.Rubric([rftgym.Component("one", one)], success="one")
def go():
    trajectory = Trajectory("e", Task("t", {}), 0, turns=[Turn((), "x")])
    score_trajectories(rubric, [trajectory])
    return trajectory.reward
assert go() == 1.0
child = os.fork()
if child == 0:
    os._exit(0 if go() == 1.0 else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert go() == 1.0
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], timeout=60, check=True)


# ---- the share of errors


def broken(count: int, of: int, failures: Sequence[Failure]) -> list[Trajectory]:
    batch = [episode("1") for _ in range(of)]
    for index, trajectory in enumerate(batch):
        trajectory.score = Score(1.0, True, {})
        if index < count:
            trajectory.score = Score(None, None, {})
            trajectory.failures = list(failures)
    return batch


def test_a_run_with_too_many_errors_says_where_why_and_the_cure() -> None:
    failures = [Failure("reward", "judge", "KeyError", "'grade'")]
    check_error_share(broken(2, 20, failures), 0.1, where="step 3")
    check_error_share([], 0.0, where="step 3")
    with pytest.raises(RunFailed) as caught:
        check_error_share(broken(3, 20, failures), 0.1, where="step 3")
    message = str(caught.value)
    for part in (
        "step 3",
        "3 of 20",
        "10%",
        "reward 'judge': 3",
        "KeyError: 'grade'",
        "Mend the reward",
        "max_error_share",
    ):
        assert part in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("failures", "cure"),
    [
        ([], "See which tasks the rewards leave unscored"),
        ([Failure("reward", "r", "Timeout", "no value within 30 s")], "timeout_seconds"),
        ([Failure("environment", "e", "OSError", "gone")], "Mend the environment"),
        ([Failure("policy", "p", "ConnectError", "refused")], "See that the model"),
        ([Failure("parser", "P", "ValueError", "x")], "Mend the parser"),
    ],
)
def test_every_stage_has_its_cure(failures: list[Failure], cure: str) -> None:
    with pytest.raises(RunFailed, match=cure):
        check_error_share(broken(1, 1, failures), 0.5, where="step 1")


# ---- saved answers


class SumRow(rftgym.TaskRow):
    """Numbers to add, one a turn."""

    numbers: list[int]


class Sums(rftgym.MultiTurnEnv[int]):
    """Say the running sum after every number."""

    task_row = SumRow
    max_turns = 3

    def make_tasks(self) -> ListTaskset:
        return ListTaskset([Task("two", {"numbers": [1, 2]}), Task("three", {"numbers": [1, 2, 3]})])

    def make_rubric(self) -> rftgym.Rubric:
        return rftgym.Rubric(
            [
                Component("right", lambda turn: float(turn.info["right"]), per="turn", reduce="mean"),
                Component("whole", lambda trajectory: float(trajectory.terminated), weight=0.5),
                Component("even", lambda completion: float(int(completion) % 2 == 0), weight=0.0),
            ],
            success="right",
        )

    def begin(self, task: Task, rng: Random) -> tuple[int, str]:
        return 0, str(task.data["numbers"][0])

    def respond(self, state: int, turn: Turn, rng: Random) -> rftgym.Response:
        if turn.completion == "boom":
            raise RuntimeError("board broken")
        numbers = self.trajectory.task.data["numbers"]
        said = len(self.trajectory.turns)
        info = {"right": turn.completion == str(sum(numbers[:said]))}
        return rftgym.Response("next", terminated=said == len(numbers), info=info)


class SlowSums(Sums):
    """The same, in threads."""

    slow = True


@pytest.mark.parametrize("env", [Sums(), SlowSums()], ids=["quick", "slow"])
def test_saved_answers_are_replayed(env: Sums) -> None:
    rows = [
        {"task": "two", "completions": ["1", "3"], "note": "kept"},
        {"task": "three", "completions": ["1", "9"]},
        {"task": "two", "completions": ["1", "3", "6"]},
        {"task": "two", "completion": "boom"},
        {"task": "two", "completions": ["1", "x"]},
    ]
    results = score(env, rows)
    assert [{k: result[k] for k in row} for row, result in zip(rows, results, strict=True)] == rows
    assert results[0] == {
        **rows[0],
        "reward": 1.5,
        "success": True,
        "components": {"right": 1.0, "whole": 1.0, "even": 0.0},
        "error": None,
    }
    assert (results[1]["reward"], results[1]["success"], results[1]["error"]) == (0.5, False, None)
    assert (results[2]["reward"], results[2]["components"]) == (
        None,
        {"right": None, "whole": None, "even": None},
    )
    assert results[2]["error"] == "the episode ended after 2 of 3 completions"
    assert (results[3]["reward"], results[3]["success"]) == (None, None)
    assert results[3]["error"] == f"environment '{type(env).__name__}': RuntimeError: board broken"
    assert results[4]["reward"] == 1.0  # right once of two, and whole; the metric that failed weighs nothing
    assert results[4]["components"]["even"] is None
    assert results[4]["error"].startswith("reward 'even': ValueError: ")


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def write(path: Path, lines: Sequence[Any]) -> Path:
    path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    return path


def test_files_in_and_out(tmp_path: Path) -> None:
    file = write(
        tmp_path / "in.jsonl",
        [{"task": "two", "completion": "1 \ud800"}, "", {"task": "two", "completion": "1"}],
    )
    out = tmp_path / "out.jsonl"
    results = score(Sums(), file, out=out)
    assert [json.loads(line) for line in out.read_text().splitlines()] == results
    assert [result["reward"] for result in results] == [0.0, 1.0]
    assert names(tmp_path) == ["in.jsonl", "out.jsonl"]


def test_tasks_of_the_users_own(tmp_path: Path) -> None:
    tasks = write(tmp_path / "tasks.jsonl", [{"id": "mine", "numbers": [7]}])
    env = Sums()
    (result,) = score(env, [{"task": "mine", "completion": "7"}], tasks=tasks)
    assert result["reward"] == 1.5
    assert env.tasks.by_id("two").id == "two"  # the caller's environment is as it was
    with pytest.raises(UsageError, match=r"row 0: .*'two'"):
        score(env, [{"task": "two", "completion": "1"}], tasks=tasks)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ({"task": "for", "completion": "1"}, "no task 'for'"),
        ({"task": 3, "completion": "1"}, "under 'task'"),
        ({"completion": "1"}, "under 'task'"),
        ({"task": "two"}, "either 'completion'"),
        ({"task": "two", "completion": "1", "completions": ["1"]}, "either 'completion'"),
        ({"task": "two", "completion": 1}, "'completion' must be text, not 1"),
        ({"task": "two", "completion": None}, "'completion' must be text, not None"),
        ({"task": "two", "completions": "1"}, "'completions' must be a list"),
        ({"task": "two", "completions": []}, "'completions' must be a list"),
        ({"task": "two", "completions": ["1", 2]}, "'completions' must be a list"),
        ('{"task": "two", "completion": "1", "x": NaN}', "JSON"),
        ("[1]", "expected a JSON object"),
        ("{", "not JSON"),
    ],
)
def test_a_bad_line_is_named_before_anything_is_scored(tmp_path: Path, line: Any, what: str) -> None:
    class Untouched(Sums):
        def begin(self, task: Task, rng: Random) -> tuple[int, str]:
            raise AssertionError("scored before the file was checked")

    file = write(tmp_path / "in.jsonl", [{"task": "two", "completion": "1"}, line])
    out = tmp_path / "out.jsonl"
    with pytest.raises(UsageError, match=r"in\.jsonl, line 2: ") as caught:
        score(Untouched(), file, out=out)
    assert what in str(caught.value)
    assert names(tmp_path) == ["in.jsonl"]


def test_an_output_that_cannot_be_written_is_found_out_first(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write"):
        score(Sums(), [{"task": "two", "completion": "1"}], out=tmp_path / "no" / "out.jsonl")


def test_an_interrupted_scoring_leaves_the_old_output(tmp_path: Path) -> None:
    class Interrupted(Sums):
        def begin(self, task: Task, rng: Random) -> tuple[int, str]:
            raise KeyboardInterrupt

    out = tmp_path / "out.jsonl"
    out.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        score(Interrupted(), [{"task": "two", "completion": "1"}], out=out)
    assert names(tmp_path) == ["out.jsonl"]
    assert out.read_text() == "old"


def test_many_answers_are_scored_in_chunks_and_keep_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    from rftgym.scoring import answers

    monkeypatch.setattr(answers, "CHUNK", 7)
    rows = [{"task": "two", "completions": ["1", str(i)], "index": i} for i in range(40)]
    results = score(Sums(), rows)
    assert [result["index"] for result in results] == list(range(40))
    assert [result["components"]["even"] for result in results] == [float(i % 2 == 0) for i in range(40)]
