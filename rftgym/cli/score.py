"""``rftgym score``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from statistics import fmean
from typing import Any

import click

from rftgym.cli import options, output

Row = dict[str, Any]


@click.command("score")
@options.env_option
@click.argument("file", metavar="FILE.jsonl")
@options.env_options
@click.option("--out", metavar="OUT.jsonl", help="Write the scored lines there, and print a summary.")
@options.config_options
@options.json_option
def command(file: str, out: str | None, as_json: bool) -> None:
    """Score saved answers, without any model.

    A line in is {"task": ID, "completion": TEXT}, or {"task": ID, "completions": [TEXT, ...]} for several turns. A
    line out adds "reward", "success", "components" and "error"; what cannot be scored is null, never 0. Without --out
    the lines go to standard output (as one JSON list with --json).
    """
    with output.only_result_on_stdout():
        config = options.resolved(options.layers())
        from rftgym.registry import make_configured
        from rftgym.scoring import score

        rows = score(make_configured(config.env, config.rewards), file, out=out)
    if out is None and not as_json:
        for row in rows:
            click.echo(json.dumps(row, allow_nan=False))
    elif out is None:
        output.print_json(rows)
    elif as_json:
        output.print_json({"out": out, **summary(rows)})
    else:
        click.echo(_text(out, summary(rows)))


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """Counts and plain means over the rows that could be scored."""
    scored = [row for row in rows if row["reward"] is not None]
    names = dict.fromkeys(name for row in rows for name in row["components"] or {})
    return {
        "n": len(rows),
        "unscored": len(rows) - len(scored),
        "errors": sum(row["error"] is not None for row in rows),
        "success": _mean([float(row["success"]) for row in scored]),
        "reward": _mean([row["reward"] for row in scored]),
        "components": {name: _mean([(row["components"] or {}).get(name) for row in rows]) for name in names},
    }


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _text(out: str, found: dict[str, Any]) -> str:
    from rftgym.cli.catalog import aligned

    means = {"success": found["success"], "reward": found["reward"], **found["components"]}
    table = aligned([(name, output.interval_text(value)) for name, value in means.items()])
    counts = f"{found['n']} answers, {found['unscored']} could not be scored, {found['errors']} with an error"
    return "\n".join([f"{out}: {counts}", *table])
