"""``rftgym check``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from rftgym.cli import options, output
from rftgym.errors import UsageError

if TYPE_CHECKING:
    from rftgym.conformance import Finding, Report
    from rftgym.conformance.targets import Target

COLOURS = {"error": "red", "warning": "yellow"}


@click.command("check")
@click.argument("subject", metavar="ID|PATH")
@click.option("--strict", is_flag=True, help="Warnings are errors too.")
@click.option(
    "--seconds", type=click.FloatRange(1), default=40.0, help="About so long for each thing examined."
)
@click.option(
    "--completion", "-c", "completions", multiple=True, metavar="TEXT", help="Say this too. Repeatable."
)
@click.option("--on", metavar="ENV", help="For a reward: the environment whose episodes it judges (wordle).")
@options.env_options
@options.config_options
@options.json_option
def command(
    subject: str,
    strict: bool,
    seconds: float,
    completions: tuple[str, ...],
    on: str | None,
    as_json: bool,
) -> None:
    """Does an environment, or a reward, keep the contract? Says what breaks it, where, why it matters, how to mend it.

    ID is an installed environment or reward, a member of a family (reasoning-gym:countdown) or a mix. PATH is a file
    (./my_env.py, ./my_env.py:MyEnv), or the folder of a plugin that need not be installed. docs/check.md lists
    everything that is examined. Exit code 1 where there is an error.
    """
    from rftgym.conformance.targets import targets_of

    with output.only_result_on_stdout():
        env, rewards = _settings(options.layers())
        found = targets_of(subject)
        _fitting(found.targets, on, env or rewards)
        reports = list(found.broken)
        for each in found.targets:
            reports.append(_examined(each, seconds, completions, on, env, rewards))
            if not as_json and len(found.targets) > 1:
                click.echo(f"examined {each.id}", err=True)
    ok = all(report.ok and not (strict and report.warnings) for report in reports)
    if as_json:
        output.print_json({"target": subject, "ok": ok, "reports": [report.to_json() for report in reports]})
    else:
        _show(reports)
    if not ok:
        click.get_current_context().exit(1)


def _settings(layers: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the options, and a configuration file, say of the environment and of its rewards.

    Raises:
        UsageError: a key is no part of a configuration.
    """
    from rftgym.config import RunConfig, merged

    asked = merged(*layers)
    unknown = sorted(set(asked) - set(RunConfig.model_fields))
    if unknown:
        raise UsageError(f"unknown setting {unknown[0]!r}; rftgym check takes env.* and rewards.*")
    return {name: value for name, value in asked.get("env", {}).items() if name != "id"}, asked.get(
        "rewards", {}
    )


def _fitting(targets: Sequence[Target], on: str | None, changed: object) -> None:
    """Whether the options suit what is examined.

    Raises:
        UsageError: they don't.
    """
    kinds = {each.kind for each in targets}
    if on is not None and "reward" not in kinds:
        raise UsageError("--on is for a reward; this is an environment")
    if changed and "env" not in kinds:
        raise UsageError(
            "settings of an environment (--set env..., --tasks, --weight) don't go with a reward"
        )


def _examined(
    target: Target,
    seconds: float,
    completions: Sequence[str],
    on: str | None,
    env: Mapping[str, Any],
    rewards: Mapping[str, Any],
) -> Report:
    from rftgym.conformance.component import HOST, examine_reward

    if target.kind == "reward":
        return examine_reward(
            target.id,
            on=on or HOST,
            completions=completions,
            seconds=seconds,
            plugins=target.plugins,
            paths=target.paths,
            module=target.module,
        )
    from rftgym.config import EnvSettings, RewardSettings, parsed
    from rftgym.conformance import examine

    return examine(
        parsed(EnvSettings, {**env, "id": target.id}),
        rewards=parsed(RewardSettings, rewards),
        completions=completions,
        seconds=seconds,
        plugins=target.plugins,
        paths=target.paths,
        module=target.module,
    )


def _show(reports: Sequence[Report]) -> None:
    from rftgym.conformance.words import headline, remarks

    out = output.console()
    for report in reports:
        for each in report.findings:
            _show_finding(each)
        for line in remarks(report):
            out.print(line, style="dim", markup=False, soft_wrap=True)
        mark = "[green]ok[/green]   " if report.ok else "[red]broken[/red]"
        out.print(mark, end=" ")
        out.print(headline(report), markup=False, soft_wrap=True)


def _show_finding(finding: Finding) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from rftgym.conformance.words import clean, told

    out = output.console()
    head = Text(finding.severity, style=f"bold {COLOURS[finding.severity]}")
    head.append(f" {finding.check}", style="bold")
    out.print(head, Text(f"  {clean(finding.what)}"), sep="\n", soft_wrap=False)
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in told(finding):
        table.add_row(label, Text(clean(text)))
    out.print(Padding(table, (0, 0, 1, 2)))
