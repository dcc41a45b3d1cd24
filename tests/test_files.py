"""Environments, rewards and algorithms from files that nobody packaged: ``./my_env.py:MyEnv``."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import rftgym
from rftgym.cli import main
from rftgym.cli.train import again
from rftgym.config import EnvSettings, ModelSettings, RunConfig, parsed
from rftgym.errors import UsageError
from rftgym.files import absolute, is_file, label, module_from
from rftgym.mixing import absolute_mix, label_mix
from rftgym.plugins import discover
from rftgym.registry import make_parser, make_policy, make_reward, trainer_class
from rftgym.runs import sources
from rftgym.runs.directory import RunDirectory

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
    assert main(["info", "./taste.py:short", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "reward"
    for id, said in (("./taste.py:long", "has no 'long'"), ("./beside.py:ANSWER", "is no env")):
        assert main(["info", id]) == 2
        assert said in capsys.readouterr().err
    assert main(["train", "--env", "./guess.py", *QUICK]) == 0
    assert "again   rftgym eval --model runs/" in capsys.readouterr().out


ASKED = """
import rftgym
from pydantic import Field
from rftgym.tasks import ListTaskset


class Row(rftgym.TaskRow):
    question: str


class Asked(rftgym.SingleTurnEnv):
    task_row = Row

    def __init__(self, politely: bool = False, **settings):
        self.polite = "Please: " if politely else ""
        super().__init__(**settings)

    def make_tasks(self):
        return ListTaskset(rftgym.Task(f"{split}-0", {"question": "?"}, split) for split in rftgym.tasks.SPLITS)

    def make_rubric(self):
        @rftgym.reward()
        def answered(answer: str | None) -> float:
            return float(bool(answer))

        @rftgym.reward()
        def wordy(completion: str) -> float:
            return min(1.0, len(completion) / 20)

        return rftgym.Rubric([answered, wordy], success="answered")

    def prompt(self, task):
        return self.polite + task.data["question"]
"""
UNTIL_Y = """
import rftgym


class UntilY(rftgym.Parser):
    def parse(self, completion):
        return completion.partition("y")[0], True
"""


def test_the_command_to_try_again_measures_what_the_run_measured(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pasted as it was printed: same tasks, prompts, parser, rewards, weights, sampling and seeds; also elsewhere."""
    (folder / "asked.py").write_text(ASKED)
    (folder / "until.py").write_text(UNTIL_Y)
    rows = [
        {"id": f"{split}-{i}", "split": split, "question": f"What of {i}?"}
        for split in ("train", "validation", "test")
        for i in range(6)
    ]
    (folder / "own.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    changes = ["--reward", "./taste.py:short=0.3", "--weight", "wordy=0.5", "--tasks", "own.jsonl"]
    changes += ["--set", "env.parser=./until.py:UntilY", "--set", "env.kwargs.politely=true"]
    changes += ["--set", "rewards.clip=[0, 1.2]", "--temperature", "0.6", "--set", "evaluation.seed=5"]
    changes += ["--set", "evaluation.samples=2", "--set", "evaluation.split=validation"]
    assert main(["train", "--env", "./asked.py", *changes, *QUICK, "-n", "5", "--max-tokens", "12"]) == 0
    said = capsys.readouterr()
    (line,) = (line for line in said.out.splitlines() if line.startswith("again"))
    words = shlex.split(line)[2:]
    after = json.loads((Path(words[-1]) / "evaluations" / "after.json").read_text())

    def measured(*arguments: str) -> dict[str, object]:
        assert main([*words, "--json", *arguments]) == 0
        return json.loads(capsys.readouterr().out)

    told = (
        "env",
        "split",
        "n",
        "samples",
        "seed",
        "success",
        "reward",
        "components",
        "pass_at_k",
        "unscored",
    )
    found = measured()
    assert {name: found[name] for name in told} == {name: after[name] for name in told}
    assert {"wordy", "short"} <= set(found["components"]) and found["reward"]["mean"] > 0

    words[-1] = str(folder / words[-1])
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    assert measured()["reward"] == after["reward"]
    fewer = measured("-n", "2", "--weight", "wordy=0")
    assert fewer["n"] == 2 and fewer["seed"] == 5
    assert measured("--env", "wordle", "-n", "2", "--max-tokens", "4")["env"] == "wordle"


def test_measuring_a_run_again_says_what_has_changed_since(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "--env", "./guess.py", *QUICK, "--json"]) == 0
    run = json.loads(capsys.readouterr().out)["run"]
    (folder / "guess.py").write_text(ENV + "\n# changed\n")
    assert main(["eval", "--model", run, "--quiet"]) == 0
    said = capsys.readouterr().err
    assert f"guess.py as in {run}; --env measures on another" in said
    assert f"{folder}/guess.py has changed since the run began" in said
    assert main(["eval", "--model", run, "--env", "./guess.py", "-n", "2", "--quiet"]) == 0
    assert capsys.readouterr().err == ""


def test_a_stranger_s_run_gives_the_terminal_no_orders(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = {"env": {"id": "no\x1b[31msuch"}}
    run = RunDirectory.create(tmp_path, name="x", config=config, plugins=discover([]))
    run.write_json("sources.json", {"/a\x1b]0;b": {"sha256": "0", "copy": "sources/a"}})
    assert main(["eval", "--model", str(run.path)]) == 2
    said = capsys.readouterr().err
    assert "no\\x1b[31msuch as in" in said and "/a\\x1b]0;b is gone" in said
    assert "\x1b" not in said


def test_who_measures_a_run_consents_anew_to_code_without_isolation(tmp_path: Path) -> None:
    config: RunConfig = parsed(RunConfig, {"env": {"id": "code", "kwargs": {"allow_unsafe_sandbox": True}}})
    mixed = {"id": "code,wordle", "kwargs": {"code": {"allow_unsafe_sandbox": True}}}
    of_mix: RunConfig = parsed(RunConfig, {"env": mixed, "model": {"weights": "./some"}})
    one, other = (
        RunDirectory.create(tmp_path, name="x", config=each.model_dump(mode="json"), plugins=discover([]))
        for each in (config, of_mix)
    )
    assert one.measured_with()["env"]["kwargs"] == {}
    assert other.measured_with()["env"]["kwargs"] == {"code": {}}
    assert not {"id", "weights"} & set(other.measured_with()["model"])
    assert again(one.path) == f"rftgym eval --model {one.path} --allow-unsafe-sandbox"
    assert again(other.path).endswith(" --set env.kwargs.code.allow_unsafe_sandbox=true")


BOX = """
from rftgym.sandbox import LocalSandbox


class Box(LocalSandbox):
    pass
"""


def test_a_sandbox_from_a_file_is_kept_and_a_resume_says_that_it_has_changed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "box.py").write_text(BOX)
    arguments = [
        "train",
        "--env",
        "math",
        "--set",
        "env.kwargs.sandbox=./box.py:Box",
        "--model",
        "tiny-mixed",
    ]
    assert main([*arguments, *QUICK, "--json"]) == 0
    run = Path(json.loads(capsys.readouterr().out)["run"])
    kwargs = json.loads((run / "config.json").read_text())["env"]["kwargs"]
    assert kwargs["sandbox"] == f"{folder}/box.py:Box"
    index = json.loads((run / "sources.json").read_text())
    assert (run / index[f"{folder}/box.py"]["copy"]).read_text() == BOX
    (run / "result.json").unlink()
    (folder / "box.py").write_text(BOX + "\n# changed\n")
    assert main(["train", "--resume", str(run)]) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert f"{folder}/box.py has changed since the run began" in said


def test_only_sandboxes_become_whole_paths_among_the_arguments() -> None:
    kwargs = {"sandbox": "local", "text": "print.py", "math": {"sandbox": "./b.py:B", "text": "print.py"}}

    def read(id: str) -> EnvSettings:
        return parsed(RunConfig, {"env": {"id": id, "kwargs": kwargs}}).env

    assert read("math").kwargs == kwargs and sources.named_in({"env": read("math").model_dump()}) == []
    mixed, here = read("math,wordle"), Path.cwd()
    assert mixed.kwargs == {**kwargs, "math": {"sandbox": f"{here}/b.py:B", "text": "print.py"}}
    assert sources.named_in({"env": mixed.model_dump()}) == [here / "b.py"]


def test_tasks_that_are_no_file_here_stay_as_they_are(folder: Path) -> None:
    def tasks(value: str) -> str | None:
        config: RunConfig = parsed(RunConfig, {"env": {"id": "dataset", "tasks": value}})
        return config.env.tasks

    (folder / "link.jsonl").symlink_to(folder / "own.jsonl")
    (folder / "own.jsonl").write_text("")
    assert tasks("openai/gsm8k") == "openai/gsm8k" and tasks("missing.jsonl") == "missing.jsonl"
    assert tasks("link.jsonl") == f"{folder}/link.jsonl"
