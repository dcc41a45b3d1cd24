"""``rftgym data inspect``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from rftgym.cli import options, output

if TYPE_CHECKING:
    from rich.console import Console

    from rftgym.data import Rows

Facts = Mapping[str, Any]
BAR_WIDTH = 40
SHOWN = 5
LONGEST_LINE = 1000


@click.command("data")
@click.argument("action", type=click.Choice(["inspect"]))
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--model", default="tiny", help="Whose tokenizer and chat template count the tokens.")
@click.option(
    "--max-length",
    type=click.IntRange(min=1),
    help="Tokens beyond which an example would be cut; by default what the model can take.",
)
@click.option(
    "--max-bad-share",
    type=click.FloatRange(0, 1),
    default=0.0,
    help="Share of a file's rows that may be unusable.",
)
@options.json_option
def command(
    action: str,
    files: tuple[str, ...],
    model: str,
    max_length: int | None,
    max_bad_share: float,
    as_json: bool,
) -> None:
    """Look at files before training on them: `rftgym data inspect FILE...`.

    Says the format, how many rows there are and which of them are bad and why, roles and turns, how long the examples
    are in tokens and how many would be cut, duplicates, and prompts that stand in two splits. A FILE is JSON lines, a
    JSON list, CSV or parquet, a folder of them, or a hub id. The exit code is 2 where training would refuse a file.
    """
    with output.only_result_on_stdout():
        sources, found = _inspected(files, model, max_length)
    if as_json:
        output.print_json(found)
    else:
        _show(output.console(), found)
    for rows in sources:
        rows.check(max_bad_share)


def _inspected(files: Sequence[str], model: str, max_length: int | None) -> tuple[list[Rows], dict[str, Any]]:
    from rftgym.config import ModelSettings
    from rftgym.data import scan
    from rftgym.data.inspection import FEW_EXAMPLES, TokenLengths, inspected
    from rftgym.data.mixing import weighted
    from rftgym.errors import UsageError
    from rftgym.registry import make_policy

    sources = [scan(weighted(name)[0]) for name in files]  # a trainer's FILE=WEIGHT is taken too
    lengths = TokenLengths(make_policy(ModelSettings(id=model)))
    limit = max_length or lengths.context
    if limit is None:
        raise UsageError(f"model {model!r} does not say how long a text may be: give --max-length")
    found = {"model": model, **inspected(sources, lengths, max_length=limit)}
    if 0 < found["examples"] < FEW_EXAMPLES:
        found["notes"].append(_few(found, files))
    return sources, found


def _few(found: Facts, files: Sequence[str]) -> str:
    import shlex

    count = found["examples"]
    warning = (
        f"{count} example{'s' if count > 1 else ''}: with fewer than 100, supervised fine-tuning will probably not "
        "hold on rows that it has not seen"
    )
    if set(found["turns"]) == {"0"}:
        return f"{warning}; reinforcement fine-tuning may, and needs prompts with answers that can be checked"
    command = f"rftgym train --env dataset --tasks {shlex.quote(files[0])}"
    return f"{warning}; reinforcement fine-tuning may, where answers can be checked: {command}"


def _show(out: Console, found: Facts) -> None:
    for each in found["sources"]:
        where = f"{each['files']} files, " if each["files"] > 1 else ""
        bad = f", {each['bad']} bad" if each["bad"] else ""
        rows = "1 row" if each["rows"] == 1 else f"{each['rows']} rows"
        _say(out, f"{each['source']}: {where}{rows} of format {each['format']}{bad}")
    if found["examples"]:
        _show_contents(out, found)
        _show_lengths(out, found["tokens"], found["model"])
    _show_troubles(out, found)


def _show_contents(out: Console, found: Facts) -> None:
    out.print(f"examples    {found['examples']}")
    out.print(f"roles       {_listed(found['roles'])}")
    turns = {
        "without turns" if name == "0" else f"of {name} turn{'s' if name != '1' else ''}": count
        for name, count in found["turns"].items()
    }
    out.print(f"turns       {', '.join(f'{count} {name}' for name, count in turns.items())}")
    if set(found["splits"]) != {""}:
        out.print(f"splits      {_listed({name or 'none': n for name, n in found['splits'].items()})}")
    if found["fields"]:
        _say(out, f"more fields {', '.join(found['fields'])}")
    out.print(
        f"duplicates  {found['duplicates']}; {found['same_prompt_other_answer']} with the prompt of another row "
        "and a different answer"
    )


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _show_lengths(out: Console, tokens: Facts, model: str) -> None:
    from rich.table import Table

    if not tokens["histogram"]:
        return
    out.print(
        f"tokens of {model}: median {tokens['median']:g}, 90% up to {tokens['p90']}, longest {tokens['max']}",
        style="bold",
        markup=False,
    )
    table = Table(box=None, show_header=False, pad_edge=False)
    most = max(each["count"] for each in tokens["histogram"])
    for each in tokens["histogram"]:
        bar = "█" * max(1 if each["count"] else 0, round(BAR_WIDTH * each["count"] / most))
        over = each["from"] > tokens["max_length"]
        table.add_row(
            f"{each['from']}-{each['to']}", bar, str(each["count"]), style="yellow" if over else None
        )
    out.print(table)
    out.print(
        f"{tokens['truncated']} ({tokens['truncated_share']:.1%}) longer than {tokens['max_length']} tokens: they "
        "would be cut",
        style="yellow" if tokens["truncated"] else "dim",
    )


def _show_troubles(out: Console, found: Facts) -> None:
    for bad in found["bad_rows"]:
        _say(out, f"bad row: {bad['source']}, line {bad['line']}: {bad['reason']}", style="red")
    hidden = sum(each["bad"] for each in found["sources"]) - len(found["bad_rows"])
    if hidden > 0:
        out.print(f"and {hidden} more bad rows", style="red")
    leaks = found.get("leaks", [])
    for leak in leaks[:SHOWN]:
        one, other = leak["one"], leak["other"]
        _say(
            out,
            f"leak: {other['source']}, line {other['line']} ({other['split']}) asks what {one['source']}, "
            f"line {one['line']} ({one['split']}) asks",
            style="yellow",
        )
    if len(leaks) > SHOWN:
        out.print(f"and {len(leaks) - SHOWN} more leaks", style="yellow")
    for note in found["notes"]:
        _say(out, f"note: {note}")


def _say(out: Console, text: str, style: str | None = None) -> None:
    """A line that quotes a file or its name, which may hold anything."""
    from rftgym.data.records import one_line

    out.print(one_line(text, LONGEST_LINE), style=style, markup=False, highlight=False, soft_wrap=True)
