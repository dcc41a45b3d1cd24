"""Runs that are killed and resumed end as undisturbed ones, bit by bit; ``benchmarks/sigkill.py`` does the killing."""

from __future__ import annotations

import copy
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl", reason="pip install trl")
HARNESS = Path(__file__).parents[1] / "benchmarks" / "sigkill.py"


def killed(*arguments: str) -> str:
    """Run the harness; what it printed. Fails on any difference."""
    command = [sys.executable, str(HARNESS), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    return done.stdout


def test_grpo_with_several_updates_a_batch_killed_once() -> None:
    shorter = {"trainer": {"steps": 8}, "evaluation": {"n": 2, "every_n": 2, "every": 4}}
    said = killed("grpo", "--moments", "1", "--seed", "3", "--settings", json.dumps(shorter))
    assert "grpo: 1 of 1 moments ended bit-identical" in said


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("run", ["grpo", "ppo", "sft", "rloo", "warm-start"])
def test_killed_at_three_moments(run: str) -> None:
    assert f"{run}: 3 of 3 moments ended bit-identical" in killed(run, "--moments", "3")


# ---- the harness itself: a comparison that cannot fail would prove nothing


@pytest.fixture(scope="module")
def harness() -> Any:
    spec = importlib.util.spec_from_file_location("sigkill", HARNESS)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


OUTCOME = {
    "weights": {"adapter_model.safetensors": "abc"},
    "metrics": [{"step": 1, "loss": 0.5, "kl": float("nan")}],
    "episodes": {1: [["crane", 7, 0, 0.25, [1, 2, 3], [[-0.5]]]]},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("weights", "adapter_model.safetensors"), "abd"),
        (("metrics", 0, "loss"), 0.5000000000000001),
        (("episodes", 1, 0, 4), [1, 2]),
        (("episodes", 1, 0, 5), [[-0.25]]),
        (("metrics",), []),
    ],
    ids=lambda value: str(value),
)
def test_every_difference_is_found(harness: Any, path: tuple[Any, ...], value: Any) -> None:
    other = copy.deepcopy(OUTCOME)
    place: Any = other
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    (found,) = harness.differences(OUTCOME, other)
    assert found.startswith(f"/{path[0]}")
    assert not list(harness.differences(OUTCOME, copy.deepcopy(OUTCOME)))


def test_times_and_memory_may_differ_and_nothing_else(harness: Any) -> None:
    fields = {"seconds/step": 1, "tokens_per_second": 2, "peak_memory_bytes": 3, "time": 4, "run": "x"}
    kept = {"reward": 1, "success": 2, "tokens": 3, "runs": 4, "timeouts": 5, "step": 6, "episodes": 7}
    assert harness._lasting({"a": [{**fields, **kept}]}) == {"a": [kept]}


def test_moments_cover_a_runs_whole_life(harness: Any) -> None:
    found = harness.moments(10, 5.0, 0)
    assert [int(at / 0.5) for at in found] == list(range(10))
    assert found == harness.moments(10, 5.0, 0) != harness.moments(10, 5.0, 1)
