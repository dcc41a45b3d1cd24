"""A third party's plugin, really built and installed: found, used from the command line, and its own tests pass."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parents[1] / "plugins" / "rftgym-example"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the plugin installed from its wheel; on PYTHONPATH it is as good as site-packages."""
    target = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--no-build-isolation",
    ]
    subprocess.run(
        [*command, "--target", str(target), str(EXAMPLE)], check=True, capture_output=True, text=True
    )
    return target


def run(installed: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    paths = [str(installed), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def rftgym(installed: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return run(
        installed, "-c", "import sys; from rftgym.cli import main; sys.exit(main())", *arguments, cwd=cwd
    )


def test_is_listed_with_its_distribution(installed: Path, tmp_path: Path) -> None:
    result = rftgym(installed, "list", "--json", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    rows = [row for row in json.loads(result.stdout) if row["distribution"] == "rftgym-example"]
    assert {(row["kind"], row["id"]) for row in rows} >= {("env", "sort-digits"), ("reward", "calm")}
    assert all(row["loaded"] and row["error"] is None and row["version"] == "0.1.0" for row in rows)


def test_its_environment_is_used_from_the_command_line(installed: Path, tmp_path: Path) -> None:
    tasks = tmp_path / "tasks.jsonl"
    tasks.write_text('{"id": "mine", "digits": "3021"}\n')
    answers = tmp_path / "answers.jsonl"
    answers.write_text('{"task": "mine", "completion": "<answer>0123</answer>"}\n')
    out = tmp_path / "out.jsonl"
    options = ["--env", "sort-digits", str(answers), "--tasks", str(tasks), "--out", str(out)]
    result = rftgym(installed, "score", *options, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    (line,) = [json.loads(text) for text in out.read_text().splitlines()]
    assert line["success"] is True
    assert line["reward"] == pytest.approx(1.3)
    assert line["components"] == {"format": 1.0, "placed": 1.0, "correct": 1.0}


def test_its_own_tests_pass(installed: Path, tmp_path: Path) -> None:
    options = [
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        "-c",
        os.devnull,
        "--import-mode=importlib",
    ]
    result = run(installed, "-m", "pytest", *options, str(EXAMPLE / "tests"), cwd=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert " passed" in result.stdout
