"""How settings are layered into the configuration of a run."""

from __future__ import annotations

from typing import Any

import pytest

import rftgym
from rftgym.config import dotted, merged
from rftgym.errors import UsageError
from rftgym.plugins import Plugins
from rftgym.registry import installed
from rftgym.training import resolve


def plugins() -> Plugins:
    """An environment and a model with opinions, beside GRPO."""

    class Opinions:
        @rftgym.hookimpl
        def rftgym_environments(self) -> list[rftgym.EnvSpec]:
            assumed = {
                "trainer.steps": 7,
                "trainer.warmup": 5,
                "sampling.max_tokens": 9,
                "trainer.horizon": 3,
            }
            return [rftgym.EnvSpec("puzzle", "nowhere:Env", default_model="small", train_defaults=assumed)]

        @rftgym.hookimpl
        def rftgym_policies(self) -> list[rftgym.PolicySpec]:
            return [
                rftgym.PolicySpec("small", "nowhere:load", train_defaults={"trainer.warmup": 1}),
                rftgym.PolicySpec("large", "nowhere:load"),
            ]

        @rftgym.hookimpl
        def rftgym_trainers(self) -> list[rftgym.TrainerSpec]:
            return [rftgym.TrainerSpec("grpo", "rftgym_grpo.trainer:GRPO")]

    found = Plugins()
    found.add(Opinions(), name="opinions")
    return found


def test_the_user_wins_over_the_model_and_the_model_over_the_environment() -> None:
    config = resolve([{"env": "puzzle"}, dotted({"trainer.steps": 2})], plugins())
    assert (config.model.id, config.trainer.own["steps"], config.trainer.own["warmup"]) == ("small", 2, 1)
    assert config.sampling.max_tokens == 9
    assert config.trainer.own["group_size"] == 8  # the trainer's own default, written out
    assert "horizon" not in config.trainer.own  # means nothing to this trainer


def test_another_model_brings_its_own_assumptions() -> None:
    config = resolve([{"env": "puzzle", "model": "large"}], plugins())
    assert (config.model.id, config.trainer.own["warmup"]) == ("large", 5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "no environment"),
        ({"env": "puzle"}, "did you mean 'puzzle'"),
        ({"env": "puzzle", "model": "smal"}, "did you mean 'small'"),
        ({"env": "puzzle", "sampling": {"temprature": 1}}, "did you mean 'temperature'"),
        ({"env": "puzzle", "trainer": {"steps": 0}}, "steps"),
        ({"env": "puzzle", "trainer": {"stepz": 4}}, "stepz"),
        ({"env": "puzzle", "trainer": "gpro"}, "did you mean 'grpo'"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        resolve([settings], plugins())
    assert "\n" not in str(caught.value)


def test_the_bundled_model_trains_wordle_at_its_own_rate_and_another_does_not() -> None:
    tiny = resolve([{"env": "wordle"}], installed())
    other = resolve([{"env": "wordle", "model": "smollm2-135m"}], installed())
    assert tiny.trainer.own["learning_rate"] > 10 * other.trainer.own["learning_rate"]
    assert tiny.trainer.own["steps"] == other.trainer.own["steps"]


def test_layers_merge_deeply_and_leave_their_sources_alone() -> None:
    below: dict[str, Any] = {"model": {"lora": {"rank": 4, "alpha": 8.0}}, "env": "a"}
    above = {"model": {"lora": {"rank": 2}}, "env": {"id": "b"}}
    assert merged(below, above) == {"model": {"lora": {"rank": 2, "alpha": 8.0}}, "env": {"id": "b"}}
    assert below["model"]["lora"]["rank"] == 4
