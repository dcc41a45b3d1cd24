"""What ``rftgym info`` prints for people."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from rftgym.cli.catalog import aligned
from rftgym.cli.output import harmless

Facts = Mapping[str, Any]
# fmt: off
SHOWN = (
    "gymnasium_id", "max_turns", "parser", "default_model", "trainable", "scheme", "weight", "per", "bounds",
    "lacks",
)
# fmt: on


def text(found: Facts) -> str:
    """The facts that ``rftgym info --json`` prints, laid out."""
    lines = [f"{found['id']} ({found['kind']}): {found['summary']}".rstrip(": "), ""]
    if found.get("about"):
        lines += [*textwrap.indent(found["about"], "  ").splitlines(), ""]
    lines += aligned(_plain(found))
    for name, section in (
        ("rewards", _rewards),
        ("settings", _settings),
        ("sample", _sample),
        ("members", _members),
    ):
        if found.get(name):
            lines += ["", *section(found)]
    return "\n".join(line.rstrip() for line in lines)


def _plain(found: Facts) -> list[tuple[str, str]]:
    plugin = f"plugin {found['plugin']}, {found['entry_point']}"
    rows = [("from", f"{found['distribution']} {found['version']} ({plugin})")]
    rows += [(name.replace("_", " "), str(found[name])) for name in SHOWN if found.get(name) is not None]
    if "splits" in found:
        sizes = {split: "without end" if size is None else size for split, size in found["splits"].items()}
        rows.append(("tasks", ", ".join(f"{split} {size}" for split, size in sizes.items())))
    if found.get("train_defaults"):
        rows.append(
            ("train with", ", ".join(f"{key}={value}" for key, value in found["train_defaults"].items()))
        )
    return rows


def _rewards(found: Facts) -> list[str]:
    how = (
        f"{found['combine']} of weight x value" if found["combine"] == "sum" else "product of value ** weight"
    )
    clip = f", cut to {list(found['clip'])}" if found["clip"] else ""
    table = [("name", "weight", "per", "after", "")] + [
        (each["name"], f"{each['weight']:g}", each["per"], ", ".join(each["needs"]) or "-", each["about"])
        for each in found["rewards"]
    ]
    return [f"rewards ({how}{clip}; success is read off {found['success']!r})", *aligned(table)]


def _settings(found: Facts) -> list[str]:
    table = [(each["name"], str(each["default"]), each["type"]) for each in found["settings"]]
    about = textwrap.indent(found.get("settings_about", ""), "  ").splitlines()
    return [
        "settings (--set trainer.NAME=VALUE)",
        *aligned([("name", "default", "type"), *table]),
        "",
        *about,
    ]


def _members(found: Facts) -> list[str]:
    names = textwrap.wrap(", ".join(found["members"]), 108, break_on_hyphens=False, break_long_words=False)
    return [f"members ({len(found['members'])})", *(f"  {line}" for line in names)]


def _sample(found: Facts) -> list[str]:
    sample = found["sample"]
    lines = [f"the beginning of task {sample['task']} ({sample['split']})"]
    for message in sample["messages"]:
        content = textwrap.indent(harmless(message["content"]), "  ")
        lines += [f"  [{message['role']}]", *content.splitlines()]
    return lines
