"""``rftgym audit``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from rftgym.cli import options, output

if TYPE_CHECKING:
    from rftgym.audit import Audit

TOO_MUCH = 1
"""Exit code where the gap is larger than allowed."""


@click.command("audit")
@click.argument("id", metavar="ENV")
@click.option(
    "-n", "--n-tasks", "n", type=click.IntRange(min=1), help="Tasks; by default 100, or 8 of a slow ENV."
)
@click.option("--split", type=click.Choice(("train", "validation", "test")), help="By default train.")
@click.option(
    "--probe",
    "probe_ids",
    multiple=True,
    metavar="ID",
    help="Only this probe (`rftgym list probe`; cheats: the environment's own; ./my_probes.py:NAME). Repeatable.",
)
@click.option("--seed", type=int, default=0, help="Of the choice of tasks and of what probes draw.")
@click.option("--max-gap", type=float, default=0.1, show_default=True, help="Exit with 1 above it.")
@options.env_options
@options.config_options
@options.json_option
def command(
    id: str,
    n: int | None,
    split: str | None,
    probe_ids: Sequence[str],
    seed: int,
    max_gap: float,
    as_json: bool,
) -> None:
    """Try to be paid without solving anything: probes, the environment's own list of cheats, spoilt solutions.

    The gameability gap is what the best of them is paid, as a share of the way from the lowest reward to a
    solution's. ENV is an installed environment, a mix, or a file: ./my_env.py:MyEnv. Rewards that you add or weigh
    are audited with it.
    """
    with output.only_result_on_stdout():
        config = options.resolved_for(id, "audit")
        from rftgym.audit import audit
        from rftgym.registry import make_configured

        env = make_configured(config.env, config.rewards)
        try:
            found = audit(
                env, n=n, split=split, probe_ids=list(probe_ids) or None, seed=seed, max_gap=max_gap
            )
        finally:
            env.close()
    _show(found, as_json=as_json)
    if not found.passes:
        click.get_current_context().exit(TOO_MUCH)


def _show(found: Audit, *, as_json: bool) -> None:
    if as_json:
        output.print_json(found.to_json())
        return
    from rftgym.audit.report import text

    click.echo(text(found))
