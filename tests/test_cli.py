"""The command line through its public door: ``main`` in this process, or a process of its own where that matters."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from rftgym.cli import COMMANDS, main
from rftgym.registry import installed

LIST_KEYS = {"id", "kind", "distribution", "version", "loaded", "error"}


class Result:
    """What a command in this process did."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def rftgym(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run ``rftgym ...`` in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Result:
        code = main(arguments)
        said = capsys.readouterr()
        return Result(code, said.out, said.err)

    return run


def process(
    *arguments: str, cwd: Path, path: Path | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run ``rftgym ...`` in a process of its own; ``path`` is a further folder with installed distributions."""
    environment = {**os.environ, **({"PYTHONPATH": str(path)} if path else {})}
    return subprocess.run(
        [sys.executable, "-m", "rftgym", *arguments],
        cwd=cwd,
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


def install(site: Path, distribution: str, plugin: str, source: str | None, version: str = "1.0") -> Path:
    """A throw-away distribution with one plugin; without source, its module is missing."""
    metadata = site / f"{distribution.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
    (metadata / "entry_points.txt").write_text(f"[rftgym]\n{plugin} = {plugin}_plugin\n")
    if source is not None:
        (site / f"{plugin}_plugin.py").write_text(textwrap.dedent(source))
    return site


COMMAND_PLUGIN = """
    import click
    from rftgym import hookimpl
    from rftgym.errors import RunFailed
    from rftgym.specs import CommandSpec

    @hookimpl
    def rftgym_commands():
        return [CommandSpec(id="greet", entry_point="greeter_plugin:greet", summary="Say hello.")]

    @click.command("greet")
    @click.argument("name")
    def greet(name):
        if name == "nobody":
            raise RunFailed("there is nobody\\nto greet")
        if name == "bug":
            raise ZeroDivisionError("a bug")
        if name == "goodbye":
            raise SystemExit(7)
        click.echo(f"hello {name}")
"""


# ---- help, version, list


def test_help_names_every_command_and_is_the_same_by_both_ways(rftgym: Any) -> None:
    from rftgym.cli.app import run

    instant = rftgym("--help")
    assert instant.code == 0
    assert all(f"  {name} " in instant.out for name in COMMANDS)
    assert rftgym().out == rftgym("-h").out == instant.out
    assert run(["--help"]) == 0  # Click's way: taken where another option stands beside


def test_the_same_text_comes_from_click(capsys: pytest.CaptureFixture[str]) -> None:
    from rftgym.cli.app import run

    run(["--help"])
    by_click = capsys.readouterr().out
    main(["--help"])
    assert capsys.readouterr().out == by_click


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples_of_its_options(rftgym: Any, command: str) -> None:
    result = rftgym(command, "--help")
    assert result.code == 0
    assert result.out.startswith(f"Usage: rftgym {command}")
    assert "--help" in result.out


def test_version(rftgym: Any) -> None:
    from rftgym import __version__

    assert rftgym("--version").out == f"rftgym {__version__}\n"


def test_list_as_json_has_every_registration_in_the_promised_shape(rftgym: Any) -> None:
    rows = rftgym("list", "--json").json
    assert all(set(row) == LIST_KEYS for row in rows)
    listed = {(row["kind"], row["id"]) for row in rows}
    assert {(r.spec.kind, r.spec.id) for r in installed().registrations()} <= listed
    assert {("env", "wordle"), ("policy", "tiny"), ("trainer", "grpo"), ("plugin", "wordle")} <= listed


def test_list_of_a_kind_holds_that_kind_alone(rftgym: Any) -> None:
    assert {row["kind"] for row in rftgym("list", "policy", "--json").json} == {"policy"}
    assert {row["kind"] for row in rftgym("list", "plugin", "--json").json} == {"plugin"}
    assert "tiny" not in rftgym("list", "env").out


def test_list_as_a_table_shows_ids_under_their_kind_with_summaries(rftgym: Any) -> None:
    lines = rftgym("list").out.splitlines()
    env = lines[lines.index("env") + 1 :]
    assert any(line.startswith("  wordle ") and "five-letter" in line for line in env)


def test_a_broken_plugin_is_listed_with_its_reason_and_hurts_nobody(tmp_path: Path) -> None:
    site = install(tmp_path / "site", "half-done", "half", None, version="0.3")
    rows = json.loads(process("list", "--json", cwd=tmp_path, path=site).stdout)
    (broken,) = [row for row in rows if row["id"] == "half"]
    assert (broken["kind"], broken["distribution"], broken["version"]) == ("plugin", "half-done", "0.3")
    assert broken["loaded"] is False
    assert "half_plugin" in broken["error"]
    assert any(row["id"] == "wordle" and row["loaded"] for row in rows)
    table = process("list", cwd=tmp_path, path=site).stdout
    assert "half_plugin" in table.partition("not loaded")[2]


def test_an_unknown_id_hints_at_plugins_that_are_not_loaded(tmp_path: Path) -> None:
    site = install(tmp_path / "site", "half-done", "half", None)
    result = process("play", "half", cwd=tmp_path, path=site)
    assert result.returncode == 2
    assert "not loaded: half" in result.stderr
    result = process("info", "half", cwd=tmp_path, path=site)
    assert result.returncode == 2
    assert "not loaded: half" in result.stderr


def test_what_a_plugin_prints_as_it_is_loaded_stays_out_of_json(tmp_path: Path) -> None:
    source = """
        from rftgym import EnvSpec, hookimpl
        print("hello")

        @hookimpl
        def rftgym_environments():
            print("and again")
            return [EnvSpec(id="loud", entry_point="nowhere:Env")]
    """
    site = install(tmp_path / "site", "loud", "loud", source)
    result = process("list", "env", "--json", cwd=tmp_path, path=site)
    assert any(row["id"] == "loud" for row in json.loads(result.stdout))
    assert result.stderr == "hello\nand again\n"


def test_ctrl_c_while_plugins_are_loaded_is_one_line(tmp_path: Path) -> None:
    site = install(tmp_path / "site", "slow", "slow", "raise KeyboardInterrupt")
    for command in (["list"], ["--help"], ["info", "wordle"]):
        result = process(*command, cwd=tmp_path, path=site)
        assert (result.returncode, result.stdout) == (130, "")
        assert result.stderr.strip() == "rftgym: error: interrupted"


def test_an_id_that_two_distributions_register_is_listed_twice_as_unusable(tmp_path: Path) -> None:
    source = """
        from rftgym import EnvSpec, hookimpl

        @hookimpl
        def rftgym_environments():
            return [EnvSpec(id="sudoku", entry_point="nowhere:Env")]
    """
    site = install(install(tmp_path / "site", "first", "one", source), "second", "two", source)
    rows = json.loads(process("list", "env", "--json", cwd=tmp_path, path=site).stdout)
    clashing = [row for row in rows if row["id"] == "sudoku"]
    assert [row["distribution"] for row in clashing] == ["first", "second"]
    assert all(not row["loaded"] and "first" in row["error"] and "second" in row["error"] for row in clashing)


# ---- commands of plugins, exit codes


def test_a_command_of_a_plugin_is_in_the_help_and_runs(tmp_path: Path) -> None:
    site = install(tmp_path / "site", "greeter", "greeter", COMMAND_PLUGIN)
    assert re.search(r"greet +Say hello\.", process("--help", cwd=tmp_path, path=site).stdout)
    result = process("greet", "world", cwd=tmp_path, path=site)
    assert (result.returncode, result.stdout) == (0, "hello world\n")


def test_a_failed_run_is_one_line_and_code_1_and_a_bug_keeps_its_traceback(tmp_path: Path) -> None:
    site = install(tmp_path / "site", "greeter", "greeter", COMMAND_PLUGIN)
    failed = process("greet", "nobody", cwd=tmp_path, path=site)
    assert (failed.returncode, failed.stderr) == (1, "rftgym: error: there is nobody to greet\n")
    bug = process("greet", "bug", cwd=tmp_path, path=site)
    assert bug.returncode == 1
    assert "Traceback" in bug.stderr
    assert "ZeroDivisionError: a bug" in bug.stderr
    assert process("greet", "goodbye", cwd=tmp_path, path=site).returncode == 7


def test_an_environment_that_ends_the_process_is_named_with_its_line(tmp_path: Path) -> None:
    methods = "    make_tasks = make_rubric = prompt = None\n    def __init__(self): sys.exit(0)\n"
    source = f"import sys, rftgym\nclass Leaver(rftgym.SingleTurnEnv):\n{methods}"
    (tmp_path / "leaver.py").write_text(source)
    result = process("eval", "--env", "./leaver.py:Leaver", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    assert re.fullmatch(r"rftgym: error: .*leaver\.py:4 \(__init__\) called sys\.exit\(0\)\n", result.stderr)


def test_a_group_of_commands_without_one_of_them_shows_what_there_is(rftgym: Any) -> None:
    result = rftgym("export")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("Usage: rftgym export [OPTIONS] COMMAND")
    assert re.search(r"^  openenv  Serve an environment", result.err, re.MULTILINE)


def test_a_reader_who_leaves_early_is_no_error(tmp_path: Path) -> None:
    command = f"{sys.executable} -m rftgym list --json | head -c 1"
    result = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (result.stdout, result.stderr) == ("[", "")


BAD_USAGE = {
    "an unknown command": (["trian"], "did you mean 'train'?"),
    "an unknown option": (["train", "--stpes", "3"], "--stpes"),
    "an unknown kind": (["list", "nonsense"], "nonsense"),
    "an unknown environment": (["train", "--env", "wordel"], "did you mean 'wordle'?"),
    "no environment": (["train"], "--env"),
    "an unknown trainer": (
        ["train", "--env", "wordle", "--trainer", "grop"],
        "did you mean 'grpo'?",
    ),
    "an unknown model": (["train", "--env", "wordle", "--model", "tinny"], "did you mean 'tiny'"),
    "a model path that isn't there": (
        ["train", "--env", "wordle", "--model", "./no/such"],
        "no such directory",
    ),
    "an unknown reward": (["train", "--env", "wordle", "--reward", "brevty=1"], "unknown reward 'brevty'"),
    "a weight for nothing": (["train", "--env", "wordle", "--weight", "wn=2"], "components are format"),
    "a weight that is none": (["train", "--env", "wordle", "--weight", "win=much"], "NAME=NUMBER"),
    "a weight without a name": (["train", "--env", "wordle", "--weight", "3"], "NAME=NUMBER"),
    "an unknown key": (["train", "--env", "wordle", "--set", "trainer.stpes=3"], "did you mean 'steps'?"),
    "an unknown group": (["train", "--env", "wordle", "--set", "trainr.steps=3"], "did you mean 'trainer'?"),
    "a wrong value": (["train", "--env", "wordle", "--set", "trainer.steps=many"], "steps"),
    "a value out of range": (["train", "--env", "wordle", "--steps", "0"], "steps"),
    "a setting without a value": (["train", "--env", "wordle", "--set", "trainer.steps"], "KEY=VALUE"),
    "a value that is no YAML": (["train", "--env", "wordle", "--set", "trainer.steps=[1"], "not YAML"),
    "a file that isn't there": (["train", "--config", "no.yaml"], "no.yaml"),
    "tasks that aren't there": (["train", "--env", "wordle", "--tasks", "no.jsonl"], "no.jsonl"),
    "no run to resume": (["train", "--resume", "."], "rftgym: error:"),
    "a run that isn't there": (["train", "--resume", "runs/none"], "runs/none"),
    "resume with settings": (["train", "--resume", ".", "--steps", "3"], "own configuration"),
    "an unknown split": (["eval", "--env", "wordle", "--split", "tset"], "split"),
    "an unknown baseline": (["eval", "--env", "wordle", "--baseline", "tinny"], "did you mean 'tiny'"),
    "weights that aren't there": (["eval", "--env", "wordle", "--weights", "no/where"], "no/where"),
    "no tasks": (["eval", "--env", "wordle", "-n", "0"], "n"),
    "answers that aren't there": (["score", "--env", "wordle", "no.jsonl"], "no.jsonl"),
    "nothing of that name": (["info", "wordel"], "did you mean 'wordle'?"),
    "nothing of that name and kind": (["info", "wordle", "--kind", "policy"], "unknown policy 'wordle'"),
    "no schema": (["info", "tiny", "--schema"], "schema"),
    "an unknown task": (["play", "wordle", "--task", "zzzzz"], "no task 'zzzzz'"),
    "nothing to play": (["play", "wrdle"], "did you mean 'wordle'?"),
}


@pytest.mark.parametrize(("arguments", "told"), BAD_USAGE.values(), ids=BAD_USAGE)
def test_bad_usage_is_one_line_and_code_2_and_nothing_is_written(
    rftgym: Any, tmp_path: Path, arguments: list[str], told: str
) -> None:
    result = rftgym(*arguments)
    assert result.code == 2
    assert result.out == ""
    (line,) = result.err.splitlines()
    assert line.startswith("rftgym: error: ")
    assert told in line
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_option_in_yaml_is_named(rftgym: Any, tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("env: wordle\nrewards: {weigths: {win: 2}}\n")
    result = rftgym("train", "--config", "run.yaml")
    assert result.code == 2
    assert "unknown option 'rewards.weigths'; did you mean 'weights'?" in result.err
    assert [path.name for path in tmp_path.iterdir()] == ["run.yaml"]


# ---- info


@pytest.mark.parametrize(("kind", "id"), [(r.spec.kind, r.spec.id) for r in installed().registrations()])
def test_info_about_everything_that_is_installed(rftgym: Any, kind: str, id: str) -> None:
    facts = rftgym("info", id, "--kind", kind, "--json").json
    assert (facts["kind"], facts["id"]) == (kind, id)
    assert facts["distribution"]
    assert rftgym("info", id, "--kind", kind).out.startswith(f"{id} ({kind})")


def test_info_about_an_environment_shows_splits_rewards_and_a_prompt(rftgym: Any) -> None:
    facts = rftgym("info", "wordle", "--json").json
    assert set(facts["splits"]) == {"train", "validation", "test"}
    assert all(size > 0 for size in facts["splits"].values())
    assert facts["success"] in [reward["name"] for reward in facts["rewards"]]
    assert facts["sample"]["messages"][0]["role"] == "system"
    text = rftgym("info", "wordle").out
    assert all(reward["name"] in text for reward in facts["rewards"])


def test_schema_of_a_task_is_what_tasks_files_are_checked_with(rftgym: Any) -> None:
    schema = rftgym("info", "wordle", "--schema").json
    assert schema["required"] == ["answer"]
    assert {"id", "split", "answer"} <= set(schema["properties"])


def test_an_id_of_two_kinds_asks_for_the_kind(tmp_path: Path) -> None:
    source = """
        from rftgym import EnvSpec, RewardSpec, hookimpl

        @hookimpl
        def rftgym_environments():
            return [EnvSpec(id="twice", entry_point="a:B")]

        @hookimpl
        def rftgym_rewards():
            return [RewardSpec(id="twice", entry_point="a:b")]
    """
    site = install(tmp_path / "site", "twofold", "twofold", source)
    result = process("info", "twice", cwd=tmp_path, path=site)
    assert result.returncode == 2
    assert "env and as reward" in result.stderr


# ---- play and score


def test_a_won_game_from_standard_input(tmp_path: Path) -> None:
    result = process("play", "wordle", "--task", "panty", stdin="crane\npanty\n", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "task panty" in result.stdout
    assert ", success" in result.stdout


def test_the_record_of_a_game_is_all_that_json_prints(tmp_path: Path) -> None:
    arguments = ["play", "wordle", "--task", "panty", "--seed", "7", "--json", "--weight", "win=3"]
    result = process(*arguments, stdin="crane\npanty\n", cwd=tmp_path)
    record = json.loads(result.stdout)
    assert (record["task"], record["seed"], record["success"]) == ("panty", 7, True)
    assert record["completions"] == ["<guess>crane</guess>", "<guess>panty</guess>"]
    assert record["reward"] > 3
    assert "Guess a word" in result.stderr


def test_what_is_typed_raw_is_the_completion(tmp_path: Path) -> None:
    result = process("play", "wordle", "--raw", "--json", stdin="crane\n" * 6, cwd=tmp_path)
    assert json.loads(result.stdout)["components"]["format"] == 0


def test_what_a_task_says_moves_nothing_on_a_terminal(rftgym: Any, tmp_path: Path) -> None:
    source = """
import rftgym
from rftgym.tasks import ListTaskset

class Steering(rftgym.SingleTurnEnv):
    def make_tasks(self):
        return ListTaskset([rftgym.Task("one", {})])

    def make_rubric(self):
        return rftgym.Rubric([rftgym.Component("zero", lambda: 0.0)], success="zero")

    def prompt(self, task):
        return "naïve\\xa0\\N{OWL}\\r\\n\\tnow \\x1b]0;title\\x07 \\ud83e"
"""
    (tmp_path / "steering.py").write_text(source, encoding="utf-8")
    shown = "naïve\xa0\N{OWL}\n{}\tnow \\x1b]0;title\\x07 \\ud83e\n"
    told = rftgym("info", "./steering.py:Steering")
    assert told.code == 0 and shown.format("  ") in told.out
    played = process("play", "./steering.py:Steering", cwd=tmp_path, stdin="fine\n")
    assert (played.returncode, played.stderr) == (0, "") and shown.format("") in played.stdout


def test_a_game_left_early_is_not_scored(tmp_path: Path) -> None:
    result = process("play", "wordle", stdin="crane\n", cwd=tmp_path)
    assert result.returncode == 0
    assert "not scored" in result.stdout
    record = json.loads(process("play", "wordle", "--json", stdin="crane\n", cwd=tmp_path).stdout)
    assert (record["reward"], record["terminated"], record["truncated"]) == (None, False, False)


def test_the_same_seed_draws_the_same_task(tmp_path: Path) -> None:
    games = [
        process("play", "wordle", "--seed", "5", "--json", stdin="crane\n", cwd=tmp_path) for _ in range(2)
    ]
    assert games[0].stdout == games[1].stdout


ANSWERS = [
    {"task": "panty", "completions": ["<guess>crane</guess>", "<guess>panty</guess>"]},
    {"task": "panty", "completion": "no idea"},
]


@pytest.fixture
def answers(tmp_path: Path) -> str:
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ANSWERS))
    return "answers.jsonl"


def test_scored_lines_go_to_standard_output(rftgym: Any, answers: str) -> None:
    lines = [json.loads(line) for line in rftgym("score", "--env", "wordle", answers).out.splitlines()]
    assert [{key: line[key] for key in given} for line, given in zip(lines, ANSWERS, strict=True)] == ANSWERS
    assert all({"reward", "success", "components", "error"} <= set(line) for line in lines)
    assert [line["success"] for line in lines] == [True, False]
    assert rftgym("score", "--env", "wordle", answers, "--json").json == lines


def test_scored_lines_go_to_a_file_and_a_summary_to_standard_output(
    rftgym: Any, tmp_path: Path, answers: str
) -> None:
    summary = rftgym("score", "--env", "wordle", answers, "--out", "out.jsonl", "--json").json
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert (summary["n"], summary["unscored"], summary["success"]) == (2, 0, 0.5)
    assert summary["reward"] == pytest.approx(sum(line["reward"] for line in lines) / 2)
    assert "2 answers" in rftgym("score", "--env", "wordle", answers, "--out", "again.jsonl").out


def test_rewards_and_weights_of_the_user_count(rftgym: Any, answers: str) -> None:
    rows = rftgym("score", "--env", "wordle", answers, "--weight", "win=10", "--json").json
    usual = rftgym("score", "--env", "wordle", answers, "--json").json
    assert rows[0]["reward"] == pytest.approx(usual[0]["reward"] + 9)
    added = rftgym("score", "--env", "wordle", answers, "--reward", "wordle-information=1", "--json").json
    assert "wordle-information" in added[0]["components"]


def test_what_a_reward_prints_does_not_spoil_json(tmp_path: Path) -> None:
    source = """
        import rftgym

        @rftgym.hookimpl
        def rftgym_rewards():
            return [rftgym.RewardSpec(id="noisy", entry_point="noise_plugin:noisy")]

        @rftgym.reward()
        def noisy(completion):
            print("NOISE")
            return 1.0
    """
    site = install(tmp_path / "site", "noise", "noise", source)
    (tmp_path / "answers.jsonl").write_text(json.dumps(ANSWERS[0]) + "\n")
    arguments = ["score", "--env", "wordle", "answers.jsonl", "--reward", "noisy=1", "--json"]
    result = process(*arguments, cwd=tmp_path, path=site)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)[0]["components"]["noisy"] == 1.0
    assert "NOISE" in result.stderr


# ---- doctor


def test_doctor_names_a_cure_for_every_lack(rftgym: Any) -> None:
    checks = rftgym("doctor", "--json").json["checks"]
    assert {check["group"] for check in checks} >= {
        "python",
        "packages",
        "device",
        "sandbox",
        "machine",
        "plugins",
    }
    assert all(bool(check["cure"]) == (not check["ok"]) for check in checks)
    versions = {check["name"]: check for check in checks if check["group"] == "packages"}
    assert versions["torch"]["ok"]
    assert {"jvm", "node", "stockfish", "bubblewrap", "landlock", "triton", "cache"} <= {
        check["name"] for check in checks
    }
