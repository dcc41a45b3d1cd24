"""A run from its configuration to its report: evaluate, train, evaluate again, with everything written on the way."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rftgym.config import (
    CurriculumSettings,
    RunConfig,
    Settings,
    TrainerSettings,
    WarmStartSettings,
    dotted,
    merged,
    parsed,
)
from rftgym.curriculum import TaskOrder, preview
from rftgym.env import TextEnv
from rftgym.errors import ContractError, RunFailed, UsageError
from rftgym.evaluation import Evaluation, episode_seed, evaluate
from rftgym.files import label
from rftgym.mixing import label_mix
from rftgym.plugins import Plugins
from rftgym.policy import Policy
from rftgym.preflight import measured
from rftgym.registry import (
    defaults_for,
    defaults_of,
    installed,
    make_configured,
    make_policy,
    policy_spec,
    strangers,
    trainer_class,
)
from rftgym.rollout.metrics import remarks
from rftgym.runs.atomic import sweep
from rftgym.runs.directory import RunDirectory, run_name
from rftgym.selection import best_step
from rftgym.specs import EnvSpec, PolicySpec
from rftgym.trainer import EarlyStopped, StopRequested, TrainContext, Trainer


class Progress:
    """Told what a run is doing; the default says nothing. The command line shows bars."""

    def phase(self, name: str) -> None:
        """A part of the run begins: "loading", "evaluating before", "checking memory", "training"..."""

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


GENERAL_MODEL = "smollm2-135m"
"""The smallest model at hand that was pretrained on language at large."""
LOOK_GROUP = 8
"""Episodes a group in the look before training, for an algorithm that has no groups of its own."""


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
    fitting = defaults_for(assumed, chosen, settings_class)
    config: RunConfig = parsed(RunConfig, merged(dotted(fitting), asked))
    trainer = parsed(settings_class, config.trainer.own, where="trainer")
    full = {"id": config.trainer.id, **trainer.model_dump(mode="json")}
    return config.model_copy(update={"trainer": type(config.trainer).model_validate(full)})


@dataclass
class _Run:
    """What a run works with, made before anything is written."""

    config: RunConfig
    plugins: Plugins
    env: TextEnv[Any]
    policy: Policy
    trainer: Trainer
    settings: Settings
    progress: Progress
    stop: Callable[[], bool]


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
    parts = _prepare(config, plugins, progress, stop, begins=True)
    return _carry_out(_created(config, plugins), parts, resume_from=None)


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
    if _is_complete(run):
        raise UsageError(f"run {run.path} is complete; there is nothing to resume")
    progress.phase("loading")
    config: RunConfig = parsed(RunConfig, run.config, where=f"{run.path}/config.json")
    for sentence in run.changed_sources():
        progress.remark(0, sentence)
    parts = _prepare(config, plugins, progress, stop)
    return _carry_out(run, parts, resume_from=_rewound(run, plugins))


def _created(config: RunConfig, plugins: Plugins) -> RunDirectory:
    name = run_name(label_mix(config.env.id), label(config.trainer.id), label(config.model.id))
    values = config.model_dump(mode="json")
    return RunDirectory.create(Path(config.runs), name=name, config=values, plugins=plugins)


def _is_complete(run: RunDirectory) -> bool:
    """Whether a run ended in good order. Where it was killed before the last word, its report, that is written now."""
    ended = (run.path / "result.json").exists()
    if ended and not (run.path / "report.html").exists():
        run.take_over()
        run.write_report()
    return ended


def _rewound(run: RunDirectory, plugins: Plugins) -> Path | None:
    """Make a run ready to go on from its last checkpoint, which is returned; None: from the beginning."""
    step, checkpoint = run.latest_checkpoint() or (0, None)
    run.rewind(step)
    run.record_resume(step, plugins)
    return checkpoint


def _prepare(
    config: RunConfig, plugins: Plugins, progress: Progress, stop: Callable[[], bool], *, begins: bool = False
) -> _Run:
    """Check everything and load what is needed; nothing is written yet.

    Args:
        begins: the run is a new one: say so where its model has no chance.
    """
    trainer = trainer_class(config.trainer.id, plugins=plugins)
    settings = parsed(trainer.Config, config.trainer.own, where="trainer")
    env = make_configured(config.env, config.rewards, plugins=plugins)
    splits = {"train", config.evaluation.split, *(["validation"] if config.evaluation.every else [])}
    for split in sorted(splits):
        if env.tasks.size(split) == 0:
            raise UsageError(
                f"environment {env.id!r} has no tasks in split {split!r}: give some tasks that split, or use "
                "--set evaluation.split=train --set evaluation.every=0"
            )
    warning = _stranger(config, plugins) if begins else None
    if warning is not None:
        progress.remark(0, warning)
    warm = _warm_config(config, plugins)  # a mistake in it is found now
    policy = make_policy(config.model, trainable=True, seed=config.seed, plugins=plugins)
    algorithm = trainer()
    algorithm.check(config, policy, env)
    _check_curriculum(config, algorithm, env)
    if warm is not None:
        trainer_class(warm.trainer.id, plugins=plugins)().check(warm, policy, env)
    return _Run(config, plugins, env, policy, algorithm, settings, progress, stop)


def _stranger(config: RunConfig, plugins: Plugins) -> str | None:
    """What to say where a special model is to learn what it was never pretrained for; None: nothing."""
    unknown = strangers(policy_spec(config.model.id, plugins), config.env.id)
    if not unknown:
        return None
    others = {
        other: None
        for id in unknown
        for other in (plugins.spec(EnvSpec, id).default_model, GENERAL_MODEL)
        if other not in plugins.ids("policy") or not strangers(plugins.spec(PolicySpec, other), config.env.id)
    }
    named = " and ".join(map(label, unknown))
    return (
        f"model {config.model.id!r} is small and was made for other environments: on {named} it has no "
        f"chance. One that has: --model {' or '.join(others)}, or any larger model of your own"
    )


def _check_curriculum(config: RunConfig, algorithm: Trainer, env: TextEnv[Any]) -> None:
    """Whether the order of tasks can be what is asked for.

    Raises:
        UsageError: it cannot; says why.
    """
    kind = config.curriculum.kind
    if kind == "off":
        return
    if not algorithm.on_policy:
        raise UsageError(
            f"curriculum={kind}: trainer {config.trainer.id!r} shows examples in an order of its own; take "
            "--curriculum off, or an algorithm that plays"
        )
    if kind == "staged" and not getattr(algorithm.Config, "model_fields", {}).get("steps"):
        raise UsageError(
            f"curriculum=staged: trainer {config.trainer.id!r} does not say how many steps it takes"
        )
    TaskOrder(env.tasks, config.curriculum, config.seed)


def _carry_out(run: RunDirectory, parts: _Run, resume_from: Path | None) -> dict[str, Any]:
    progress = parts.progress
    progress.started(run.path)
    if "before" not in run.evaluations():
        progress.phase("evaluating before")
        _evaluate(run, parts, "before", 0)
    warm = _warm_start(run, parts)
    steps = _train(run, parts, resume_from)
    progress.phase("evaluating after")
    _evaluate(run, parts, "after", steps)
    evaluations = run.evaluations()
    before, after = (Evaluation.from_json(evaluations[when]) for when in ("before", "after"))
    result = {
        "run": str(run.path),
        "steps": steps,
        "before": before.to_json(),
        "after": after.versus(before).to_json(),
        **({"warm_start": warm} if warm is not None else {}),
    }
    run.write_json("result.json", result)
    run.write_report()
    parts.plugins.hooks.on_train_end(run=run, result=json.loads(json.dumps(result)))
    return result


def _train(run: RunDirectory, parts: _Run, resume_from: Path | None) -> int:
    """The steps, and the checks before them; publishes the weights that the run ends with."""
    config, progress = parts.config, parts.progress
    context = TrainContext(
        config=config,
        settings=parts.settings,
        env=parts.env,
        policy=parts.policy,
        sampling=config.sampling.to_sampling(),
        run=run,
        plugins=parts.plugins,
        resume_from=resume_from,
        evaluate_now=lambda step: _evaluate_on_the_way(run, parts, step),
        listeners=[progress.step, _said_once(progress)],
        stop=parts.stop,
        remark=lambda text: progress.remark(context.step, text),
    )
    if config.guard.dry_step:
        _dry_step(context, parts)
    if resume_from is None:
        _preflight(context, parts)
        if config.takes_best:
            progress.phase("evaluating on validation")
            _evaluate_on_the_way(run, parts, 0)
    progress.phase("training")
    parts.plugins.hooks.on_train_begin(run=run, config=config.model_dump(mode="json"))
    steps = _stepped(context, parts)
    context.forget_old()  # a run that was killed in the middle of it makes no further checkpoint
    if steps != context.step:
        raise ContractError(
            f"trainer {config.trainer.id!r} says that {steps} steps were taken; {context.step} were reported: "
            "train() has to return how many steps it took"
        )
    policy: Any = parts.policy  # those with weights can save, restore and refresh
    best = best_step(run.evaluations(), config.evaluation) if config.takes_best else None
    if best is not None and best != steps:
        policy.restore(run.best_weights(best))
        progress.remark(
            steps, f"the run ends with the weights of step {best}, its best evaluation on the way"
        )
    policy.version = steps if best is None else best  # whatever way the process came here
    with run.publish("adapter") as directory:
        policy.save(directory)
    return steps


def _stepped(context: TrainContext, parts: _Run) -> int:
    """Let the trainer take its steps; returns how many there are, those of a former attempt included."""
    run = context.run
    try:
        return parts.trainer.train(context)
    except EarlyStopped:
        parts.progress.remark(context.step, "stopped early: the held-out score had stopped improving")
        return context.step
    except StopRequested:
        run.write_report()
        raise RunStopped(f"stopped with a checkpoint; go on with: rftgym train --resume {run.path}") from None
    except Exception as error:
        torch = sys.modules.get("torch")
        if torch is None or not isinstance(error, torch.OutOfMemoryError):
            raise
        from rftgym.updates.dry import CURES

        raise RunFailed(
            f"out of memory after step {context.step}: {CURES}. What was done is in {run.path}, but a run goes on with "
            "the settings that it began with: start it anew with lower ones"
        ) from error


def _dry_step(context: TrainContext, parts: _Run) -> None:
    """Make the largest pass that training can meet; a trainer with ``micro_batch`` gets what fits."""
    largest = parts.trainer.largest_pass(context)
    model = getattr(parts.policy, "model", None)
    if largest is None or model is None:
        return
    from rftgym.updates.dry import dry_step

    parts.progress.phase("checking memory")
    found = dry_step(model, *largest, retreat=parts.config.guard.retreat)
    if found.rows < largest[0]:
        context.settings = context.settings.model_copy(update={"micro_batch": found.rows})
        parts.progress.remark(
            0, f"trainer.micro_batch was lowered from {largest[0]} to {found.rows}: more does not fit"
        )


def _preflight(context: TrainContext, parts: _Run) -> None:
    """Play some groups with the starting policy and say what can be learnt from them.

    Raises:
        RunFailed: nothing, and ``guard.preflight`` is "stop".
    """
    config = parts.config
    if config.guard.preflight == "off" or not parts.trainer.on_policy:
        return
    parts.progress.phase("playing")
    own = getattr(parts.settings, "group_size", 1)
    group_size = own if own > 1 else LOOK_GROUP
    tasks = list(preview(parts.env.tasks, config.curriculum, config.seed, config.guard.preflight_tasks))
    seeds = [episode_seed(config.seed, index) for index in range(len(tasks))]
    trajectories = context.played("preflight", tasks, seeds, group_size, parts.progress.episodes)
    found = measured(trajectories, group_size)
    context.run.write_json("preflight.json", found.to_json())
    advice = found.advice()
    if advice is not None:
        parts.progress.remark(0, advice)
    if config.guard.preflight == "stop" and not found.passes:
        raise RunFailed(
            f"{advice}. guard.preflight=warn goes on all the same; the figures are in {context.run.path}/preflight.json"
        )


# ---- warm start


def _warm_config(config: RunConfig, plugins: Plugins) -> RunConfig | None:
    """The configuration of the run that comes first; None where none does.

    Raises:
        UsageError: its trainer is not installed, or a setting of it is wrong.
    """
    warm = config.warm_start
    if not warm.examples:
        return None
    settings_class = trainer_class(warm.id, plugins=plugins).Config
    assumed = dotted(
        defaults_for(defaults_of(config.env.id, plugins, model=config.model.id), warm.id, settings_class)
    )
    own = {**assumed.get("trainer", {}), "examples": warm.examples, **warm.settings}
    settings = parsed(settings_class, own, where="warm_start.settings")
    return config.model_copy(
        update={
            "trainer": TrainerSettings.model_validate({"id": warm.id, **settings.model_dump(mode="json")}),
            "warm_start": WarmStartSettings(),
            "curriculum": CurriculumSettings(),  # a teacher's examples have an order of their own
            "evaluation": config.evaluation.model_copy(update={"every": 0, "patience": 0}),
            "checkpoints": config.checkpoints.model_copy(update={"take": "last"}),
        }
    )


def _warm_start(run: RunDirectory, parts: _Run) -> dict[str, Any] | None:
    """Carry out the run that comes first, or what is left of it, and take over its weights; returns its result."""
    config = _warm_config(parts.config, parts.plugins)
    if config is None:
        return None
    room = run.path / "warm-start"
    config = config.model_copy(update={"runs": str(room)})
    if room.exists():
        sweep(room)
    begun = sorted(path for path in room.glob("[0-9]*") if (path / "config.json").is_file())
    warm = RunDirectory.open(begun[-1]) if begun else _created(config, parts.plugins)
    if "before" not in warm.evaluations():  # killed between these two lines, it would be played again
        warm.write_json("evaluations/before.json", run.read_json("evaluations/before.json"))
    if not _is_complete(warm):
        settings = parsed(trainer_class(config.trainer.id, plugins=parts.plugins).Config, config.trainer.own)
        trainer = trainer_class(config.trainer.id, plugins=parts.plugins)()
        nested = replace(parts, config=config, trainer=trainer, settings=settings)
        parts.progress.phase("warm start")
        try:
            _carry_out(warm, nested, resume_from=_rewound(warm, parts.plugins) if begun else None)
        except RunStopped:
            raise RunStopped(
                f"stopped in the warm start, with a checkpoint; go on with: rftgym train --resume {run.path}"
            ) from None
        parts.progress.started(run.path)
    policy: Any = parts.policy
    policy.restore(warm.adapter)
    policy.version = 0  # the run proper begins here, whether or not this process carried out the warm start
    result: dict[str, Any] = warm.read_json("result.json")
    return result


def _said_once(progress: Progress) -> Callable[[int, int, Mapping[str, float]], None]:
    said: set[str] = set()

    def listen(step: int, steps: int, metrics: Mapping[str, float]) -> None:
        for kind, text in remarks(metrics).items():
            if kind not in said:
                said.add(kind)
                progress.remark(step, text)

    return listen


def _evaluate_on_the_way(run: RunDirectory, parts: _Run, step: int) -> None:
    """Play validation tasks; where the run ends with the best weights and these are, keep them."""
    policy: Any = parts.policy
    if hasattr(policy, "refresh"):
        policy.refresh()
    policy.version = step  # also after a resume, where refresh() has counted from 0
    _evaluate(run, parts, f"step-{step:06d}", step)
    if parts.config.takes_best and best_step(run.evaluations(), parts.config.evaluation) == step:
        with run.best(step) as directory:
            policy.save(directory)


def _evaluate(run: RunDirectory, parts: _Run, when: str, step: int) -> None:
    """Play held-out tasks with the policy as it is; before and after on the same ones, and paired."""
    settings, progress = parts.config.evaluation, parts.progress
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
