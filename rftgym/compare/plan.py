"""What a comparison was asked to do, checked before anything is written."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from rftgym.config import RunConfig, Settings, merged
from rftgym.errors import UsageError
from rftgym.plugins import Plugins
from rftgym.registry import make_configured, policy_spec, trainer_class
from rftgym.specs import EnvSpec
from rftgym.training import resolve

LAYOUT = 1
"""Of the comparison's directory."""
DEFAULT_STEPS = 30
"""Optimizer steps of the RFT arms where the user gives none; few, since there are many runs."""
DEFAULT_SHOTS = 3
"""Solved tasks in the few-shot prompt, where the user gives no number and they fit."""
Arm = Literal["base", "few-shot", "sft", "rft", "sft-rft"]
ARMS: tuple[Arm, ...] = get_args(Arm)
TRAINED: tuple[Arm, ...] = ("sft", "rft", "sft-rft")
TAUGHT: tuple[Arm, ...] = ("few-shot", "sft", "sft-rft")
"""Arms that learn from solved tasks."""

ASSUMED: Mapping[str, Any] = {
    "evaluation": {"every_n": 128},
    "guard": {"preflight": "off", "dry_step": False},
    "checkpoints": {"every": 10},
}
"""For every run, where the user says nothing: the guards would say the same thing thirty times."""
ASSUMED_SFT: Mapping[str, Any] = {
    "source": "solutions",
    "steps": None,
    "epochs": 10.0,
    "validation_share": 0.1,
    "validate_every": 5,
    "patience": 3,
}
"""For the SFT arm: enough passes to fit a handful of conversations; the loss on those held back says when to stop."""
FEWEST_HELD_BACK = 10
"""With fewer tasks than this there is nothing to hold back, and SFT makes all its passes."""
NOTHING_HELD_BACK: Mapping[str, Any] = {"validation_share": 0.0, "patience": 0}


class Plan(Settings):
    """A comparison as ``comparison.json`` holds it.

    Attributes:
        settings: of every run, as ``rftgym train`` takes them. ``trainer`` belongs to the RFT arms; ``warm_start.id``
            and ``warm_start.settings`` to the SFT arm.
        env, model: their ids.
        sizes: numbers of tasks to learn from.
        seeds: of runs and of the choice of tasks; the results are pooled over them.
        arms: what is compared; "base" is always played, since the others are measured against it.
        trainer: the algorithm of the RFT arms, which takes ``steps`` optimizer steps; None where it does not count in
            steps.
        sft_trainer: the algorithm of the SFT arm.
        factors: multiples of each trained arm's learning rate that are tried on the validation split. One: no trial.
        rate_seed: of the trial runs; none of ``seeds``.
        shots: solved tasks in the few-shot prompt, at most.
        others: further environments that each trained policy plays, to see what it forgot.
        other_tasks: of each of them.
    """

    layout: int = LAYOUT
    settings: dict[str, Any]
    env: str
    model: str
    sizes: list[int]
    seeds: list[int]
    arms: list[Arm]
    trainer: str
    steps: int | None
    sft_trainer: str
    factors: list[float]
    rate_seed: int
    shots: int
    others: list[str]
    other_tasks: int = 64

    @property
    def runs_trained(self) -> tuple[Arm, ...]:
        """Arms that need training runs: SFT then RFT starts from the SFT arm's runs, asked for or not."""
        wanted = {*self.arms, *(["sft"] if "sft-rft" in self.arms else [])}
        return tuple(arm for arm in TRAINED if arm in wanted)


def planned(
    settings: Sequence[Mapping[str, Any]],
    plugins: Plugins,
    *,
    sizes: Sequence[int] = (10, 50, 100),
    seeds: Sequence[int] = (0, 1, 2),
    arms: Sequence[str] | None = None,
    factors: Sequence[float] = (0.33, 1.0, 3.0),
    others: Sequence[str] = (),
) -> Plan:
    """Check what was asked, against the environment and the model too.

    Args:
        settings: layers as ``rftgym train`` takes them, later ones winning; ``env.shots`` is the few-shot arm's.
        arms: None: all that the environment allows.
    Raises:
        UsageError: one line that names the option and the cure; nothing was written.
    """
    asked = merged(*settings)
    env_settings = dict(asked["env"]) if isinstance(asked.get("env"), Mapping) else {}
    if env_settings.get("train_tasks") is not None:
        raise UsageError("env.train_tasks is set: a comparison sets it itself, to each of --sizes")
    shots = _shots(env_settings.pop("shots", None))
    asked["env"] = env_settings
    config = resolve([assumed(asked, plugins), asked], plugins)
    _check_numbers(sizes, seeds, factors)
    env = make_configured(config.env, config.rewards, plugins=plugins)
    taught = next(iter(env.solved(1, 0)), None) is not None
    chosen = _arms(arms, taught=taught, env=env.id)
    _check_sizes(sizes, env.tasks.size("train"), env.id)
    for split in ("validation", config.evaluation.split):
        if env.tasks.size(split) == 0:
            raise UsageError(
                f"environment {env.id!r} has no tasks in split {split!r}, and a comparison needs some"
            )
    _check_model(config, chosen, plugins)
    for other in others:
        plugins.spec(EnvSpec, other)
    return Plan(
        settings=merged(asked, {"env": {"id": config.env.id}, "model": {"id": config.model.id}}),
        env=config.env.id,
        model=config.model.id,
        sizes=sorted(sizes),
        seeds=list(seeds),
        arms=chosen,
        trainer=config.trainer.id,
        steps=config.trainer.own.get("steps"),
        sft_trainer=config.warm_start.id,
        factors=sorted(factors),
        rate_seed=max(seeds) + 1,
        shots=shots,
        others=list(others),
    )


def assumed(asked: Mapping[str, Any], plugins: Plugins) -> dict[str, Any]:
    """:data:`ASSUMED` with a number of steps, where the RFT arms' trainer counts steps."""
    trainer = asked.get("trainer", {})
    id = trainer if isinstance(trainer, str) else trainer.get("id", "grpo")
    steps = (
        {"trainer": {"steps": DEFAULT_STEPS}}
        if "steps" in trainer_class(id, plugins=plugins).Config.model_fields
        else {}
    )
    return merged(ASSUMED, steps)


def _check_numbers(sizes: Sequence[int], seeds: Sequence[int], factors: Sequence[float]) -> None:
    if not sizes or min(sizes) < 1 or len(set(sizes)) < len(sizes):
        raise UsageError(
            f"--sizes {_listed(sizes)}: expected different numbers of tasks, 1 or more, say --sizes 10,50,100"
        )
    if not seeds or min(seeds) < 0 or len(set(seeds)) < len(seeds):
        raise UsageError(f"--seeds {_listed(seeds)}: expected different seeds, 0 or more, say --seeds 0,1,2")
    wrong = [each for each in factors if not (each > 0 and math.isfinite(each))]
    if not factors or wrong or len({f"{each:g}" for each in factors}) < len(factors):  # as they name runs
        raise UsageError(
            f"--rates {_listed(factors)}: expected different positive factors, say --rates 0.33,1,3"
        )


def _shots(asked: object) -> int:
    """None and 0, as in the configuration of any run, stand for the default."""
    try:
        shots = int(str(asked or DEFAULT_SHOTS))
    except ValueError:
        shots = -1
    if shots < 1:
        raise UsageError(
            f"--shots {asked}: expected a number of solved tasks, 1 or more; --arms leaves the few-shot arm out"
        )
    return shots


def _listed(values: Sequence[object]) -> str:
    return ",".join(map(str, values)) or "''"


def _arms(asked: Sequence[str] | None, *, taught: bool, env: str) -> list[Arm]:
    if asked is None:
        return [arm for arm in ARMS if taught or arm not in TAUGHT]
    unknown = [arm for arm in asked if arm not in ARMS]
    if unknown or not asked:
        raise UsageError(
            f"--arms: no arm {', '.join(map(repr, unknown)) or 'given'}; arms are {', '.join(ARMS)}"
        )
    untaught = [arm for arm in TAUGHT if arm in asked and not taught]
    if untaught:
        raise UsageError(
            f"--arms {','.join(untaught)}: environment {env!r} shows no solved tasks to learn from (its method "
            "demonstrate() gives none); take --arms base,rft"
        )
    if set(asked) == {"base"}:
        raise UsageError("--arms base: name at least one arm that the base model is compared with")
    return [arm for arm in ARMS if arm == "base" or arm in asked]


def _check_sizes(sizes: Sequence[int], there: int | None, env: str) -> None:
    if there is not None and max(sizes) > there:
        raise UsageError(f"--sizes {max(sizes)}: the train split of environment {env!r} has {there} tasks")


def _check_model(config: RunConfig, arms: Sequence[Arm], plugins: Plugins) -> None:
    """What only a run would find out, in minutes: algorithms that do not fit their arm, models without weights."""
    if not policy_spec(config.model.id, plugins).trainable:
        raise UsageError(
            f"model {config.model.id!r} has no weights that can be trained or measured here; see `rftgym list policy`"
        )
    if not trainer_class(config.trainer.id, plugins=plugins).on_policy:
        raise UsageError(
            f"--trainer {config.trainer.id}: the RFT arms take an algorithm that plays, say --trainer grpo; supervised "
            "fine-tuning has an arm of its own"
        )
    if "sft" in arms or "sft-rft" in arms:
        trainer_class(config.warm_start.id, plugins=plugins)
