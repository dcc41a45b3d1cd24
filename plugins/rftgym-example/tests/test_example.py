"""The plugin's own tests: they need it installed (``pip install -e .``), as a user has it."""

from __future__ import annotations

from pathlib import Path

import pytest

import rftgym
from rftgym.plugins import discover
from rftgym.registry import make_reward
from rftgym.runs.directory import RunDirectory
from rftgym.testing import check_env


def test_is_found_and_named_with_its_distribution() -> None:
    found = discover().find("env", "sort-digits")
    assert (found.plugin.distribution, found.plugin.error) == ("rftgym-example", None)


def test_keeps_the_contract_of_environments() -> None:
    check_env("sort-digits", completions=["<answer>0123</answer>", "<answer>12"])


@pytest.mark.parametrize(
    ("completion", "reward", "success"),
    [
        ("<answer>0123</answer>", 1.3, True),
        ("I think: <answer>0123</answer>", 1.3, True),
        ("<answer>0132</answer>", 0.1 + 0.2 * 0.5, False),
        ("<answer>01233</answer>", 0.1, False),
        (
            "<answer>0123</answer><answer>0123</answer>",
            0.2,
            False,
        ),  # right, but behind the gate of the format
        ("0123", 0.0, False),
        ("", 0.0, False),
    ],
)
def test_rewards(completion: str, reward: float, success: bool, tmp_path: Path) -> None:
    tasks = tmp_path / "tasks.jsonl"
    tasks.write_text('{"id": "mine", "digits": "3021"}\n')
    env = rftgym.make("sort-digits", tasks=type(rftgym.make("sort-digits")).read_tasks(tasks))
    observation, _ = env.reset(seed=0, options={"task": "mine"})
    assert observation == "Digits: 3021"
    _, paid, terminated, truncated, info = env.step(completion)
    assert (terminated, truncated) == (True, False)
    assert paid == pytest.approx(reward)
    assert info["score"].success is success


def test_splits_never_share_a_number() -> None:
    tasks = rftgym.make("sort-digits").tasks
    last = {
        split: {task.data["digits"][-1] for task in tasks.sample(split, 200, seed=1)}
        for split in ("train", "test")
    }
    assert last["test"] == {"9"}
    assert "9" not in last["train"] and "8" not in last["train"]


def test_calm_joins_another_environment() -> None:
    env = rftgym.make("sort-digits")
    env.rubric = env.rubric.changed(add=[make_reward("calm", 0.5)])
    for completion, calm in (("<answer>1</answer>", 1.0), ("<answer>1</answer>!", 0.0)):
        env.reset(seed=0)
        *_, info = env.step(completion)
        assert info["score"].components["calm"] == calm


def test_evaluations_are_noted_in_the_run(tmp_path: Path) -> None:
    plugins = discover()
    run = RunDirectory.create(tmp_path, name="sort-digits", config={}, plugins=plugins)
    success = {"mean": 0.5, "low": 0.25, "high": 0.75}
    for step in (0, 10):
        plugins.hooks.on_evaluate(run=run, step=step, evaluation={"success": success})
    assert (run.path / "held-out.tsv").read_text() == "0\t0.5\t0.25\t0.75\n10\t0.5\t0.25\t0.75\n"
