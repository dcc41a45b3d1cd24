"""``rftgym list``."""

from __future__ import annotations

import click

from rftgym.cli.catalog import LISTABLE, listing


@click.command("list")
@click.argument("kind", required=False, type=click.Choice(LISTABLE))
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list instead of a table.")
def command(kind: str | None, as_json: bool) -> None:
    """What is installed: environments, rewards, parsers, policies, trainers, sandboxes, commands, plugins.

    Without KIND, everything. A plugin that cannot be loaded is listed with the reason; the others work regardless.
    """
    from rftgym.registry import installed

    click.echo(listing(installed(), kind, as_json=as_json), nl=False)
