"""Tests of the reward; they need the plugin installed (``pip install -e .``), as a user has it."""

from __future__ import annotations

import pytest

import rftgym
from rftgym.plugins import discover
from rftgym.registry import make_reward


def test_is_found_and_named_with_its_distribution() -> None:
    found = discover().find("reward", "no-shouting")
    assert (found.plugin.distribution, found.plugin.error) == ("rftgym-example", None)


@pytest.mark.parametrize(
    ("completion", "value"),
    [
        ("<guess>crane</guess>", 1.0),
        ("THE ANSWER is crane", 0.5),
        ("WHY", 0.0),
        ("I think", 1.0),
        ("", 1.0),
        ("\ud800 12 !", 1.0),
    ],
)
def test_joins_an_environment_and_counts_there(completion: str, value: float) -> None:
    env = rftgym.make("wordle", max_turns=1)
    plain = rftgym.make("wordle", max_turns=1)
    env.rubric = env.rubric.changed(add=[make_reward("no-shouting", 0.5)])
    rewards = []
    for each in (env, plain):
        each.reset(seed=0)
        _, reward, _, _, info = each.step(completion)
        rewards.append(reward)
        assert not info.get("failures")
    assert rewards[0] - rewards[1] == pytest.approx(0.5 * value)
