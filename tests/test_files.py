"""Environments, rewards and algorithms from files that nobody packaged: ``./my_env.py:MyEnv``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import rftgym
from rftgym.cli import main
from rftgym.config import RunConfig, parsed
from rftgym.errors import UsageError
from rftgym.files import absolute, is_file, label
from rftgym.plugins import discover
from rftgym.registry import make_reward, trainer_class

ENV = """
import rftgym
from beside import ANSWER
from rftgym.tasks import ListTaskset


@rftgym.reward()
def right(completion: str) -> float:
    return float(completion == ANSWER)


class Guess(rftgym.SingleTurnEnv):
    def make_tasks(self):
        return ListTaskset(
            rftgym.Task(f"{split}-{i}", {"split": split, "i": i}, split)
            for split in ("train", "validation", "test") for i in range(4)
        )

    def make_rubric(self):
        return rftgym.Rubric([right], success="right")

    def prompt(self, task):
        return "What?"
"""
REWARD = """
import rftgym


@rftgym.reward()
def short(completion: str) -> float:
    return float(len(completion) < 3)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "beside.py").write_text("ANSWER = 'this'\n")
    (tmp_path / "guess.py").write_text(ENV)
    (tmp_path / "taste.py").write_text(REWARD)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("rftgym_file_") or name == "beside"]:
        del sys.modules[name]


@pytest.mark.parametrize("id", ["./guess.py:Guess", "guess.py:Guess", "guess.py", "{folder}/guess.py:Guess"])
def test_an_environment_from_a_file_plays(folder: Path, id: str) -> None:
    env = rftgym.make(id.format(folder=folder))
    env.reset(seed=0)
    assert env.step("this")[1] == 1.0
    assert env.id in ("guess.py:Guess", "guess.py")
    assert env.trajectory.env == env.id


def test_a_reward_from_a_file_joins_under_its_own_name(folder: Path) -> None:
    component = make_reward("./taste.py:short", 0.25)
    assert (component.name, component.weight) == ("short", 0.25)


def test_a_run_keeps_what_it_was_made_from_and_goes_by_whole_paths(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        "train",
        "--env",
        "./guess.py:Guess",
        "--reward",
        "./taste.py:short=0.5",
        "--steps",
        "1",
        "-n",
        "2",
    ]
    assert main([*arguments, "--set", "trainer.prompts=2", "--json", "-q"]) == 0
    run = Path(json.loads(capsys.readouterr().out)["run"])
    config = json.loads((run / "config.json").read_text())
    assert config["env"]["id"] == f"{folder}/guess.py:Guess"
    assert list(config["rewards"]["add"]) == [f"{folder}/taste.py:short"]
    index = json.loads((run / "sources.json").read_text())
    assert {Path(name).name: (run / facts["copy"]).read_text() for name, facts in index.items()} == {
        "guess.py": ENV,
        "taste.py": REWARD,
    }
    assert "guess.py-Guess" in run.name and str(folder).replace("/", "-") not in run.name


def test_a_resume_says_which_file_has_changed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["train", "--env", "./guess.py", "--steps", "1", "-n", "2", "--set", "trainer.prompts=2"]
    assert main([*arguments, "--json", "-q"]) == 0
    run = Path(json.loads(capsys.readouterr().out)["run"])
    (run / "result.json").unlink()
    (folder / "guess.py").write_text(ENV + "\n# changed\n")
    assert main(["train", "--resume", str(run)]) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert f"{folder}/guess.py has changed since the run began" in said


@pytest.mark.parametrize(
    ("id", "words"),
    [
        ("./no_such.py:X", "no file at"),
        ("./guess.py:Nothing", "has no 'Nothing'"),
        ("./taste.py", "which env of"),
        ("./broken.py", "line 2: SyntaxError"),
        ("./raising.py", "line 3: ZeroDivisionError"),
        ("./two.py", "it has One, Two"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(
    folder: Path, id: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "broken.py").write_text("x = 1\ndef broken(:\n")
    (folder / "raising.py").write_text("x = 1\n\ny = 1 / 0\n")
    (folder / "two.py").write_text(
        ENV.replace("class Guess", "class One") + "\n\nclass Two(One):\n    pass\n"
    )
    assert main(["eval", "--env", id, "--model", "tiny"]) == 2
    said = capsys.readouterr().err
    assert words.lower() in " ".join(said.split()).lower()
    assert said.count("\n") == 1


def test_an_algorithm_from_a_file(folder: Path) -> None:
    (folder / "algorithm.py").write_text(
        "import rftgym\n\n\nclass Mine(rftgym.Trainer):\n    def train(self, context):\n        return 0\n"
    )
    assert trainer_class("./algorithm.py").__name__ == "Mine"
    with pytest.raises(UsageError, match="which trainer"):
        trainer_class("./taste.py")


def test_a_file_is_imported_once_however_it_is_named(folder: Path) -> None:
    one, two = (type(rftgym.make(id)) for id in ("./guess.py:Guess", str(folder / "guess.py")))
    assert one is two


def test_names_of_files() -> None:
    assert [
        is_file(id) for id in ("a.py", "./a.py:B", "a.py:B.c", "wordle", "a.pyx", "a.py:1", "x.python")
    ] == [
        *(True, True, True),
        *(False, False, False, False),
    ]
    assert label("/x/y/a.py:B") == "a.py:B" and label("wordle") == "wordle"
    assert absolute("wordle") == "wordle" and absolute("a.py:B") == f"{Path.cwd()}/a.py:B"


def test_a_configuration_takes_whole_paths_also_in_a_mix() -> None:
    config: RunConfig = parsed(
        RunConfig, {"env": "./a.py:B:2,wordle:1", "model": "./m.py", "trainer": "./t.py:T"}
    )
    here = Path.cwd()
    assert config.env.id == f"{here}/a.py:B:2,wordle:1"
    assert (config.model.id, config.trainer.id) == (f"{here}/m.py", f"{here}/t.py:T")


def test_another_process_makes_the_same_environment(folder: Path) -> None:
    program = (
        "import rftgym, sys; env = rftgym.make(sys.argv[1]); env.reset(seed=0); print(env.step('this')[1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, absolute("./guess.py:Guess")],
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "1.0"


def test_a_files_version_is_its_content(folder: Path) -> None:
    before = discover().find("env", "./guess.py").plugin
    (folder / "guess.py").write_text(ENV + "\n")
    after = discover().find("env", "./guess.py").plugin
    assert before.distribution == after.distribution == "(file)"
    assert before.version != after.version


def test_info_and_the_command_to_try_again_name_the_file(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["info", "./guess.py:Guess"]) == 0
    assert "guess.py:Guess" in capsys.readouterr().out
    assert (
        main(["train", "--env", "./guess.py", "--steps", "1", "-n", "2", "--set", "trainer.prompts=2"]) == 0
    )
    assert f"again   rftgym eval --env {folder}/guess.py --model runs/" in capsys.readouterr().out
