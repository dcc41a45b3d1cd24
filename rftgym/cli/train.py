"""``rftgym train``."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rftgym.cli import options, output
from rftgym.cli.app import INTERRUPTED
from rftgym.cli.interrupts import asked_to_stop
from rftgym.errors import UsageError

if TYPE_CHECKING:
    from rftgym.cli.progress import RunProgress

STOPPING = "stopping after this step, with a checkpoint; once more to stop at once"


@click.command("train")
@options.env_option
@options.model_options
@options.setting("--trainer", key="trainer.id", about="The algorithm; `rftgym list trainer` shows them.")
@options.setting("--steps", key="trainer.steps", value=int, about="Optimizer steps.")
@options.setting(
    "--group-size", key="trainer.group_size", value=int, about="Episodes of one task in a batch."
)
@options.setting("--learning-rate", key="trainer.learning_rate", value=float, about="Peak learning rate.")
@options.texts(
    "--data",
    key="trainer.data",
    metavar="FILE[=WEIGHT]",
    about="Conversations to learn from (sft); see `rftgym data inspect`. Repeatable.",
)
@options.setting(
    "--warm-start",
    key="warm_start.examples",
    value=int,
    about="Learn from this many solved tasks before (sft).",
)
@options.setting("--train-tasks", key="env.train_tasks", value=int, about="Train on this many tasks only.")
@options.setting(
    "--curriculum",
    key="curriculum.kind",
    value=click.Choice(["off", "staged", "adaptive"]),
    about="Easy tasks first, or those near the edge of what the model can do.",
)
@options.sampling_options
@options.env_options
@options.shots_option
@options.setting("--seed", key="seed", value=int, about="Of everything that is drawn.")
@options.setting(
    "-n", "--eval-tasks", key="evaluation.n", value=int, about="Held-out tasks before and after."
)
@options.setting(
    "--eval-every", key="evaluation.every", value=int, about="Steps between evaluations; 0: none."
)
@options.setting(
    "--patience",
    key="evaluation.patience",
    value=int,
    about="Stop after this many evaluations without a better one, and keep the best weights.",
)
@options.setting("--runs", key="runs", about="Directory that the run's own directory goes into.")
@options.config_options
@click.option(
    "--resume", metavar="RUN", help="Go on with a run that was stopped or killed, from its last checkpoint."
)
@options.json_option
@options.quiet_option
def command(resume: str | None, as_json: bool, quiet: bool) -> int:
    """Train a model on an environment; measure it on held-out tasks before and after.

    Everything goes into a directory of its own under runs/: configuration, versions, metrics, trajectories,
    checkpoints, the adapter, evaluations and report.html. Ctrl-C stops after the step under way and leaves a
    checkpoint; a second one stops at once. Exit codes: 0 done, 1 the run failed, 2 bad usage (nothing was written),
    130 stopped by you.

    Where an option is not given, the --config file decides, then the environment's own defaults.
    """
    asked = options.layers()
    if resume is not None and asked:
        raise UsageError(
            "--resume goes on with the run's own configuration: leave out --config and other settings"
        )
    with output.only_result_on_stdout():
        progress = _progress(quiet)
        from rftgym.training import RunStopped

        try:
            with (
                progress,
                asked_to_stop(
                    lambda: progress.note(STOPPING), can_be_granted=lambda: progress.training
                ) as stop,
            ):
                result = _run(asked, resume, progress, stop)
        except RunStopped as stopped:
            click.echo(f"rftgym: {stopped}", err=True)
            return INTERRUPTED
        except KeyboardInterrupt:
            click.echo(f"rftgym: interrupted{_way_on(progress.run)}", err=True)
            return INTERRUPTED
    if as_json:
        output.print_json(result)
    else:
        _show(result)
    return 0


def _progress(quiet: bool) -> RunProgress:
    from rftgym.cli.progress import BarProgress, LineProgress, RunProgress

    console = output.console(stderr=True)
    if quiet:
        return RunProgress()
    return BarProgress(console) if console.is_terminal else LineProgress(console)


def _run(
    asked: list[dict[str, Any]], resume: str | None, progress: RunProgress, stop: Callable[[], bool]
) -> dict[str, Any]:
    from rftgym import training
    from rftgym.registry import installed

    if resume is not None:
        return training.resume(resume, progress=progress, stop=stop)
    config = training.resolve(asked, installed())
    return training.train(config, progress=progress, stop=stop)


def _way_on(run: Path | None) -> str:
    return f"; go on with: rftgym train --resume {run}" if run else "; nothing was written"


def _show(result: Mapping[str, Any]) -> None:
    before, after, run = result["before"], result["after"], Path(result["run"])
    title = f"{after['env']}, {result['steps']} step{'s' if result['steps'] != 1 else ''}"
    output.print_evaluations(title, [("before", before), ("after", after)], after.get("difference"))
    click.echo(f"run     {run}\nreport  {run / 'report.html'}")
    click.echo(f"again   {again(run)}")


def again(run: Path) -> str:
    """The command that measures what a run ended with as the run did: same environment, rewards, tasks and seeds."""
    from rftgym.runs.directory import CONSENT, RunDirectory

    kwargs = RunDirectory.open(run).config["env"]["kwargs"]
    words = ["rftgym", "eval", "--model", str(run)]
    if kwargs.get(CONSENT):  # whoever measures it consents anew
        words.append(f"--{CONSENT.replace('_', '-')}")
    for name, own in kwargs.items():  # of a mix's parts
        if isinstance(own, Mapping) and own.get(CONSENT):
            words += ["--set", f"env.kwargs.{name}.{CONSENT}=true"]
    return shlex.join(words)
