"""``rftgym doctor``."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING

import click

from rftgym.cli import options, output

if TYPE_CHECKING:
    from rftgym.types import Check


@click.command("doctor")
@options.json_option
def command(as_json: bool) -> None:
    """What this machine can do, and for everything that it lacks the command which cures it.

    A lack is no error (most of them concern only some environments), so the exit code is 0.
    """
    from rftgym.cli.checks import examine

    with output.only_result_on_stdout():
        checks = list(examine())
    if as_json:
        output.print_json({"checks": [dataclasses.asdict(check) for check in checks]})
        return
    width = max(len(check.name) for check in checks)
    by_group = itertools.groupby(checks, key=lambda check: check.group)
    for group, members in by_group:
        click.echo(group)
        for check in members:
            _show(check, width)
    lacking = sum(not check.ok for check in checks)
    click.echo(
        "nothing is lacking" if not lacking else f"{lacking} lacking; what cures each is behind the arrow"
    )


def _show(check: Check, width: int) -> None:
    mark = click.style("ok  ", fg="green") if check.ok else click.style("lack", fg="yellow")
    cure = f"  -> {check.cure}" if check.cure else ""
    click.echo(f"  {mark}  {check.name.ljust(width)}  {check.detail}{cure}")
