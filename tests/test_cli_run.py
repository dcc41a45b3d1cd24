"""``rftgym train`` and ``rftgym eval`` for real, with the bundled model: shapes, precedence, Ctrl-C, resume."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from rftgym.cli import main

SMALL = ["--group-size", "2", "-n", "2", "--eval-every", "0", "--set", "trainer.prompts=2"]
EVALUATION = {
    "env",
    "model",
    "split",
    "n",
    "success",
    "reward",
    "components",
    "tokens_per_second",
    "peak_memory_bytes",
}
INTERVAL = {"mean", "low", "high"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    """The result of one small run, and what it said on standard error."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "run.yaml").write_text("env: wordle\ntrainer: {steps: 7, learning_rate: 2.0e-4}\nseed: 3\n")
    arguments = ["train", "--config", "run.yaml", "--steps", "2", *SMALL, "--weight", "win=2", "--json"]
    result = run(*arguments, cwd=folder)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    return {**found, "run": str(folder / found["run"])}, result.stderr


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rftgym", *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )


def check_evaluation(evaluation: dict[str, Any]) -> None:
    assert set(evaluation) >= EVALUATION
    for interval in [evaluation["success"], evaluation["reward"], *evaluation["components"].values()]:
        assert set(interval) == INTERVAL
        assert interval["low"] <= interval["mean"] <= interval["high"]
    assert {"win", "format"} <= set(evaluation["components"])


def test_train_ends_with_the_promised_json(trained: tuple[dict[str, Any], str]) -> None:
    result, _ = trained
    assert set(result) == {"run", "steps", "before", "after"}
    assert result["steps"] == 2
    check_evaluation(result["before"])
    check_evaluation(result["after"])
    assert result["before"]["n"] == result["after"]["n"] == 2


def test_options_win_over_the_file_and_the_file_over_the_defaults(
    trained: tuple[dict[str, Any], str],
) -> None:
    config = json.loads((Path(trained[0]["run"]) / "config.json").read_text())
    assert config["trainer"]["steps"] == 2
    assert config["trainer"]["learning_rate"] == 2e-4
    assert (config["seed"], config["rewards"]["weights"], config["model"]["id"]) == (3, {"win": 2.0}, "tiny")


def test_progress_goes_to_standard_error_a_line_a_step(trained: tuple[dict[str, Any], str]) -> None:
    lines = [line.strip() for line in trained[1].splitlines()]
    steps = [line for line in lines if line.startswith("step ")]
    assert [line.split()[1] for line in steps] == ["1/2", "2/2"]
    assert all(word in steps[-1] for word in ("reward", "held-out", "tok/s", "min left"))


def test_a_run_can_be_evaluated_next_to_what_it_started_from(
    trained: tuple[dict[str, Any], str], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["eval", "--env", "wordle", "--model", trained[0]["run"], "--baseline", "tiny", "-n", "3"]
    assert main([*arguments, "--samples", "2", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    for evaluation in (result, result["baseline"], result["difference"]):
        check_evaluation(evaluation)
    assert set(result["pass_at_k"]) == {"1", "2"}
    assert result["reward"]["mean"] - result["baseline"]["reward"]["mean"] == pytest.approx(
        result["difference"]["reward"]["mean"]
    )
    assert main([*arguments, "--quiet"]) == 0
    said = capsys.readouterr()
    header = next(line for line in said.out.splitlines() if "difference" in line)
    assert header.split() == ["tiny", Path(trained[0]["run"]).name, "difference"]
    assert "3 test tasks, 1 episode each" in said.out
    assert said.err == ""


def test_a_complete_run_is_not_resumed(
    trained: tuple[dict[str, Any], str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "--resume", trained[0]["run"]]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "complete" in line


def test_a_run_that_fails_is_one_line_and_code_1(tmp_path: Path) -> None:
    (tmp_path / "judge-1.0.dist-info").mkdir()
    (tmp_path / "judge-1.0.dist-info" / "METADATA").write_text("Name: judge\nVersion: 1.0\n")
    (tmp_path / "judge-1.0.dist-info" / "entry_points.txt").write_text("[rftgym]\njudge = judge\n")
    (tmp_path / "judge.py").write_text(
        "import rftgym\n\n"
        "@rftgym.hookimpl\n"
        "def rftgym_rewards():\n"
        "    return [rftgym.RewardSpec(id='judge', entry_point='judge:judge')]\n\n"
        "@rftgym.reward()\n"
        "def judge(completion):\n"
        "    raise RuntimeError('the judge is ill')\n"
    )
    command = [
        sys.executable,
        "-m",
        "rftgym",
        "eval",
        "--env",
        "wordle",
        "-n",
        "2",
        "-q",
        "--reward",
        "judge=1",
    ]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    result = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("rftgym: error: ")
    assert "judge" in line
    assert "the judge is ill" in line


def interrupted(*arguments: str, cwd: Path, at: str, number: int, twice: bool = False) -> tuple[int, str]:
    """Run ``rftgym``, send a signal once a line with ``at`` stands on standard error; exit code and all it said."""
    command = [sys.executable, "-m", "rftgym", *arguments]
    process = subprocess.Popen(command, cwd=cwd, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    guard = threading.Timer(240, process.kill)
    guard.start()
    lines: list[str] = []
    assert process.stderr is not None
    for line in process.stderr:
        lines.append(line)
        if at in line:
            os.kill(process.pid, number)
        if twice and "once more" in line:
            os.kill(process.pid, number)
    code = process.wait()
    guard.cancel()
    return code, "".join(lines)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_interrupt_stops_with_a_checkpoint_and_the_run_goes_on_from_it(
    tmp_path: Path, number: int
) -> None:
    start = ["train", "--env", "wordle", "--steps", "5", *SMALL]
    code, said = interrupted(*start, cwd=tmp_path, at="step 2/", number=number)
    assert code == 130, said
    assert "Traceback" not in said
    (command,) = [line for line in said.splitlines() if "rftgym train --resume" in line]
    (path,) = (tmp_path / "runs").iterdir()
    assert command.endswith(f"--resume runs/{path.name}")
    assert list((path / "checkpoints").iterdir())
    assert not (path / "result.json").exists()

    resumed = run("train", "--resume", f"runs/{path.name}", "--json", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert json.loads(resumed.stdout)["steps"] == 5
    metrics = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in metrics] == [1, 2, 3, 4, 5]


@pytest.mark.slow
def test_a_second_interrupt_stops_at_once(tmp_path: Path) -> None:
    start = ["train", "--env", "wordle", "--steps", "50", *SMALL]
    code, said = interrupted(*start, cwd=tmp_path, at="step 1/", number=signal.SIGINT, twice=True)
    assert code == 130, said
    assert "Traceback" not in said
    assert "rftgym: interrupted; go on with: rftgym train --resume runs/" in said
