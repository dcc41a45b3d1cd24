"""``rftgym eval``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rftgym.cli import options, output

if TYPE_CHECKING:
    from rftgym.config import ModelSettings, RunConfig
    from rftgym.evaluation import Evaluation
    from rftgym.policy import Policy


@click.command("eval")
@options.env_option
@options.model_options
@click.option("--baseline", metavar="MODEL", help="A second model: same tasks and seeds, paired difference.")
@options.setting("--split", key="evaluation.split", about="train, validation or test (the default).")
@options.setting("-n", "--eval-tasks", key="evaluation.n", value=int, about="Tasks.")
@options.setting(
    "--samples", key="evaluation.samples", value=int, about="Episodes a task; more than one gives pass@k."
)
@options.setting(
    "--seed", key="evaluation.seed", value=int, about="Of the choice of tasks and of the episodes."
)
@options.sampling_options
@options.env_options
@options.shots_option
@options.config_options
@options.json_option
@options.quiet_option
def command(baseline: str | None, as_json: bool, quiet: bool) -> None:
    """Measure a model on an environment: success, reward and every component, with 95% intervals.

    MODEL may be a registered id, a local directory, a run's directory (its adapter on its model), a hub id, or
    scheme:name for an endpoint. Sampling is the environment's own unless you say otherwise.

    Without --env, a run is measured as it measured itself: its environment, rewards, tasks, sampling and seed.
    """
    with output.only_result_on_stdout():
        config = options.resolved(_as_the_run(options.layers()))
        evaluation = _evaluate(config, baseline, quiet)
    result = evaluation.to_json()
    if as_json:
        output.print_json(result)
    else:
        _show(result)


def _as_the_run(layers: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The layers; where they name a run and no environment, over what the run itself was measured with."""
    from rftgym.config import merged
    from rftgym.conformance.words import clean  # a run may be a stranger's
    from rftgym.mixing import label_mix
    from rftgym.runs.directory import RunDirectory, is_run

    asked = merged(*layers)
    env, model = (asked.get(name) for name in ("env", "model"))
    named = isinstance(env, Mapping) and env.get("id")
    id = model.get("id") if isinstance(model, Mapping) else None
    if named or not isinstance(id, str) or not is_run(Path(id)):
        return list(layers)
    run = RunDirectory.open(id)
    measured = run.measured_with()
    env_id = label_mix(measured["env"]["id"])
    for sentence in (f"{env_id} as in {run.path}; --env measures on another", *run.changed_sources()):
        click.echo(f"rftgym: {clean(sentence)}", err=True)
    return [measured, *layers]


def _evaluate(config: RunConfig, baseline: str | None, quiet: bool) -> Evaluation:
    from rftgym.cli.progress import episode_bar
    from rftgym.evaluation import evaluate
    from rftgym.registry import make_configured

    env = make_configured(config.env, config.rewards)
    model = _as_asked(config.model)
    other = _as_asked(config.model.model_copy(update={"id": baseline, "weights": None})) if baseline else None
    settings = config.evaluation
    with episode_bar(None if quiet else output.console(stderr=True)) as on_progress:
        return evaluate(
            env,
            model,
            baseline=other,
            split=settings.split,
            n=settings.n,
            samples=settings.samples,
            seed=settings.seed,
            sampling=config.sampling.to_sampling(),
            on_progress=on_progress,
        )


def _as_asked(settings: ModelSettings) -> str | Policy:
    """A model that is named and nothing else stays a name, so that it is loaded only when its turn has come."""
    from rftgym.registry import make_policy

    return settings.id if settings == type(settings)(id=settings.id) else make_policy(settings)


def _show(result: Mapping[str, Any]) -> None:
    shown = [each for each in (result.get("baseline"), result) if each]
    columns = [(_short(str(each["model"])), each) for each in shown]
    output.print_evaluations(f"{result['env']}, {result['split']}", columns, result.get("difference"))


def _short(model: str) -> str:
    """A path by its last part: the whole one stands in the command above the table."""
    return model.rstrip("/").rpartition("/")[2]
