"""The runs that a comparison is made of: which there are, what they wait for, and how each is configured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from rftgym.compare.plan import ASSUMED_SFT, FEWEST_HELD_BACK, NOTHING_HELD_BACK, Arm, Plan, assumed
from rftgym.config import RunConfig, merged
from rftgym.errors import UsageError
from rftgym.plugins import Plugins
from rftgym.registry import trainer_class
from rftgym.training import resolve

POINTS = 4
"""Stretches that the validation curve of a training run has."""


@dataclass(frozen=True, slots=True)
class Job:
    """One run, or one evaluation of a policy that is not trained.

    Attributes:
        id: its folder's name: arm, size and seed.
        size: tasks it may learn from; 0 for the base model.
        factor: of the learning rate, for a trial run on the validation split; None for a run that is reported.
        needs: ids of the jobs that must be over before.
    """

    id: str
    arm: Arm
    size: int
    seed: int
    factor: float | None = None
    needs: tuple[str, ...] = ()

    @property
    def trains(self) -> bool:
        """Whether it changes weights."""
        return self.arm not in ("base", "few-shot")


def all_jobs(plan: Plan) -> list[Job]:
    """Every job, in the order in which they are best begun: what others wait for first."""
    cells = [(size, seed) for size in reversed(plan.sizes) for seed in plan.seeds]
    jobs = [Job("base", "base", 0, 0)]
    jobs += [job for arm in plan.runs_trained for job in trials(plan, arm)]
    for arm in plan.runs_trained:
        needs = tuple(job.id for job in trials(plan, arm))
        for size, seed in cells:
            start = (reported_id("sft", size, seed),) if arm == "sft-rft" else ()
            jobs.append(Job(reported_id(arm, size, seed), arm, size, seed, needs=needs + start))
    if "few-shot" in plan.arms:
        jobs += [Job(reported_id("few-shot", *cell), "few-shot", *cell, needs=("base",)) for cell in cells]
    return jobs


def reported_id(arm: Arm, size: int, seed: int) -> str:
    """The id of the job behind a reported score."""
    return f"{arm}-n{size}-seed{seed}"


def trials(plan: Plan, arm: Arm) -> list[Job]:
    """The trial runs that an arm's learning rate is chosen by: one a factor, at the largest size, with their own seed.

    SFT then RFT starts from the best of the SFT arm's trials, so it waits for all of them.
    """
    if len(plan.factors) < 2:
        return []
    size, seed = plan.sizes[-1], plan.rate_seed
    needs = tuple(job.id for job in trials(plan, "sft")) if arm == "sft-rft" else ()
    return [Job(f"rate-{arm}-x{f:g}", arm, size, seed, factor=f, needs=needs) for f in plan.factors]


def arm_config(plan: Plan, arm: Arm, size: int, plugins: Plugins) -> RunConfig:
    """An arm's configuration with its trainer's default learning rate, before seed, tasks and directory are filled in.

    Raises:
        UsageError: a setting is unknown or wrong, or the trainer has no learning rate.
    """
    asked = plan.settings
    layers: list[Mapping[str, Any]] = [assumed(asked, plugins), asked]
    if arm == "sft":
        warm = asked.get("warm_start", {})
        fields = trainer_class(plan.sft_trainer, plugins=plugins).Config.model_fields
        few = NOTHING_HELD_BACK if size < FEWEST_HELD_BACK else {}
        taken = {**ASSUMED_SFT, "examples": size, **few}
        known = {name: value for name, value in taken.items() if name in fields}
        own = {"id": plan.sft_trainer, **known, **warm.get("settings", {})}
        others = ("trainer", "warm_start", "curriculum")  # of the arms that play
        layers = [*(_without(layer, *others) for layer in layers), {"trainer": own}]
    else:
        layers = [_without(layer, "warm_start") for layer in layers]
    config = resolve(layers, plugins)
    if arm in ("sft", "rft", "sft-rft") and not isinstance(config.trainer.own.get("learning_rate"), float):
        raise UsageError(f"trainer {config.trainer.id!r} has no learning_rate, so none can be chosen for it")
    every = max(1, ceil(training_steps(config.trainer.own, size) / POINTS))
    if "every" in asked.get("evaluation", {}):
        return config
    return config.model_copy(update={"evaluation": config.evaluation.model_copy(update={"every": every})})


def _without(layer: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in layer.items() if name not in names}


def training_steps(own: Mapping[str, Any], size: int) -> int:
    """Optimizer steps that a trainer's settings come to: ``steps`` where it counts them, else passes over examples."""
    if own.get("steps"):
        return int(own["steps"])
    return max(1, ceil(float(own.get("epochs") or 1) * ceil(size / int(own.get("batch") or 1))))


def job_config(
    plan: Plan, job: Job, plugins: Plugins, *, runs: str, rate: float | None, weights: str | None
) -> RunConfig:
    """A job's whole configuration, as ``rftgym train`` would take it.

    Args:
        runs: directory that the run's own directory goes into.
        rate: learning rate; None for a job that does not train.
        weights: the adapter or run to start from, instead of the model's own.
    """
    config = arm_config(plan, job.arm, job.size, plugins)
    env: dict[str, Any] = {"train_tasks": job.size or None, "train_seed": job.seed}
    changes: dict[str, Any] = {"seed": job.seed, "runs": runs, "env": env}
    if rate is not None:
        changes["trainer"] = {"learning_rate": rate}
    if weights is not None:
        changes["model"] = {"weights": weights}
    if job.factor is not None:  # a trial never sees the test split
        changes["evaluation"] = {"split": "validation", "n": config.evaluation.every_n, "every": 0}
    return RunConfig.model_validate(merged(config.model_dump(mode="json"), changes))


def work_units(job: Job, config: RunConfig) -> float:
    """About what a job costs, in episodes played, for the estimate of the time that remains.

    An update on an episode costs about twice its playing; an example of supervised fine-tuning about one episode's
    playing a pass.
    """
    return sum(_parts(job, config))


def _parts(job: Job, config: RunConfig) -> Iterator[float]:
    settings, own = config.evaluation, config.trainer.own
    yield settings.n * settings.samples
    if job.factor is None:
        yield settings.every_n
    if not job.trains:
        return
    yield settings.n * settings.samples  # before training
    steps = training_steps(own, job.size)
    if settings.every:
        yield settings.every_n * (steps - 1) // settings.every
    if job.arm == "sft":
        yield float(steps * int(own.get("batch") or 1))
    else:
        cycle = int(own.get("minibatches") or 1) * int(own.get("iterations") or 1)
        yield 3.0 * steps / cycle * int(own.get("prompts") or 8) * int(own.get("group_size") or 8)
