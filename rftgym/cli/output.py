"""What commands print: JSON on standard output and nothing beside it, tables for people, progress on standard error."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

Interval = Mapping[str, float | None]
_OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""What a terminal obeys, or cannot be given; not the ends of lines and tabs."""
COMFORTABLE_WIDTH = 100  # columns; below it two digits have to do


_QUIET = {
    "TRANSFORMERS_VERBOSITY": "error",
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
    "DATASETS_VERBOSITY": "error",
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
}


@contextlib.contextmanager
def only_result_on_stdout() -> Iterator[None]:
    """While this lasts, what a library or a reward prints goes to standard error, and their chatter is turned down."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", category=FutureWarning, module=r"(transformers|trl|peft|datasets)\b"
        )
        yield


def harmless(text: str) -> str:
    """A text of an environment's for a terminal: control characters and lone surrogates are written out."""
    return _OBEYED.sub(lambda found: repr(found[0])[1:-1], text.replace("\r\n", "\n"))


def print_json(value: object) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(value, indent=2, allow_nan=False))


def console(*, stderr: bool = False) -> Console:
    """A rich console; where the output is no terminal, wide enough that no table is cut."""
    from rich.console import Console

    made = Console(stderr=stderr, highlight=False)
    if not made.is_terminal:
        made.width = max(made.width, 120)
    return made


def print_evaluations(
    title: str, columns: Sequence[tuple[str, Mapping[str, Any]]], difference: Mapping[str, Any] | None
) -> None:
    """Evaluations side by side: success, reward, components and pass@k, each with its 95% interval."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    out = console()
    digits = 2 if out.width < COMFORTABLE_WIDTH else 3
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("", no_wrap=True)
    for name, _ in columns:
        table.add_column(name, justify="right", no_wrap=True)
    if difference is not None:
        table.add_column("difference", justify="right", no_wrap=True)
    shown = [evaluation for _, evaluation in columns]
    for label, path in _measures(shown):
        cells = [interval_text(_at(each, path), digits) for each in shown]
        if difference is not None:
            cells.append(interval_text(_at(difference, path), digits, sign="+"))
        table.add_row(label, *cells)
    out.print(table)
    _print_foot(out, shown[-1])


def _measures(evaluations: Sequence[Mapping[str, Any]]) -> list[tuple[str, tuple[str, ...]]]:
    rows: list[tuple[str, tuple[str, ...]]] = [("success", ("success",)), ("reward", ("reward",))]
    for group in ("pass_at_k", "components"):
        names = dict.fromkeys(name for each in evaluations for name in each.get(group) or {})
        if list(names) == ["1"]:  # pass@1 of one episode a task is the success above
            continue
        label = "pass@{}" if group == "pass_at_k" else "  {}"
        rows += [(label.format(name), (group, name)) for name in names]
    return rows


def _at(evaluation: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = evaluation
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def interval_text(value: Interval | float | None, digits: int = 3, *, sign: str = "") -> str:
    """``0.421 [0.380, 0.460]``; a dash where nothing could be scored."""
    if isinstance(value, int | float):
        return f"{value:{sign}.{digits}f}"
    if value is None or value.get("mean") is None:
        return "–"
    text = f"{value['mean']:{sign}.{digits}f}"
    if value.get("low") is None or value.get("high") is None:
        return text
    return f"{text} [{value['low']:.{digits}f}, {value['high']:.{digits}f}]"


def _print_foot(out: Console, evaluation: Mapping[str, Any]) -> None:
    """Below a table: on what it stands, and what a reader has to know."""
    samples = evaluation.get("samples") or 1
    facts = [
        f"{evaluation['n']} {evaluation['split']} tasks",
        f"{samples} episode{'s' if samples > 1 else ''} each",
    ]
    if evaluation.get("tokens_per_second"):
        facts.append(f"{evaluation['tokens_per_second']:,.0f} tokens/s")
    if evaluation.get("peak_memory_bytes"):
        facts.append(f"{evaluation['peak_memory_bytes'] / 1e9:.1f} GB")
    out.print(f"{', '.join(facts)}; 95% intervals over tasks", style="dim", markup=False)
    for note in evaluation.get("notes") or ():
        out.print(f"note: {note}", markup=False)
    for failure, count in (evaluation.get("failures") or {}).items():
        out.print(f"{count} x {failure}", style="yellow", markup=False)
