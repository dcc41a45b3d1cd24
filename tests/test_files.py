"""Environments, rewards and algorithms from files that nobody packaged: ``./my_env.py:MyEnv``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import rftgym
from rftgym.cli import main
from rftgym.config import ModelSettings, RunConfig, parsed
from rftgym.errors import UsageError
from rftgym.files import absolute, is_file, label, module_from
from rftgym.mixing import absolute_mix, label_mix
from rftgym.plugins import discover
from rftgym.registry import make_parser, make_policy, make_reward, trainer_class
from rftgym.runs import sources

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
QUICK = ("--steps", "1", "-n", "2", "--max-tokens", "4", "--set", "trainer.prompts=2", "-q")
QUICK = (*QUICK, "--set", "guard.preflight=off", "--set", "guard.probe_every=0")


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
    arguments = ["train", "--env", "./guess.py:Guess", "--reward", "./taste.py:short=0.5"]
    assert main([*arguments, *QUICK, "--json"]) == 0
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
    assert main(["train", "--env", "./guess.py", *QUICK, "--json"]) == 0
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
        ("./half.py", "half.py:Half is no env: it lacks make_rubric, make_tasks, prompt"),
        ("./taste.py:short", "taste.py:short is no env: it does not derive from rftgym.env.TextEnv"),
        ("./speechless.py", "line 5: Speechless: (it has no text)"),
        ("~nobody-of-this-name/guess.py", "no file at ~nobody-of-this-name/guess.py"),
        ("x" * 300 + ".py", "File name too long"),
        ("./loop.py", "loop.py"),
        ("./folder.py", "cannot read"),
        ("./one/guess.py,./two/guess.py", "would have the same name"),
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
    (folder / "half.py").write_text("import rftgym\n\nclass Half(rftgym.SingleTurnEnv):\n    pass\n")
    (folder / "speechless.py").write_text(
        "class Speechless(Exception):\n    def __str__(self):\n        return 1 / 0\n\nraise Speechless\n"
    )
    (folder / "loop.py").symlink_to("loop.py")
    (folder / "folder.py").mkdir()
    assert main(["eval", "--env", id, "--model", "tiny"]) == 2
    said = capsys.readouterr().err
    assert words.lower() in " ".join(said.split()).lower()
    assert said.count("\n") == 1


def test_an_algorithm_from_a_file(folder: Path) -> None:
    (folder / "algorithm.py").write_text(
        "import rftgym\nfrom rftgym.config import OptimizerSettings\n\n\nclass Mine(rftgym.Trainer):\n"
        "    Config = OptimizerSettings\n\n    def train(self, context):\n        return 0\n"
    )
    assert trainer_class("./algorithm.py").__name__ == "Mine"
    with pytest.raises(UsageError, match="which trainer"):
        trainer_class("./taste.py")


@pytest.mark.parametrize(
    ("option", "name", "words"),
    [
        ("--reward", "plain=1", "put @rftgym.reward() above"),
        ("--reward", "number=1", "is no reward"),
        ("--reward", "nobody=1", "made NoneType, not a Component"),
        ("--trainer", "plain", "is no trainer"),
        ("--model", "nobody", "cannot be called as"),
        ("--model", "number", "is no policy"),
        ("--set", "env.parser", "made NoneType, not a Parser"),
    ],
)
def test_what_is_of_another_kind_is_bad_usage(
    folder: Path, option: str, name: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "odd.py").write_text(
        "number = 3\n\n\ndef plain(completion):\n    return 1.0\n\n\ndef nobody():\n    return None\n"
    )
    value = "env.parser=./odd.py:nobody" if option == "--set" else f"./odd.py:{name}"
    command = "train" if option == "--trainer" else "eval"
    assert main([command, "--env", "wordle", "-n", "1", option, value]) == 2
    assert words in " ".join(capsys.readouterr().err.split())
    assert not (folder / "runs").exists()


def test_functions_of_a_file_may_make_rewards_parsers_and_policies(folder: Path) -> None:
    (folder / "makers.py").write_text(
        REWARD + "\n\ndef maker():\n    return short\n\n\ndef tags():\n    return rftgym.TagParser('a')\n"
        "\n\ndef policy(settings, *, trainable, seed):\n    return settings.id\n"
    )
    assert make_reward("./makers.py:maker", 1.0).name == "short"
    assert make_parser("./makers.py:tags").parse("<a>1</a>").answer == "1"
    assert make_policy(ModelSettings(id="./makers.py:policy")) == f"{folder}/makers.py:policy"


def test_a_command_is_never_taken_from_a_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "harm.py").write_text("open('harmed', 'w').close()\n")
    assert main(["./harm.py:main"]) == 2
    assert "no command './harm.py:main'" in capsys.readouterr().err
    assert not (folder / "harmed").exists()


@pytest.mark.parametrize("failure", ["raise ValueError", "raise KeyboardInterrupt"])
def test_a_failed_import_leaves_nothing_behind(folder: Path, failure: str) -> None:
    other = folder / "other"
    other.mkdir()
    (other / "failing.py").write_text(f"{failure}\n")
    before = list(sys.path), set(sys.modules)
    with pytest.raises((UsageError, KeyboardInterrupt)):
        module_from(other / "failing.py")
    assert (sys.path, set(sys.modules)) == before


@pytest.mark.parametrize("name", ["a,b", "a b"])
def test_a_folder_may_have_a_comma_or_a_space_in_its_name(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / name).mkdir()
    (folder / name / "guess.py").write_text(ENV.replace("from beside import ANSWER", "ANSWER = 'this'"))
    monkeypatch.chdir(folder / name)
    config: RunConfig = parsed(RunConfig, {"env": "./guess.py:Guess", "model": "tiny", "trainer": "grpo"})
    assert rftgym.make(config.env.id).id == "guess.py:Guess"
    with pytest.raises(UsageError, match="no file at"):
        rftgym.make(absolute_mix("./no_such.py:Guess"))
    mix = ["eval", "--env", "./guess.py:Guess:2,wordle", "--model", "tiny", "-n", "1", "--max-tokens", "4"]
    if name == "a b":
        assert main(mix) == 0
    else:
        assert main(mix) == 2
        assert "has a comma, which parts the environments of a mix" in capsys.readouterr().err


def test_a_mix_of_files_is_shown_without_folders(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "other.py").write_text(ENV)
    mix = f"{folder}/guess.py,./other.py:Guess:2"
    assert label_mix(mix) == rftgym.make(mix).id == "guess.py,other.py:Guess:2"
    assert main(["train", "--env", mix, *QUICK, "--json"]) == 0
    run = Path(json.loads(capsys.readouterr().out)["run"])
    assert "-guess.py-other.py-Guess-2-" in run.name
    assert {Path(name).name for name in json.loads((run / "sources.json").read_text())} == {
        "guess.py",
        "other.py",
    }


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


def test_a_file_that_has_changed_is_imported_again_and_its_version_is_that_of_what_was(folder: Path) -> None:
    def played(said: str) -> tuple[float, str]:
        env = rftgym.make("./guess.py")
        env.reset(seed=0)
        return env.step(said)[1], discover().find("env", "./guess.py").plugin.version

    old = rftgym.make("./guess.py")
    first = played("this")
    (folder / "guess.py").write_text(ENV.replace("== ANSWER", "!= ANSWER"))  # as long, in the same second
    changed = played("this")
    assert (first[0], changed[0]) == (1.0, 0.0) and first[1] != changed[1]
    old.reset(seed=0)
    assert old.step("this")[1] == 1.0  # what was made stays what it was
    (folder / "guess.py").write_text(ENV)
    assert played("this") == first
    assert discover().find("env", "./guess.py").plugin.distribution == "(file)"


def test_a_run_keeps_what_was_imported_and_not_what_was_written_meanwhile(folder: Path) -> None:
    rftgym.make("./guess.py")
    (folder / "guess.py").write_text("# later\n")
    run = folder / "run"
    run.mkdir()
    sources.keep(run, {"env": {"id": f"{folder}/guess.py"}})
    index = json.loads((run / "sources.json").read_text())
    assert (run / index[f"{folder}/guess.py"]["copy"]).read_text() == ENV
    (said,) = sources.changed(run, index)
    assert "has changed since the run began" in said


def test_info_and_the_command_to_try_again_name_the_file(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["info", "./guess.py:Guess"]) == 0
    assert "guess.py:Guess" in capsys.readouterr().out
    assert main(["train", "--env", "./guess.py", *QUICK]) == 0
    assert f"again   rftgym eval --env {folder}/guess.py --model runs/" in capsys.readouterr().out
