"""What a beginner does wrong, and that the answer names the thing and its cure: no traceback from deep inside."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

import rftgym
from rftgym.cli import main
from rftgym.conformance import examine
from rftgym.errors import ContractError, PluginError, UnknownIdError, UsageError
from rftgym.registry import make_reward, trainer_class
from rftgym.tasks import ListTaskset


@rftgym.reward()
def right(answer: str | None, task: rftgym.Task) -> float:
    return float(answer == task.data["a"])


class Good(rftgym.SingleTurnEnv):
    """Say a number twice."""

    parser = rftgym.TagParser("answer")

    def make_tasks(self) -> Any:
        splits = ("train", "validation", "test")
        return ListTaskset(rftgym.Task(str(n), {"a": f"{n}{n}"}, splits[n % 3]) for n in range(30))

    def make_rubric(self) -> Any:
        return rftgym.Rubric([right], success="right")

    def prompt(self, task: rftgym.Task) -> Any:
        return f"Say {task.id} twice, as in <answer>77</answer>"


class NoTasks(Good):
    def make_tasks(self) -> Any:
        pass


class ListOfTasks(Good):
    def make_tasks(self) -> Any:
        return [rftgym.Task("1", {"a": "11"})]


class ListOfRewards(Good):
    def make_rubric(self) -> Any:
        return [right]


class PlainFunction(Good):
    def make_rubric(self) -> Any:
        return rftgym.Rubric([right.function], success="right")  # type: ignore[list-item]


class ParserByName(Good):
    parser: Any = "answer"


class ParserClass(Good):
    parser: Any = rftgym.TagParser


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (NoTasks, r"NoTasks\.make_tasks\(\) gave None \(is a `return` missing\?\), not a Taskset"),
        (ListOfTasks, r"make_tasks\(\) gave a list, not a Taskset; say .*ListTaskset\(tasks\)"),
        (ListOfRewards, r"make_rubric\(\) gave a list, not a Rubric; say rftgym\.Rubric"),
        (PlainFunction, r"right is no reward component: put @rftgym\.reward\(\) above"),
        (ParserByName, r"ParserByName\.parser is a str, not a Parser; say parser = rftgym\.TagParser"),
        (ParserClass, r"parser is the class TagParser, not a Parser"),
    ],
)
def test_an_environment_says_what_its_methods_should_have_given(broken: type[Good], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        broken()


class NoPrompt(Good):
    def prompt(self, task: rftgym.Task) -> Any:
        pass


class NumberPrompt(Good):
    def prompt(self, task: rftgym.Task) -> Any:
        return 4


class AsyncPrompt(Good):
    async def prompt(self, task: rftgym.Task) -> Any:  # type: ignore[override]
        return "x"


class Dictionaries(Good):
    def prompt(self, task: rftgym.Task) -> Any:
        return [{"role": "user", "content": "x"}]


class NoState(Good):
    def begin(self, task: rftgym.Task, rng: Any) -> Any:
        return "hello"


@pytest.mark.filterwarnings("error")  # of a coroutine that nobody awaits
@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (NoPrompt, "'NoPrompt': the first message is None .is a `return` missing"),
        (NumberPrompt, "the first message is a int; prompt"),
        (AsyncPrompt, "the first message is a coroutine .it must not be async"),
        (Dictionaries, "the first message is a list of other things"),
        (NoState, r"begin\(\) gave a str; it returns two things: the state, and the first message"),
    ],
)
def test_an_episode_says_what_its_beginning_should_have_been(broken: type[Good], said: str) -> None:
    with pytest.raises(ContractError, match=said):
        broken().reset(seed=0)


@pytest.mark.parametrize(("response", "said"), [(None, "None"), ("next!", "a str"), ((), "a tuple")])
def test_an_episode_says_what_respond_should_have_given(response: Any, said: str) -> None:
    class Wrong(Good):
        def respond(self, state: None, turn: rftgym.Turn, rng: Any) -> Any:
            return response

    env = Wrong()
    env.reset(seed=0)
    with pytest.raises(ContractError, match=rf"respond\(\) gave {said}.* rftgym\.Response"):
        env.step("x")


def test_a_constructor_that_forgets_its_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "own.py"
    file.write_text(
        "import rftgym\nclass Own(rftgym.SingleTurnEnv):\n    def __init__(self): self.x = 1\n"
        "    def make_tasks(self): ...\n    def make_rubric(self): ...\n    def prompt(self, task): ...\n"
    )
    with pytest.raises(PluginError, match=r"Own\.__init__\(\) does not call super\(\)"):
        rftgym.make(f"{file}:Own")


def test_a_trainer_without_settings(tmp_path: Path) -> None:
    file = tmp_path / "bare.py"
    file.write_text(
        "from rftgym import Trainer\nclass Bare(Trainer):\n    def train(self, context): return 0\n"
    )
    with pytest.raises(UsageError, match=r"has no Config: give the class the pydantic model"):
        trainer_class(f"{file}:Bare")


@pytest.mark.parametrize("id", ["./my_env:MyEnv", "./my_env.py:", "/nowhere/my_env", "~/my_env"])
def test_a_path_that_is_no_python_file_is_not_answered_with_a_list_of_ids(id: str) -> None:
    with pytest.raises(UnknownIdError, match=r"its name ends with \.py: \./my_env\.py"):
        rftgym.make(id)
    with pytest.raises(UnknownIdError, match=r"\./my_reward\.py"):
        make_reward(id, 1.0)


def test_a_taskset_without_tasks_says_so() -> None:
    with pytest.raises(UsageError, match="among these 0; there are none"):
        ListTaskset([]).by_id("1")


def test_check_of_a_class_that_is_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("nothing.py").write_text("class Nothing: ...\n")
    assert main(["check", "./nothing.py:Nothing"]) == 2
    said = capsys.readouterr().err
    assert "neither a reward nor an environment" in said
    assert "SingleTurnEnv" in said


class SometimesNone(Good):
    """Half of its tasks cannot be judged: legitimate, and gymnasium's check must not call it nondeterminism."""

    def make_rubric(self) -> Any:
        @rftgym.reward()
        def unsure(task: rftgym.Task) -> float | None:
            return None if int(task.id) % 2 == 0 else 1.0

        return super().make_rubric().changed(add=[unsure])


def test_a_reward_that_is_none_now_and_then_breaks_no_rule_of_gymnasium() -> None:
    found = {each.check for each in examine(SometimesNone()).findings}
    assert "gymnasium" not in found
    assert "reward-always-none" not in found


def test_what_an_environment_prints_does_not_get_into_the_record_of_a_game(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("loud.py").write_text(
        "import rftgym\nfrom rftgym.tasks import ListTaskset\n\n@rftgym.reward()\ndef loud(answer):\n"
        "    print('judging'); return 1.0\n\nclass Loud(rftgym.SingleTurnEnv):\n"
        "    def make_tasks(self): return ListTaskset([rftgym.Task('1', {})])\n"
        "    def make_rubric(self): return rftgym.Rubric([loud], success='loud')\n"
        "    def prompt(self, task): print('asking'); return 'What?'\n"
    )
    monkeypatch.setattr("sys.stdin", io.StringIO("this\n"))
    assert main(["play", "./loud.py", "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["env"] == "loud.py"
    assert "asking" in printed.err
    assert "judging" in printed.err


def test_a_row_says_which_reward_is_none() -> None:
    @rftgym.reward()
    def forgets(answer: str | None) -> None:
        float(answer is not None)

    env = Good()
    env.rubric = env.rubric.changed(add=[forgets])
    [row] = rftgym.score(env, [{"task": "3", "completion": "<answer>33</answer>"}])
    assert row["reward"] is None
    assert row["error"] == "reward 'forgets': it says None"
