"""Every registered environment keeps the contract, and the checker finds each breach of it."""

from __future__ import annotations

import json
import math
import os
import random
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

import rftgym
from rftgym import Component, Message, MultiTurnEnv, Response, Rubric, SingleTurnEnv, Task, TextEnv, Turn
from rftgym.errors import ContractError, UsageError
from rftgym.registry import installed
from rftgym.tasks import ListTaskset, Taskset
from rftgym.testing import check_env, task_digest

GOLDEN = Path(__file__).with_name("golden") / "task_ids.json"
COMPLETIONS = {
    "wordle": [f"<guess>{word}</guess>" for word in ("crane", "slate", "ABOUT", "aahed", "fuzzy", "zzzzz")],
    "dataset": ["55", "A", "the answer is 146"],
    "math": ["<work>1+1=2</work><answer>2</answer>", "<answer>-3/4</answer>", "42"],
    "chess": ["<move>e4</move>", "<move>e2e4</move>", "Nf3"],
    "chess-play": ["<move>e4</move>", "<move>e2e4</move>", "resign"],
    "code": ["```python\ndef f(x):\n    return x\n```", "def f(x): return x"],
    "diagnosis": ["<ask>glow</ask>", "<diagnosis>x: 0.8</diagnosis>", "?"],
    "sql": ["```sql\nSELECT 1\n```", "SELECT name FROM customers"],
    "tool-use": [
        '<tool>{"name": "calculator", "arguments": {"expression": "1+1"}}</tool>',
        "<answer>2</answer>",
        "<tool>{</tool>",
    ],
    "transpile-java-python": ["```python\ndef f(n):\n    return n\n```"],
}


@pytest.mark.parametrize("id", installed().environments())
def test_a_registered_environment_keeps_the_contract(id: str) -> None:
    check_env(id, completions=COMPLETIONS.get(id, []))


@pytest.mark.parametrize("id", installed().environments())
def test_task_ids_are_those_of_the_last_release(id: str) -> None:
    """A task's id is what results are compared by: where this fails, results of releases can't be compared any more."""
    golden = json.loads(GOLDEN.read_text())
    assert task_digest(rftgym.make(id).tasks) == golden.get(id), (
        f"add or change {id!r} in {GOLDEN.name} if this is meant"
    )


# ---- the checker's own tests: one breach each


class Sums(MultiTurnEnv[list[str]]):
    """Keeps the contract: say the sum, three tries."""

    max_turns = 3

    def make_tasks(self) -> Taskset:
        return ListTaskset(
            Task(f"{a}+{b}", {"a": a, "b": b}, split)
            for split, top in (("train", 5), ("validation", 7), ("test", 9))
            for a in range(top - 2, top)
            for b in range(4)
        )

    def make_rubric(self) -> Rubric:
        return Rubric([Component("right", right)], success="right")

    def begin(self, task: Task, rng: Random) -> tuple[list[str], str]:
        return [], f"{task.data['a']} + {task.data['b']}? ({rng.random()})"

    def respond(self, state: list[str], turn: Turn, rng: Random) -> Response:
        state.append(turn.completion[:10])
        return Response(f"no, tries: {state} ({rng.random()})", info={"tries": len(state)})


def right(completion: str) -> float:
    return float(completion == "4")


def test_an_environment_that_keeps_the_contract() -> None:
    check_env(Sums())


def test_a_single_turn_one_too() -> None:
    class Once(SingleTurnEnv):
        def make_tasks(self) -> Taskset:
            return Sums.make_tasks(self)  # type: ignore[arg-type]

        def make_rubric(self) -> Rubric:
            return Sums.make_rubric(self)  # type: ignore[arg-type]

        def prompt(self, task: Task) -> str:
            return f"{task.data['a']} + {task.data['b']}?"

    check_env(Once())


class TestEpisodesWithoutDraws:
    class Fixed(Sums):
        """Draws nothing and says so."""

        draws = False

        def begin(self, task: Task, rng: Random) -> tuple[list[str], str]:
            return [], f"{task.data['a']} + {task.data['b']}?"

        def respond(self, state: list[str], turn: Turn, rng: Random) -> Response:
            state.append(turn.completion)
            return Response("no", info={"tries": len(state)})

    def test_the_contract_is_kept_and_snapshots_stay_possible(self) -> None:
        check_env(self.Fixed())
        env = self.Fixed()
        env.reset(seed=3)
        kept = env.snapshot()
        once = [env.step("5")[:4] for _ in range(2)]
        env.restore(kept)
        assert [env.step("5")[:4] for _ in range(2)] == once

    @pytest.mark.parametrize(
        "draw", [lambda rng: rng.random(), lambda rng: rng.randrange(7), lambda rng: rng.sample("abc", 2)]
    )
    def test_drawing_all_the_same_says_which_line_to_leave_out(self, draw: Callable[[Random], Any]) -> None:
        class Draws(self.Fixed):  # type: ignore[name-defined,misc]
            def begin(self, task: Task, rng: Random) -> tuple[list[str], str]:
                return [], f"{draw(rng)}"

        with pytest.raises(ContractError, match="draws = False"):
            Draws().reset(seed=1)
        Draws.draws = True
        assert Draws().reset(seed=1)[0] == Draws().reset(seed=1)[0]


def tasks(*made: Task) -> Callable[[Any], Taskset]:
    return lambda env: ListTaskset(made)


def said(text: Callable[[], str]) -> Callable[..., Response]:
    return lambda env, state, turn, rng: Response(text())


def global_draw() -> str:
    return str(random.random())


def numpy_draw() -> str:
    return str(np.random.random())  # noqa: NPY002  # the breach


def entropy() -> str:
    return os.urandom(4).hex()


memory: list[str] = []
SUM = {"a": 1, "b": 2}


def remembers(env: Any, state: list[str], turn: Turn, rng: Random) -> Response:
    memory.append(turn.completion)
    return Response(f"{len(memory)} so far")


def in_self(env: Any, state: list[str], turn: Turn, rng: Random) -> Response:
    env.count = getattr(env, "count", 0) + 1
    return Response(f"{env.count} so far")


def raises(env: Any, state: list[str], turn: Turn, rng: Random) -> Response:
    return Response(str(turn.completion.encode()))


def silent(env: Any, state: list[str], turn: Turn, rng: Random) -> Response:
    return Response("")


def strict(completion: str) -> float:
    return float(completion)


def bad_info(env: Any, state: list[str], turn: Turn, rng: Random) -> Response:
    return Response("no", info={"seen": {1, 2}})


def from_system(env: Any, task: Task, rng: Random) -> tuple[list[str], list[Message]]:
    return [], [Message("system", "go")]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"make_tasks": tasks(Task("a", {}, "test"))}, "no-train-tasks.*split 'train' is empty"),
        (
            {"make_tasks": tasks(Task("a", SUM), Task("b", SUM, "test"))},
            "splits-overlap.*poses the same problem as 'a'",
        ),
        ({"make_tasks": tasks(Task("a", {**SUM, "x": {1}}))}, "task-not-json.*are not JSON"),
        ({"make_tasks": tasks(Task("a", SUM, "train", 1.5))}, "difficulty-range.*difficulty 1.5"),
        ({"make_tasks": tasks(Task("a", SUM, "train", math.nan))}, "difficulty-range.*difficulty nan"),
        (
            {"make_tasks": lambda env: ListTaskset([Task(entropy(), {})])},
            "ids-unstable.*differs between two environments",
        ),
        ({"begin": from_system}, "nothing-to-answer.*the first messages are"),
        (
            {"begin": lambda env, task, rng: ([], "x" * 70_000)},
            "observation-space.*not in the observation space",
        ),
        ({"respond": said(global_draw)}, "global-random-state.*global generator of random has changed"),
        ({"respond": said(numpy_draw)}, "global-random-state.*global generator of numpy has changed"),
        ({"respond": said(entropy)}, "not-deterministic.*two episodes differ at line"),
        ({"respond": remembers}, r"leaks-across-reset.*differ at line.*kept in \S+\.memory"),
        ({"respond": in_self}, r"leaks-across-reset.*differ at line.*kept in self\.count"),
        ({"respond": raises}, "step-raises.*raises UnicodeEncodeError"),
        ({"respond": silent}, "silent-turn.*said nothing although the episode goes on"),
        ({"respond": bad_info}, "info-not-json.*info is not JSON"),
        (
            {"make_rubric": lambda env: Rubric([Component("s", strict)], success="s")},
            "reward-raises.*ValueError",
        ),
        ({"rendered": lambda env: None}, "rendering.*gave no text"),
        (
            {"demonstrations": lambda env, *args: iter([[Message("assistant", "4")]])},
            "solution-shape.*roles are \\['assistant'\\]",
        ),
        (
            {"demonstrations": lambda env, *args: iter([[Message("user", entropy())]])},
            "solution-not-repeatable.*demonstrations of one seed differ",
        ),
    ],
)
def test_a_breach_is_found_and_explained(changes: dict[str, Any], words: str) -> None:
    broken = type("Broken", (Sums,), changes)
    env = broken()
    remade: TextEnv[Any] = env if "make_tasks" not in changes else Remade(broken)
    with pytest.raises(ContractError, match=f"(?s)^Broken: 1 error, .*({words})"):
        check_env(remade)


class Remade(Sums):
    """Spawns by making anew, as `check_env` does for installed environments."""

    def __init__(self, made: type[Sums]) -> None:
        super().__init__()
        self.id, self._made = "Broken", made

    def spawn(self) -> Any:
        return self._made()


def test_what_cannot_be_copied_is_found() -> None:
    class Open(Sums):
        def begin(self, task: Task, rng: Random) -> tuple[list[str], str]:
            state = Uncopied()
            return state, "go"

    class Uncopied(list[str]):
        def __deepcopy__(self, memo: Any) -> Any:
            return self

    with pytest.raises(ContractError, match=r"(?s)1 error,.*not-copyable.*differ at line"):
        check_env(Open())


PLUGIN = """
import os, random, socket
from rftgym import EnvSpec, hookimpl
from rftgym.env import MultiTurnEnv, Response
from rftgym_wordle.env import WordleEnv

@hookimpl
def rftgym_environments():
    return [
        EnvSpec(id="downloads", entry_point="acme_bad:Downloads"),
        EnvSpec(id="hashes", entry_point="acme_bad:Hashes"),
    ]

class Downloads(WordleEnv):
    def make_tasks(self):
        socket.create_connection(("203.0.113.1", 80), timeout=1)

class Hashes(WordleEnv):
    def respond(self, state, turn, rng):
        response = super().respond(state, turn, rng)
        response.info["first"] = min({"a", "b", "c", "d"}, key=hash)
        return response
"""


@pytest.mark.parametrize(
    ("id", "words"),
    [
        ("downloads", "network-in-constructor: opens a network connection"),
        ("hashes", "other-process-differs: the episode from reset(seed=0) differs at line 1"),
    ],
)
def test_breaches_that_only_an_installed_environment_can_show(tmp_path: Path, id: str, words: str) -> None:
    (tmp_path / "acme_bad.py").write_text(PLUGIN)
    metadata = tmp_path / "acme_bad-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-bad\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[rftgym]\nbad = acme_bad\n")
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    program = (
        "from rftgym.conformance import examine\n"
        f"for each in examine({id!r}).errors: print(each.check, each.what, sep=': ')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    assert line.startswith(words)


def test_the_checker_gives_the_network_back() -> None:
    check_env("wordle", processes=False)
    assert socket.getaddrinfo("localhost", 80)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", 1), timeout=1)


# ---- the two doors


def test_gymnasiums_door_and_the_engines_lead_to_the_same_episode() -> None:
    env, other = Sums(), Sums()
    _, info = env.reset(seed=3)
    other.start(other.tasks.by_id(info["task"]), env.trajectory.seed)
    for _ in range(3):
        observation = env.step("5")[0]
        (message,) = other.advance(Turn((), "5"))
        assert message.content == observation
    assert other.trajectory.closing == env.trajectory.closing and other.trajectory.truncated


def test_reset_takes_a_task_or_a_split() -> None:
    env = Sums()
    assert env.reset(options={"task": "8+1"})[1]["task"] == "8+1"
    assert env.reset(seed=1, options={"split": "test"})[1]["task"][0] in "78"
    assert env.reset(options={"task": "8+1", "split": "test"})[1]["task"] == "8+1"
    for options, words in [
        ({"task": "8+1", "split": "train"}, "is in split 'test', not in 'train'"),
        ({"task": 3}, "a task's id is a string"),
        ({"split": "dev"}, "no tasks in split 'dev'"),
        ({"tasks": "8+1"}, "unknown reset option 'tasks'"),
    ]:
        with pytest.raises(UsageError, match=words):
            env.reset(options=options)  # type: ignore[arg-type]


def test_misuse_is_said() -> None:
    env = Sums()
    with pytest.raises(UsageError, match=r"call reset\(\) first"):
        env.step("4")
    env.reset(seed=0)
    with pytest.raises(UsageError, match="an action is text, not int"):
        env.step(4)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="render_mode 'rgb_array'"):
        Sums(render_mode="rgb_array")
    with pytest.raises(TypeError, match="abstract"):
        MultiTurnEnv()  # type: ignore[abstract]


def test_where_begin_raises_the_old_episode_does_not_go_on() -> None:
    class Breaking(Sums):
        def begin(self, task: Task, rng: random.Random) -> tuple[list[str], str]:
            if task.id.endswith("+1"):
                raise ValueError("no such sum")
            return super().begin(task, rng)

    env = Breaking()
    env.reset(seed=0, options={"task": "3+0"})
    with pytest.raises(ValueError, match="no such sum"):
        env.reset(options={"task": "3+1"})
    with pytest.raises(UsageError, match=r"call reset\(\) first"):
        env.step("3")


def test_a_spawned_environment_has_its_own_episode_and_shares_the_rest() -> None:
    env = Sums()
    env.reset(seed=0)
    twin = env.spawn()
    assert twin.tasks is env.tasks and twin.rubric is env.rubric and twin.id == env.id
    with pytest.raises(UsageError, match="no episode yet"):
        _ = twin.trajectory
    twin.start(env.tasks.by_id("3+0"), 1)
    assert env.trajectory.task.id != "3+0" or env.trajectory is not twin.trajectory
    env.step("5")
    assert len(env.trajectory.turns) == 1 and twin.trajectory.turns == []


def test_a_state_that_holds_the_generator_is_restored_with_it() -> None:
    class Holds(Sums):
        def begin(self, task: Task, rng: Random) -> tuple[Any, str]:
            return {"rng": rng}, "go"

        def respond(self, state: Any, turn: Turn, rng: Random) -> Response:
            return Response(f"{state['rng'].random()} {rng.random()}")

    check_env(Holds())


def test_human_rendering_prints(capsys: pytest.CaptureFixture[str]) -> None:
    env = Sums(render_mode="human")
    env.reset(seed=0)
    env.step("hello")
    out = capsys.readouterr().out
    assert "[user] " in out and "[assistant] hello" in out and "no, tries: ['hello']" in out
