"""``rftgym bench``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rftgym.cli import options, output
from rftgym.errors import UsageError

if TYPE_CHECKING:
    from rftgym.bench import Report


@click.command("bench")
@click.argument("id", metavar="ID|FILE")
@options.env_options
@click.option("--seconds", type=float, default=2.0, metavar="S", help="Of each of the measurements.")
@click.option(
    "--workers",
    type=int,
    metavar="N",
    help="Measure with 1, 2, 4... processes, up to N; 0: with none. By default as many as there are cores.",
)
@click.option("--seed", type=int, default=0, help="Of the choice of tasks and of the episodes.")
@options.config_options
@options.json_option
def command(id: str, seconds: float, workers: int | None, seed: int, as_json: bool) -> None:
    """How fast is an environment, and where does its time go?

    Plays solutions of the environment's own, broken ones and garbage, without a model: steps, episodes and scorings per
    second of CPU time, what each part of an episode takes, and how it scales over processes.
    """
    with output.only_result_on_stdout():
        config = options.resolved_for(id, "bench")
        from rftgym.bench import available_cores, measure

        most = available_cores() if workers is None else workers
        report = measure(
            config.env, rewards=config.rewards, seconds=seconds, workers=_numbers(most), seed=seed
        )
    if as_json:
        output.print_json(report.to_json())
    else:
        click.echo(_text(report))


def _numbers(most: int) -> list[int]:
    """1, 2, 4... and the largest.

    Raises:
        UsageError: it is below 0.
    """
    if most < 0:
        raise UsageError(f"--workers {most}: expected 0 or more")
    powers = [2**power for power in range(most.bit_length()) if 2**power < most]
    return [*powers, most] if most else []


def _text(report: Report) -> str:
    from rftgym.cli.catalog import aligned

    head = (
        f"{report.env}: {report.tasks} {report.split} tasks x {report.passes} a round, {report.rounds} rounds; "
        f"{report.turns:.1f} turns an episode, {report.solved:.0%} solved"
    )
    unscored = [f"{report.unscored:.0%} of the episodes could not be scored"] if report.unscored else []
    rates = [("", "a CPU second", "lowest - highest", "a second")]
    for name, rate in report.per_cpu_second.items():
        spread = f"{_number(rate.low)} - {_number(rate.high)}"
        rates.append((name, _number(rate.median), spread, _number(report.per_second[name].median)))
    stages = [("an episode's CPU time", "share", "lowest - highest", "microseconds", "by the wall clock")]
    for stage in report.stages:
        share = stage.share
        spread = f"{share.low:.1%} - {share.high:.1%}"
        times = _number(stage.cpu_microseconds), _number(stage.wall_microseconds)
        stages.append((stage.name, f"{share.median:.1%}", spread, *times))
    lines = [head, *unscored, *aligned(rates), "", *aligned(stages)]
    if report.scaling:
        scaling = [("at once", "episodes a second", "speed-up", "steps a CPU second")]
        for each in report.scaling:
            cells = (
                _number(each.episodes_per_second),
                f"{each.speedup:.2f}",
                _number(each.steps_per_cpu_second),
            )
            what = each.kind if each.number > 1 else {"processes": "process", "threads": "thread"}[each.kind]
            scaling.append((f"{each.number} {what}", *cells))
        lines += ["", *aligned(scaling)]
    return "\n".join([*lines, *(f"note: {note}" for note in report.notes)])


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
