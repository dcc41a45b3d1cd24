"""docs/cli.md names every command, every option and every key of the configuration, and none that isn't there."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import click
import pytest
from pydantic import BaseModel

from rftgym.cli import COMMANDS
from rftgym.config import RunConfig

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "cli.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (\w+)$(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))


def command(name: str) -> click.Command:
    module, _, attribute = COMMANDS[name][0].partition(":")
    found: click.Command = getattr(importlib.import_module(module), attribute)
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_documented_in_its_command_s_section(name: str) -> None:
    rows = "\n".join(re.findall(r"^\| (`-.*?) \|", SECTIONS[name], re.MULTILINE))
    documented = set(re.findall(r"`(--?[a-z][\w-]*)", rows))
    options = {each for parameter in command(name).params for each in parameter.opts if each.startswith("-")}
    assert options <= documented | {"--json"}, "add these to docs/cli.md"
    assert documented <= options, "docs/cli.md names options that aren't there"


def keys(model: type[BaseModel], prefix: str = "") -> list[str]:
    found = []
    for name, field in model.model_fields.items():
        inner = field.annotation
        nested = isinstance(inner, type) and issubclass(inner, BaseModel)
        found += keys(inner, f"{prefix}{name}.") if nested else [f"{prefix}{name}"]  # type: ignore[arg-type]
    return found


def test_every_key_of_the_configuration_is_documented() -> None:
    table = PAGE.partition("| Key | Default | Meaning |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    assert {key for row in rows for key in re.findall(r"`([\w.]+)`", row)} == set(keys(RunConfig))


@pytest.mark.parametrize("name", COMMANDS)
def test_options_that_set_a_key_name_one_that_exists(name: str) -> None:
    shown = [
        parameter.help or "" for parameter in command(name).params if isinstance(parameter, click.Option)
    ]
    named = {key for text in shown for key in re.findall(r"\[([a-z_]+(?:\.[a-z_]+)*)\]$", text)}
    # The trainer and the environment check their own.
    own = {key for key in named if key.startswith(("trainer.", "env.kwargs."))}
    assert named - own <= set(keys(RunConfig))
