"""A run from its configuration to its report: evaluate, train, evaluate again, with everything written on the way."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rftgym.config import RunConfig, Settings, dotted, merged, parsed
from rftgym.env import TextEnv
from rftgym.errors import RunFailed, UsageError
from rftgym.evaluation import Evaluation, evaluate
from rftgym.plugins import Plugins
from rftgym.policy import Policy
from rftgym.registry import defaults_of, installed, make_configured, make_policy, trainer_class
from rftgym.rollout.metrics import remarks
from rftgym.runs.directory import RunDirectory, run_name
from rftgym.trainer import StopRequested, TrainContext, Trainer


class Progress:
    """Told what a run is doing; the default says nothing. The command line shows bars."""

    def phase(self, name: str) -> None:
        """A part of the run begins: "loading", "evaluating before", "training", "evaluating after"."""

    def started(self, run: Path) -> None:
        """The run has a directory."""

    def episodes(self, done: int, total: int) -> None:
        """Episodes of the evaluation under way."""

    def step(self, step: int, steps: int, metrics: Mapping[str, float]) -> None:
        """An optimizer step was taken."""

    def remark(self, step: int, text: str) -> None:
        """Something about a step's batch that the user should know; each kind is said once a run."""

    def evaluation(self, when: str, evaluation: Mapping[str, Any]) -> None:
        """An evaluation ended; ``when`` is "before", "after" or "step-000010"."""


class RunStopped(RunFailed):
    """The run was asked to stop and did, with a checkpoint; its message says how to go on."""


def never() -> bool:
    """The default answer to "was the run asked to stop?"."""
    return False


def resolve(settings: Sequence[Mapping[str, Any]], plugins: Plugins) -> RunConfig:
    """Layers of nested settings, later ones winning, over what the environment's and the model's spec ask to assume.

    Raises:
        UsageError: an unknown key, a wrong value or an unknown environment; one line.
    """
    asked = merged(*settings)
    env = asked.get("env")
    env_id = env.get("id") if isinstance(env, Mapping) else env
    if not env_id:
        raise UsageError("no environment: name one with --env (`rftgym list env` shows all)")
    model = asked.get("model")
    model_id = model.get("id") if isinstance(model, Mapping) else model
    assumed = defaults_of(str(env_id), plugins, model=str(model_id) if model_id else None)
    chosen = parsed(RunConfig, merged({"env": env_id}, asked)).trainer.id
    settings_class = trainer_class(chosen, plugins=plugins).Config
    fitting = {name: value for name, value in assumed.items() if _fits(name, settings_class)}
    config: RunConfig = parsed(RunConfig, merged(dotted(fitting), asked))
    trainer = parsed(settings_class, config.trainer.own, where="trainer")
    full = {"id": config.trainer.id, **trainer.model_dump(mode="json")}
    return config.model_copy(update={"trainer": type(config.trainer).model_validate(full)})


def _fits(name: str, trainer: type[Settings]) -> bool:
    """Whether an assumed setting means anything to the trainer: specs are written with one of them in mind."""
    group, _, own = name.partition(".")
    return group != "trainer" or own in trainer.model_fields


@dataclass
class _Run:
    """What a run works with, made before anything is written."""

    config: RunConfig
    plugins: Plugins
    env: TextEnv[Any]
    policy: Policy
    trainer: Trainer
    settings: Settings


def train(
    config: RunConfig | None = None,
    *,
    plugins: Plugins | None = None,
    progress: Progress | None = None,
    stop: Callable[[], bool] = never,
    **settings: Any,
) -> dict[str, Any]:
    """Train a policy on an environment.

    Args:
        config: resolved; or give ``settings`` as keywords: ``train(env="wordle", seed=1, trainer={"steps": 20})``.
        progress: told what happens.
        stop: asked after every step; once it returns True the run writes a checkpoint and stops.
    Returns:
        {"run": path, "steps": optimizer steps taken, "before": evaluation, "after": evaluation}, the evaluations in
        the shape of ``rftgym eval --json``.
    Raises:
        UsageError: a setting is wrong; nothing was written.
        RunStopped: ``stop`` returned True; the message says how to resume.
        RunFailed: the run ended early; what it had done is on disk.
    """
    if config is not None and settings:
        raise UsageError(f"give either a configuration or settings, not both (got {', '.join(settings)})")
    plugins = plugins or installed()
    progress = progress or Progress()
    config = config or resolve([settings], plugins)
    progress.phase("loading")
    parts = _prepare(config, plugins)
    name = run_name(config.env.id, config.trainer.id, config.model.id)
    run = RunDirectory.create(
        Path(config.runs), name=name, config=config.model_dump(mode="json"), plugins=plugins
    )
    return _carry_out(run, parts, progress, stop, resume_from=None)


def resume(
    path: str | Path,
    *,
    plugins: Plugins | None = None,
    progress: Progress | None = None,
    stop: Callable[[], bool] = never,
) -> dict[str, Any]:
    """Go on with a run that was stopped or killed, from its last checkpoint.

    Raises:
        UsageError: there is no run at ``path``, or it is complete.
    """
    plugins = plugins or installed()
    progress = progress or Progress()
    run = RunDirectory.open(path)
    if (run.path / "result.json").exists():
        raise UsageError(f"run {run.path} is complete; there is nothing to resume")
    progress.phase("loading")
    config: RunConfig = parsed(RunConfig, run.config, where=f"{run.path}/config.json")
    parts = _prepare(config, plugins)
    step, checkpoint = run.latest_checkpoint() or (0, None)
    run.rewind(step)
    run.record_resume(step, plugins)
    return _carry_out(run, parts, progress, stop, resume_from=checkpoint)


def _prepare(config: RunConfig, plugins: Plugins) -> _Run:
    """Check everything and load what is needed; nothing is written yet."""
    trainer = trainer_class(config.trainer.id, plugins=plugins)
    settings = parsed(trainer.Config, config.trainer.own, where="trainer")
    env = make_configured(config.env, config.rewards, plugins=plugins)
    splits = {"train", config.evaluation.split, *(["validation"] if config.evaluation.every else [])}
    for split in sorted(splits):
        if env.tasks.size(split) == 0:
            raise UsageError(
                f"environment {env.id!r} has no tasks in split {split!r}: give rows a 'split', or use "
                "--set evaluation.split=train --set evaluation.every=0"
            )
    policy = make_policy(config.model, trainable=True, seed=config.seed, plugins=plugins)
    algorithm = trainer()
    algorithm.check(config, policy)
    return _Run(config, plugins, env, policy, algorithm, settings)


def _carry_out(
    run: RunDirectory, parts: _Run, progress: Progress, stop: Callable[[], bool], resume_from: Path | None
) -> dict[str, Any]:
    config, plugins = parts.config, parts.plugins
    progress.started(run.path)
    if "before" not in run.evaluations():
        progress.phase("evaluating before")
        _evaluate(run, parts, progress, "before", 0)
    progress.phase("training")
    plugins.hooks.on_train_begin(run=run, config=config.model_dump(mode="json"))
    context = TrainContext(
        config=config,
        settings=parts.settings,
        env=parts.env,
        policy=parts.policy,
        sampling=config.sampling.to_sampling(),
        run=run,
        plugins=plugins,
        resume_from=resume_from,
        evaluate_now=lambda step: _evaluate(run, parts, progress, f"step-{step:06d}", step),
        listeners=[progress.step, _said_once(progress)],
        stop=stop,
    )
    try:
        steps = parts.trainer.train(context)
    except StopRequested:
        run.write_report()
        raise RunStopped(f"stopped with a checkpoint; go on with: rftgym train --resume {run.path}") from None
    with run.publish("adapter") as directory:
        parts.policy.save(directory)  # type: ignore[attr-defined]  # policies with weights have it
    progress.phase("evaluating after")
    _evaluate(run, parts, progress, "after", steps)
    evaluations = run.evaluations()
    before, after = (Evaluation.from_json(evaluations[when]) for when in ("before", "after"))
    result = {
        "run": str(run.path),
        "steps": steps,
        "before": before.to_json(),
        "after": after.versus(before).to_json(),
    }
    run.write_json("result.json", result)
    run.write_report()
    plugins.hooks.on_train_end(run=run, result=json.loads(json.dumps(result)))
    return result


def _said_once(progress: Progress) -> Callable[[int, int, Mapping[str, float]], None]:
    said: set[str] = set()

    def listen(step: int, steps: int, metrics: Mapping[str, float]) -> None:
        for kind, text in remarks(metrics).items():
            if kind not in said:
                said.add(kind)
                progress.remark(step, text)

    return listen


def _evaluate(run: RunDirectory, parts: _Run, progress: Progress, when: str, step: int) -> None:
    """Play held-out tasks with the policy as it is; before and after on the same ones, and paired."""
    settings = parts.config.evaluation
    on_the_way = when.startswith("step-")
    found = evaluate(
        parts.env,
        parts.policy,
        split="validation" if on_the_way else settings.split,
        n=settings.every_n if on_the_way else settings.n,
        samples=1 if on_the_way else settings.samples,
        seed=settings.seed,
        sampling=parts.config.sampling.to_sampling(),
        on_progress=progress.episodes,
    )
    episodes = found.trajectories
    if when == "after":  # paired: the same tasks and seeds
        found = found.versus(Evaluation.from_json(run.evaluations()["before"]))
    run.add_evaluation(when, found.to_json(per_task=True), episodes)
    evaluation = found.to_json()
    progress.evaluation(when, evaluation)
    parts.plugins.hooks.on_evaluate(run=run, step=step, evaluation=evaluation)
