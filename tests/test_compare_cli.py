"""``rftgym compare`` as a command: what it refuses, worker processes, Ctrl-C, SIGKILL."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from rftgym.cli import main

HERE = Path(__file__).parent
SMALL = [
    *(
        "--env",
        "letters",
        "--sizes",
        "3",
        "--seeds",
        "0,1",
        "--rates",
        "1",
        "--steps",
        "2",
        "--group-size",
        "2",
    ),
    *(
        "-n",
        "6",
        "--set",
        "trainer.prompts=3",
        "--set",
        "trainer.learning_rate=5e-3",
        "--set",
        "trainer.warmup=0",
    ),
    *("--set", "evaluation.every=1", "--set", "evaluation.every_n=6", "--set", "checkpoints.every=1"),
    *("--set", "warm_start.settings.epochs=1"),
]
CLOCKED = {"cpu_seconds", "wall_seconds", "equal_compute", "run", "advice", "comparison", "tokens_per_second"}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Of a process in which the toy environment is an installed plugin."""
    folder = tmp_path_factory.mktemp("installed")
    (folder / "letters-1.0.dist-info").mkdir()
    (folder / "letters-1.0.dist-info" / "METADATA").write_text("Name: letters\nVersion: 1.0\n")
    (folder / "letters-1.0.dist-info" / "entry_points.txt").write_text(
        "[rftgym]\nletters = compare_letters_plugin\n"
    )
    for module in ("compare_letters.py", "compare_letters_plugin.py"):
        (folder / module).write_text((HERE / module).read_text())
    return {**os.environ, "PYTHONPATH": str(folder)}


def started(*arguments: str, cwd: Path, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "rftgym", "compare", *arguments],
        cwd=cwd,
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def done(*arguments: str, cwd: Path, environment: Mapping[str, str]) -> tuple[int, str, str]:
    process = started(*arguments, cwd=cwd, environment=environment)
    out, err = process.communicate(timeout=280)
    return process.returncode, out, err


def scores(value: Any) -> Any:
    """All that does not depend on the clock."""
    if isinstance(value, Mapping):
        return {key: scores(item) for key, item in value.items() if key not in CLOCKED}
    return [scores(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--env", "wordle", "--sizes", "ten"], "--sizes 'ten'"),
        (["--env", "wordle", "--sizes", "0"], "--sizes 0"),
        (["--env", "wordle", "--sizes", "1000000"], "the train split"),
        (["--env", "wordle", "--seeds", "0,0"], "--seeds 0,0"),
        (["--env", "wordle", "--rates", "-1"], "--rates"),
        (["--env", "wordle", "--rates", "1,1.0000001"], "--rates"),
        (["--env", "wordle", "--shots", "-1"], "--shots -1"),
        (["--env", "wordle", "--set", "env.shots=many"], "--shots many"),
        (["--env", "wordle", "--arms", "sft,dpo"], "no arm 'dpo'"),
        (["--env", "wordel"], "wordle"),
        (["--sizes", "10"], "no environment"),
        (["--env", "wordle", "--jobs", "0"], "--jobs"),
        (["--env", "wordle", "--trainer", "sft"], "an algorithm that plays"),
        (["--env", "wordle", "--set", "trainer.stepz=1"], "stepz"),
        (["--env", "wordle", "--set", "warm_start.settings.epochz=1"], "epochz"),
        (["--resume", "nowhere"], "no comparison at nowhere"),
        (["--resume", "nowhere", "--env", "wordle"], "leave out all options"),
        (["--resume", "nowhere", "--sizes", "10"], "leave out all options"),
    ],
)
def test_bad_usage_is_one_line_and_code_2_and_nothing_is_written(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["compare", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert line.startswith("rftgym: error: ") and message in line
    assert not list(tmp_path.iterdir())


def test_an_environment_without_solutions_has_no_sft_arm(environment: dict[str, str], tmp_path: Path) -> None:
    arguments = ["--env", "unsolved", "--sizes", "3", "--arms", "sft,rft"]
    code, _, err = done(*arguments, cwd=tmp_path, environment=environment)
    assert code == 2 and "--arms base,rft" in err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("in_the_way", ["a file", "no permission"])
def test_a_place_that_cannot_be_written_is_bad_usage(
    in_the_way: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "place"
    if in_the_way == "a file":
        place.write_text("")
    else:
        if os.geteuid() == 0:
            place = Path("/proc/rftgym-comparisons")  # where root may not write either
        else:
            place.mkdir(mode=0o500)
    assert main(["compare", "--env", "wordle", "--out", str(place)]) == 2
    assert "--out DIR" in capsys.readouterr().err


@pytest.mark.parametrize("content", [None, "{", "[]", '{"layout": 1}', '{"layout": 99}'])
def test_what_is_no_comparison_is_not_resumed(
    content: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / "comparison.json").write_text(content)
    assert main(["compare", "--resume", str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert str(tmp_path) in line
    assert [path.name for path in tmp_path.iterdir()] == ([] if content is None else ["comparison.json"])


@pytest.fixture(scope="module")
def undisturbed(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any], str]:
    """A comparison by one worker process: its directory, what it printed, and what it said."""
    folder = tmp_path_factory.mktemp("one")
    code, out, err = done(*SMALL, "--jobs", "1", "--json", cwd=folder, environment=environment)
    assert code == 0, err
    result = json.loads(out)
    return Path(result["comparison"]), result, err


@pytest.mark.slow
def test_progress_is_a_line_a_job_with_what_remains(undisturbed: tuple[Path, dict[str, Any], str]) -> None:
    directory, _, said = undisturbed
    lines = [line.strip() for line in said.splitlines()]
    assert lines[0] == f"comparison {directory}"
    assert "grpo, 2 steps" in lines[1]
    finished = [line for line in lines if "/9 " in line]
    assert [int(line.partition("/")[0]) for line in finished] == list(range(1, 10))
    assert all(line.endswith("left") for line in finished)
    assert any(line.startswith("about ") for line in lines)


@pytest.mark.slow
def test_the_number_of_processes_changes_no_score(
    undisturbed: tuple[Path, dict[str, Any], str], environment: dict[str, str], tmp_path: Path
) -> None:
    code, out, err = done(*SMALL, "--jobs", "2", "-q", "--json", cwd=tmp_path, environment=environment)
    assert (code, err) == (0, "")
    assert scores(json.loads(out)) == scores(undisturbed[1])


def first_line_with(process: subprocess.Popen[str], text: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return
    pytest.fail(f"it never said {text!r}")


@pytest.fixture
def interrupted(environment: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A comparison under way, of which one training run is over."""
    process = started(*SMALL, "--jobs", "1", cwd=tmp_path, environment=environment)
    guard = threading.Timer(240, process.kill)
    guard.start()
    first_line_with(process, "2/9")
    yield process
    guard.cancel()
    process.kill()


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return [int(child) for child in children]


def lives(process: int) -> bool:
    status = Path(f"/proc/{process}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def ended(processes: list[int], seconds: float = 20.0) -> bool:
    limit = time.monotonic() + seconds
    while any(map(lives, processes)) and time.monotonic() < limit:
        time.sleep(0.1)
    return not any(map(lives, processes))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
def test_killed_it_leaves_no_process_and_goes_on_to_the_same_scores(
    interrupted: subprocess.Popen[str],
    undisturbed: tuple[Path, dict[str, Any], str],
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    workers = workers_of(interrupted)
    assert workers
    interrupted.kill()
    interrupted.wait()
    assert ended(workers)
    (directory,) = (tmp_path / "comparisons").iterdir()
    over = {path: path.stat().st_mtime_ns for path in directory.glob("runs/*/measures.json")}
    assert over
    code, out, err = done(
        "--resume", str(directory), "--jobs", "1", "--json", cwd=tmp_path, environment=environment
    )
    assert code == 0, err
    assert scores(json.loads(out)) == scores(undisturbed[1])
    assert {path: path.stat().st_mtime_ns for path in over} == over


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("times", [1, 2])
def test_interrupted_it_says_how_to_go_on(
    times: int, interrupted: subprocess.Popen[str], tmp_path: Path
) -> None:
    workers = workers_of(interrupted)
    for _ in range(times):
        os.kill(interrupted.pid, signal.SIGINT)
        time.sleep(0.05)
    _, err = interrupted.communicate(timeout=200)
    assert interrupted.returncode == 130
    assert "Traceback" not in err
    (directory,) = (tmp_path / "comparisons").iterdir()
    (line,) = [line for line in err.splitlines() if "--resume" in line]
    assert line.endswith(f"rftgym compare --resume {directory}")
    assert ended(workers)


@pytest.mark.slow
def test_a_worker_that_dies_is_named_and_its_job_can_be_tried_again(
    interrupted: subprocess.Popen[str], environment: dict[str, str], tmp_path: Path
) -> None:
    (worker,) = workers_of(interrupted)
    os.kill(worker, signal.SIGKILL)
    _, err = interrupted.communicate(timeout=280)
    assert interrupted.returncode == 1
    assert "its process ended with code -9" in err
    (directory,) = (tmp_path / "comparisons").iterdir()
    code, _, err = done("--resume", str(directory), "-q", cwd=tmp_path, environment=environment)
    assert code == 0, err
