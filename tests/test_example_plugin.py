"""A third party's plugin, really built and installed: found, used from the command line, and its own tests pass."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rftgym.scaffold import KINDS

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
    assert {(row["kind"], row["id"]) for row in rows} >= {(kind.name, kind.id) for kind in KINDS.values()}
    assert all(row["loaded"] and row["error"] is None and row["version"] == "0.1.0" for row in rows)


def test_its_environment_and_its_reward_are_used_from_the_command_line(
    installed: Path, tmp_path: Path
) -> None:
    answers = tmp_path / "answers.jsonl"
    answers.write_text('{"task": "test-0-1", "completion": "<answer>33689</answer> DONE"}\n')
    out = tmp_path / "out.jsonl"
    options = ["--env", "sort-digits", str(answers), "--reward", "no-shouting=0.5", "--out", str(out)]
    result = rftgym(installed, "score", *options, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    (line,) = [json.loads(text) for text in out.read_text().splitlines()]
    assert line["success"] is True
    assert line["components"] == {"format": 1.0, "correct": 1.0, "no-shouting": pytest.approx(2 / 3)}
    assert line["reward"] == pytest.approx(1.05 + 0.5 * 2 / 3)


def test_its_policy_is_used_from_the_command_line(installed: Path, tmp_path: Path) -> None:
    options = ["--env", "sort-digits", "--model", "prompt-parrot", "-n", "16", "--json"]
    result = rftgym(installed, "eval", *options, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["n"] == 16 and not found["failures"]


def own_tests(installed: Path, tmp_path: Path, *files: str) -> None:
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
    result = run(
        installed, "-m", "pytest", *options, *(str(EXAMPLE / "tests" / file) for file in files), cwd=tmp_path
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert " passed" in result.stdout


def test_its_own_tests_pass(installed: Path, tmp_path: Path) -> None:
    own_tests(installed, tmp_path, "test_env.py", "test_reward.py", "test_policy.py", "test_listener.py")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_tests_of_its_trainer_pass(installed: Path, tmp_path: Path) -> None:
    own_tests(installed, tmp_path, "test_trainer.py")


def test_every_part_has_a_test_and_a_section_in_its_readme() -> None:
    headings = [line for line in (EXAMPLE / "README.md").read_text().splitlines() if line.startswith("## ")]
    for kind in KINDS.values():
        assert (EXAMPLE / "rftgym_example" / kind.module).is_file()
        assert (EXAMPLE / "tests" / f"test_{kind.module}").is_file()
        assert sum(f"`{kind.id}`" in heading for heading in headings) == 1
