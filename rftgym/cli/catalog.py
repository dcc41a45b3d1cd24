"""What is installed: as a table, as JSON and in ``rftgym --help``. Imports neither Click nor rich, to be quick."""

from __future__ import annotations

from collections.abc import Sequence

from rftgym.cli import COMMANDS
from rftgym.errors import DuplicateIdError
from rftgym.plugins import Plugin, Plugins
from rftgym.specs import KINDS

LISTABLE = (*KINDS, "plugin")
Row = dict[str, str | bool | None]


def rows(plugins: Plugins, kind: str | None = None) -> list[Row]:
    """What ``rftgym list --json`` prints: every registration, then every plugin, the broken ones included.

    ``loaded`` is False, and ``error`` says why, for a plugin that cannot be imported and for an id that two plugins
    registered.
    """
    found = [
        _row(each.spec.id, each.spec.kind, each.plugin, _clash(plugins, each.spec.kind, each.spec.id))
        for each in plugins.registrations(None if kind == "plugin" else kind)
        if kind != "plugin"
    ]
    if kind in (None, "plugin"):
        found += [_row(plugin.name, "plugin", plugin, plugin.error) for plugin in plugins.plugins]
    return found


def _row(id: str, kind: str, plugin: Plugin, error: str | None) -> Row:
    whose = {"distribution": plugin.distribution, "version": plugin.version}
    return {"id": id, "kind": kind, **whose, "loaded": error is None, "error": error}


def _clash(plugins: Plugins, kind: str, id: str) -> str | None:
    try:
        plugins.find(kind, id)
    except DuplicateIdError as error:
        return str(error)
    return None


def listing(plugins: Plugins, kind: str | None = None, *, as_json: bool) -> str:
    """The answer to ``rftgym list``."""
    if as_json:
        import json

        return json.dumps(rows(plugins, kind), indent=2) + "\n"
    lines: list[str] = []
    for each in [kind] if kind else KINDS:
        table = [_line(plugins, row) for row in rows(plugins, each)]
        if table or kind:
            lines += [each, *(aligned(table) or ["  none"]), ""]
    broken = [plugin for plugin in plugins.plugins if plugin.error]
    if broken and kind != "plugin":
        table = [(each.name, f"{each.distribution} {each.version}", each.error or "") for each in broken]
        lines += ["not loaded", *aligned(table), ""]
    return "\n".join(lines)


def _line(plugins: Plugins, row: Row) -> tuple[str, ...]:
    id, kind = str(row["id"]), str(row["kind"])
    owner = f"{row['distribution']} {row['version']}"
    if row["error"]:
        return id, owner, f"unusable: {row['error']}"
    return id, owner, "" if kind == "plugin" else plugins.find(kind, id).spec.summary


def not_loaded(plugins: Plugins) -> str:
    """To stand behind an error about an id: it may well be in a plugin that could not be loaded."""
    broken = [plugin.name for plugin in plugins.plugins if plugin.error]
    return f"; not loaded: {', '.join(broken)} (`rftgym list plugin` says why)" if broken else ""


def help_text(plugins: Plugins) -> str:
    """The answer to ``rftgym --help``, with the commands that plugins add."""
    added = [
        (id, plugins.find("command", id).spec.summary)
        for id in plugins.ids("command")
        if id not in COMMANDS and not _clash(plugins, "command", id)
    ]
    lines = [
        "Usage: rftgym COMMAND [OPTIONS] [ARGUMENTS]",
        "",
        "  Reinforcement fine-tuning of language models on environments of your own.",
        "",
        "Commands:",
        *aligned([(name, summary) for name, (_, summary) in COMMANDS.items()]),
        "",
        *(["Commands of plugins:", *aligned(added), ""] if added else []),
        "Options:",
        *aligned(
            [("--version", "Print the version."), ("-h, --help", "Print this, or a command's own help.")]
        ),
        "",
        "Try: rftgym train --env wordle",
    ]
    return "\n".join(lines) + "\n"


def aligned(table: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells as indented lines, columns under one another."""
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))] if table else []
    padded = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in table]
    return ["  " + "  ".join(row).rstrip() for row in padded]
