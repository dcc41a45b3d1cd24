"""One job of a comparison: train (or go on, or only evaluate), measure, and write down what came out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rftgym import training
from rftgym.compare import measure, meter
from rftgym.compare.folders import MEASURES
from rftgym.config import ModelSettings, RunConfig, parsed
from rftgym.env import TextEnv
from rftgym.errors import UsageError
from rftgym.evaluation import Evaluation, evaluate
from rftgym.plugins import Plugins
from rftgym.policy import Policy
from rftgym.registry import installed, make_configured, make_policy
from rftgym.runs import atomic
from rftgym.runs.directory import RunDirectory
from rftgym.runs.strictjson import dumps

LONGEST_OF = 8
"""Tasks whose openings are measured, to see what fits into the context."""


@dataclass(frozen=True, slots=True)
class Order:
    """A job as a worker gets it; JSON values.

    Attributes:
        id: of the job.
        folder: of the job; absolute.
        config: of the run; ``config["runs"]`` is the folder too.
        kind: "train"; "trial", a training run whose evaluation is all that is wanted; "evaluate", the policy as it is.
        base: the model settings that all arms start from.
        others: further environments to play, ``other_tasks`` tasks of each.
        longest: for few-shot prompting: tokens of the longest held-out episode without examples.
    """

    id: str
    folder: str
    config: dict[str, Any]
    kind: str
    base: dict[str, Any]
    others: list[str] = field(default_factory=list)
    other_tasks: int = 64
    longest: int = 0


def perform(order: Order, plugins: Plugins | None = None, stop: Callable[[], bool] = training.never) -> None:
    """Do a job, or what is left of it, and write ``measures.json``.

    Raises:
        RunStopped: ``stop`` returned True; done again, the job goes on from a checkpoint.
        RftgymError: the job failed.
    """
    plugins = plugins or installed()
    folder = Path(order.folder)
    folder.mkdir(parents=True, exist_ok=True)
    atomic.sweep(folder)
    config: RunConfig = parsed(RunConfig, order.config, where=f"job {order.id}")
    if order.kind == "evaluate":
        found = _evaluated(order, config, plugins)
    else:
        run, result = _trained(folder, config, plugins, stop)
        found = {"run": run.path.name, "training": meter.training_cost(folder, run, result["steps"])}
        found |= {"steps": result["steps"], "learning_rate": config.trainer.own["learning_rate"]}
        if order.kind == "train":
            found |= _measured(order, config, plugins, run)
    atomic.write_bytes(folder / MEASURES, dumps(found, indent=1) + b"\n")


def _trained(
    folder: Path, config: RunConfig, plugins: Plugins, stop: Callable[[], bool]
) -> tuple[RunDirectory, Mapping[str, Any]]:
    """The finished run in a folder: it is found, gone on with, or begun."""
    progress = meter.Meter(folder)
    path = run_in(folder)
    if path is None:
        result = training.train(config, plugins=plugins, progress=progress, stop=stop)
    elif (path / "result.json").exists():
        result = RunDirectory.open(path).read_json("result.json")
    else:
        result = training.resume(path, plugins=plugins, progress=progress, stop=stop)
    run = RunDirectory.open(path or result["run"])
    return run, result


def run_in(folder: Path) -> Path | None:
    """The directory of the run in a job's folder; None before there is one."""
    runs = sorted(
        path.parent for path in folder.glob("*/config.json") if not path.parent.name.startswith(".")
    )
    return runs[-1] if runs else None


def _measured(order: Order, config: RunConfig, plugins: Plugins, run: RunDirectory) -> dict[str, Any]:
    """What is measured on the policy that a run ended with."""
    env = make_configured(config.env, config.rewards, plugins=plugins)
    trained_settings = config.model.model_copy(update={"id": str(run.path), "weights": None})
    trained: Any = make_policy(trained_settings, plugins=plugins)
    base: Any = make_policy(parsed(ModelSettings, order.base), plugins=plugins)
    episodes = list(run.evaluation_trajectories("after"))
    return {
        "validation": _played(env, trained, config, "validation"),
        "kl": measure.kl_from(base, trained, episodes, config.sampling.temperature),
        "off_task": measure.off_task_loss(trained),
        "others": _on_others(order, trained, config, plugins),
    }


def _played(env: TextEnv[Any], policy: Policy, config: RunConfig, split: str) -> dict[str, Any]:
    """An evaluation on the validation split as runs make them on the way, or on the test split as they end with."""
    settings, on_the_way = config.evaluation, split == "validation"
    found = evaluate(
        env,
        policy,
        split=split,
        n=settings.every_n if on_the_way else settings.n,
        samples=1 if on_the_way else settings.samples,
        seed=settings.seed,
        sampling=config.sampling.to_sampling(),
    )
    return _with_lengths(found)


def _with_lengths(found: Evaluation) -> dict[str, Any]:
    episodes = found.trajectories
    turns = sum(len(episode.turns) for episode in episodes) / len(episodes)
    longest = max(len(episode.token_ids) for episode in episodes)
    return {**found.to_json(per_task=True), "turns": turns, "longest_tokens": longest}


def _on_others(order: Order, policy: Policy, config: RunConfig, plugins: Plugins) -> dict[str, Any]:
    """Other environments with their own settings: what the training for this one did to them."""
    return {
        id: evaluate(id, policy, n=order.other_tasks, seed=config.evaluation.seed, plugins=plugins).to_json(
            per_task=True
        )
        for id in order.others
    }


def _evaluated(order: Order, config: RunConfig, plugins: Plugins) -> dict[str, Any]:
    """The policy as it is: bare, or with as many solved examples in its prompt as fit."""
    policy: Any = make_policy(config.model, plugins=plugins)
    if order.longest:
        return _few_shot(order, config, policy, plugins)
    env = make_configured(config.env, config.rewards, plugins=plugins)
    return {
        "test": _played(env, policy, config, config.evaluation.split),
        "validation": _played(env, policy, config, "validation"),
        "off_task": measure.off_task_loss(policy),
        "others": _on_others(order, policy, config, plugins),
    }


def _few_shot(order: Order, config: RunConfig, policy: Any, plugins: Plugins) -> dict[str, Any]:
    envs = list(_with_shots(config, plugins))
    tasks = envs[0].tasks.sample(config.evaluation.split, LONGEST_OF, config.evaluation.seed)
    openings = [measure.opening_tokens(policy, env, tasks) for env in envs]
    context = measure.context_tokens(policy)
    shots = measure.fitting_shots(openings, order.longest, context)
    found = {"shots": shots, "opening_tokens": openings, "context_tokens": context}
    if shots == 0:
        needed = openings[1] - openings[0] + order.longest
        note = f"one solved example and an episode take {needed} tokens, the model's context has {context}"
        return {**found, "note": note}
    return {**found, "test": _played(envs[shots], policy, config, config.evaluation.split)}


def _with_shots(config: RunConfig, plugins: Plugins) -> list[TextEnv[Any]]:
    """The environment with 0, 1, 2... solved examples in its prompt, as many as asked for and as it can show.

    Raises:
        UsageError: it can show none.
    """
    envs: list[TextEnv[Any]] = []
    for shots in range(config.env.shots + 1):
        settings = config.env.model_copy(update={"shots": shots})
        try:
            envs.append(make_configured(settings, config.rewards, plugins=plugins))
        except UsageError:
            if shots < 2:
                raise
            break  # fewer of its tasks are solved than were asked for
    return envs
