"""Killed at any moment whatever, also while it resumes, a run ends with the files of one that nobody disturbed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HARNESS = Path(__file__).with_name("kill_everywhere.py")


def outcome(directory: Path, *numbers: int) -> dict[str, Any]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}  # a process with threads should not fork
    command = [sys.executable, str(HARNESS), str(directory), *map(str, numbers)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def different(found: dict[str, Any]) -> dict[str, list[str]]:
    return {moment: files for moment, files in found["found"].items() if files}


def test_some_moments(tmp_path: Path) -> None:
    found = outcome(tmp_path, 7, 35)
    assert len(found["found"]) >= 4 and found["moments"] > 100
    assert not different(found)
    kinds = ("best/step-000002/", "preflight.json", "report.html", "warm-start/graded-nudge-tiny/report.html")
    assert all(any(name.startswith(kind) for name in found["files"]) for kind in kinds)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_fourth_moment(tmp_path: Path) -> None:
    """All of them: ``python tests/kill_everywhere.py DIRECTORY 0 1``, some minutes."""
    found = outcome(tmp_path, 2, 4)
    assert len(found["found"]) >= found["moments"] // 4
    assert not different(found)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("before", [35, 90, 125])  # in the warm start, in training, in the last evaluation
def test_moments_of_a_resume(tmp_path: Path, before: int) -> None:
    found = outcome(tmp_path, 0, 5, before)
    assert len(found["found"]) > 2
    assert not different(found)
