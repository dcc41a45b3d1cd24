"""``rftgym compare``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rftgym.cli import options, output
from rftgym.cli.app import INTERRUPTED
from rftgym.cli.interrupts import asked_to_stop
from rftgym.compare.watcher import Watcher
from rftgym.errors import UsageError

if TYPE_CHECKING:
    from rftgym.compare.plan import Plan

NumberT = TypeVar("NumberT", int, float)
STOPPING = "stopping after the steps under way, with checkpoints; once more to stop at once"
ARMS = "base, few-shot, sft, rft, sft-rft"
OWN = ("sizes", "seeds", "arms", "rates", "others", "out")
"""Options that a comparison which goes on has in its plan."""


@click.command("compare")
@options.env_option
@options.model_options
@click.option("--sizes", default="10,50,100", metavar="N,N,...", help="Numbers of tasks to learn from.")
@click.option(
    "--seeds", default="0,1,2", metavar="N,N,...", help="Of runs, and of which tasks they learn from."
)
@click.option("--arms", metavar="ARM,ARM,...", help=f"What to compare: {ARMS}.  [default: all that can be]")
@options.setting("--trainer", key="trainer.id", about="The algorithm of the arms rft and sft-rft.")
@options.setting("--steps", key="trainer.steps", value=int, about="Its optimizer steps; 30 unless you say.")
@options.setting(
    "--group-size", key="trainer.group_size", value=int, about="Its episodes of one task in a batch."
)
@click.option(
    "--rates",
    default="0.33,1,3",
    metavar="X,X,...",
    help="Multiples of each arm's learning rate to try on the validation split; 1 tries none.",
)
@options.setting(
    "--shots",
    key="env.shots",
    value=int,
    about="Solved tasks in the few-shot prompt, at most; 3 unless you say.",
)
@options.setting("-n", "--eval-tasks", key="evaluation.n", value=int, about="Held-out tasks.")
@click.option(
    "--other-env",
    "others",
    multiple=True,
    metavar="ENV",
    help="A further one to play, to see what is forgotten. Repeatable.",
)
@options.sampling_options
@options.env_options
@options.config_options
@click.option("--jobs", type=click.IntRange(1), help="Runs at once, one thread each.  [default: one a core]")
@click.option(
    "--out", default="comparisons", metavar="DIR", help="Directory that its own directory goes into."
)
@click.option("--resume", metavar="DIR", help="Go on with a comparison that was stopped or killed.")
@options.json_option
@options.quiet_option
def command(resume: str | None, jobs: int | None, as_json: bool, quiet: bool, **own: Any) -> int:
    """Compare supervised and reinforcement fine-tuning on few tasks of an environment, fairly.

    Every arm learns from the same tasks, starts from the same weights, takes the best of the same multiples of its
    learning rate, and plays the same held-out tasks. Ends with a table, a picture and one sentence of advice.
    Everything goes into a directory of its own under comparisons/; each arm is an ordinary run in there. Ctrl-C stops
    after the steps under way; a second one stops at once; --resume goes on. Exit codes as of `rftgym train`.
    """
    context = click.get_current_context()
    stated = click.core.ParameterSource.COMMANDLINE
    given = [name for name in OWN if context.get_parameter_source(name) is stated]
    if resume is not None and (options.layers() or given):
        raise UsageError("--resume goes on with the comparison's own plan: leave out all options but --jobs")
    with output.only_result_on_stdout():
        from rftgym.compare.experiment import ComparisonStopped

        watcher = _Told(quiet)
        try:
            with asked_to_stop(lambda: watcher.note(STOPPING)) as stop:
                result = _run(own, resume, jobs, watcher, stop)
        except ComparisonStopped as stopped:
            click.echo(f"rftgym: {stopped}", err=True)
            return INTERRUPTED
        except KeyboardInterrupt:
            click.echo(f"rftgym: interrupted{watcher.way_on()}", err=True)
            return INTERRUPTED
    if as_json:
        output.print_json(result)
    else:
        _show(result)
    return 0


def _run(
    own: Mapping[str, Any], resume: str | None, jobs: int | None, watcher: Watcher, stop: Callable[[], bool]
) -> dict[str, Any]:
    from rftgym.compare import experiment
    from rftgym.compare.plan import planned
    from rftgym.registry import installed

    if resume is not None:
        return experiment.resume(resume, workers=jobs, watcher=watcher, stop=stop)
    plan = planned(
        options.layers(),
        installed(),
        sizes=_numbers("--sizes", own["sizes"], int),
        seeds=_numbers("--seeds", own["seeds"], int),
        arms=None if own["arms"] is None else [arm.strip() for arm in own["arms"].split(",")],
        factors=_numbers("--rates", own["rates"], float),
        others=own["others"],
    )
    return experiment.compare(plan, root=own["out"], workers=jobs, watcher=watcher, stop=stop)


def _numbers(option: str, text: str, kind: type[NumberT]) -> list[NumberT]:
    """``"10,50"`` as numbers.

    Raises:
        UsageError: something in it is none.
    """
    try:
        return [kind(part) for part in text.split(",")]
    except ValueError as error:
        raise UsageError(
            f"{option} {text!r}: expected numbers with commas between, say {option} 1,3"
        ) from error


class _Told(Watcher):
    """A line a job on standard error, with what remains; when quiet, only failures."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._directory: Path | None = None

    def note(self, text: str) -> None:
        """Say something, however quiet."""
        click.echo(f"rftgym: {text}", err=True)

    def way_on(self) -> str:
        """What to do after an interruption."""
        if self._directory is None:
            return "; nothing was written"
        return f"; go on with: rftgym compare --resume {self._directory}"

    def planned(self, directory: Path, plan: Plan, jobs: int, over: int) -> None:
        """The plan in a few lines."""
        self._directory = directory
        self._say(f"comparison {directory}")
        self._say(
            f"  {', '.join(plan.arms)}; {_listed(plan.sizes)} tasks; seeds {_listed(plan.seeds)}; "
            f"rft is {plan.trainer}, {plan.steps or '?'} steps"
        )
        rates = f"rates x {_listed(plan.factors)}, tried with seed {plan.rate_seed}"
        self._say(f"  {jobs} jobs{f', {over} of them over already' if over else ''}; {rates}")

    def estimated(self, seconds: float) -> None:
        """Before training begins."""
        self._say(f"  about {_minutes(seconds)} in all, by the speed of the base model's evaluation")

    def finished(
        self, job: str, score: float | None, over: int, jobs: int, seconds_left: float | None
    ) -> None:
        """A line a job."""
        left = f"  {_minutes(seconds_left)} left" if seconds_left is not None else ""
        shown = f"{score:6.1%}" if score is not None else "     –"
        self._say(f"  {over:>{len(str(jobs))}}/{jobs}  {job:<24} {shown}{left}")

    def failed(self, job: str, reason: str) -> None:
        """Not quiet about that."""
        self.note(f"{job} failed: {reason}")

    def _say(self, text: str) -> None:
        if not self._quiet:
            click.echo(text, err=True)


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def _show(result: Mapping[str, Any]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    from rftgym.compare.table import head, notes, rows

    out = output.console()
    table = Table(
        title=f"{result['env']}, {result['model']}", box=SIMPLE_HEAD, title_justify="left", pad_edge=False
    )
    names = head(result)
    shown = [index for index in range(len(names)) if names[index] != "tokens"]  # wide, and in table.md too
    for index in shown:
        table.add_column(names[index], justify="right" if index else "left", no_wrap=True)
    for row in rows(result):
        table.add_row(*(row[index] for index in shown))
    out.print(table)
    for note in notes(result):
        out.print(note, style="dim", markup=False)
    out.print(f"\n{result['advice']}\n", markup=False)
    directory = Path(result["comparison"])
    click.echo(f"comparison  {directory}\nreport      {directory / 'report.html'}")
