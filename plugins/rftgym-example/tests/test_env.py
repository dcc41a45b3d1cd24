"""Tests of the environment; they need the plugin installed (``pip install -e .``), as a user has it."""

from __future__ import annotations

import pytest

import rftgym
from rftgym.plugins import discover
from rftgym.testing import check_env


def test_is_found_and_named_with_its_distribution() -> None:
    found = discover().find("env", "sort-digits")
    assert (found.plugin.distribution, found.plugin.error) == ("rftgym-example", None)


def test_keeps_the_contract_of_environments() -> None:
    check_env("sort-digits", completions=["<answer>01234</answer>", "<answer>12"])


@pytest.mark.parametrize(
    ("said", "reward", "success"),
    [
        ("{solution}", 1.05, True),
        ("I think: {solution}", 1.05, True),
        ("<answer>0</answer>", 0.05, False),
        ("{solution}{solution}", 0.0, False),  # right, but behind the gate of the format
        ("no tags", 0.0, False),
        ("", 0.0, False),
    ],
)
def test_rewards(said: str, reward: float, success: bool) -> None:
    env = rftgym.make("sort-digits")
    env.reset(seed=0)
    conversation = env.demonstrate(env.trajectory.task, seed=0)
    assert conversation is not None
    completion = said.replace("{solution}", conversation[-1].content)
    _, paid, terminated, truncated, info = env.step(completion)
    assert (terminated, truncated) == (True, False)
    assert paid == pytest.approx(reward)
    assert info["score"].success is success


def test_no_cheat_is_a_solution() -> None:
    env = rftgym.make("sort-digits")
    won = []
    for task in env.tasks.sample("train", 100, seed=0):
        for completion in env.cheats(task).values():
            env.reset(options={"task": task.id})
            assert isinstance(completion, str)
            won.append(env.step(completion)[4]["score"].success)
    assert sum(won) <= 0.02 * len(won)


def test_splits_never_share_an_answer() -> None:
    env = rftgym.make("sort-digits")
    answers = {
        split: {"".join(sorted(task.data["digits"])) for task in env.tasks.sample(split, 300, seed=1)}
        for split in ("train", "validation", "test")
    }
    assert not answers["train"] & answers["test"]
    assert not answers["train"] & answers["validation"]
    assert not answers["validation"] & answers["test"]
