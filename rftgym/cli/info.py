"""``rftgym info``."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping
from typing import Any

import click

from rftgym.cli import options, output
from rftgym.cli.catalog import not_loaded
from rftgym.errors import MissingPackageError, UsageError
from rftgym.files import is_file
from rftgym.mixing import is_mix, parse_mix
from rftgym.plugins import Plugins, Registration
from rftgym.specs import KINDS, EnvSpec, PolicySpec

Facts = dict[str, Any]
IN_FILES = ("env", "reward", "trainer", "parser")
"""Kinds that a name in a file may be of: a policy or a probe may be any function, so it takes ``--kind``."""


@click.command("info")
@click.argument("id")
@click.option(
    "--kind", type=click.Choice(tuple(KINDS)), help="Needed where the id is registered for several kinds."
)
@click.option(
    "--schema", is_flag=True, help="Print the JSON schema: of a task's line, or of a trainer's settings."
)
@click.option("--task", metavar="TASK", help="Show this task's prompt instead of the first training task's.")
@options.json_option
def command(id: str, kind: str | None, schema: bool, task: str | None, as_json: bool) -> None:
    """All about one installed thing: an environment's tasks and rewards, a trainer's settings, a reward's weight."""
    from rftgym.registry import installed

    with output.only_result_on_stdout():
        plugins = installed()
        registration = _find(plugins, id, kind)
        if schema:
            found = _schema(registration)
        else:
            found = {**_head(registration), **_details(plugins, registration, task)}
    if schema or as_json:
        output.print_json(found)
    else:
        from rftgym.cli.infotext import text

        click.echo(text(found))


def _find(plugins: Plugins, id: str, kind: str | None) -> Registration:
    if kind is not None:
        return plugins.find(kind, id)
    if is_mix(id):
        raise UsageError(
            f"{id!r} is a mix: ask for one of its parts, say `rftgym info {next(iter(parse_mix(id)))}`"
        )
    if is_file(id):
        return _in_file(plugins, id)
    if ":" in id:
        return plugins.find("env", id)
    kinds = [each for each in KINDS if id in plugins.ids(each)]
    if len(kinds) > 1:
        raise UsageError(
            f"{id!r} is registered as {' and as '.join(kinds)}: add --kind {kinds[0]} or another of them"
        )
    if not kinds:
        everything = sorted({name for each in KINDS for name in plugins.ids(each)})
        close = difflib.get_close_matches(id, everything, n=1)
        hint = f"did you mean {close[0]!r}?" if close else "`rftgym list` shows all"
        raise UsageError(f"nothing is called {id!r}; {hint}{not_loaded(plugins)}")
    return plugins.find(kinds[0], id)


def _in_file(plugins: Plugins, id: str) -> Registration:
    """What a file holds under a name, as the first of the kinds that it can be.

    Raises:
        UsageError: it is none of them; says why it is no environment.
    """
    faults = []
    for kind in IN_FILES:
        try:
            found = plugins.find(kind, id)
            found.spec.load()
        except UsageError as error:
            faults.append(error)
        else:
            return found
    raise UsageError(f"{faults[0]} (what is no {' and no '.join(IN_FILES)}: --kind says what it is)")


def _head(registration: Registration) -> Facts:
    spec, plugin = registration.spec, registration.plugin
    return {
        "id": spec.id,
        "kind": spec.kind,
        "summary": spec.summary,
        "plugin": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "entry_point": spec.entry_point,
    }


def _schema(registration: Registration) -> Facts:
    spec = registration.spec
    model = {"env": "task_row", "trainer": "Config"}.get(spec.kind)
    if model is None:
        raise UsageError(
            f"{spec.kind} {spec.id!r} has no schema; environments (of a task) and trainers (of settings) have"
        )
    schema: Facts = getattr(spec.load(), model).model_json_schema()
    return schema


def _details(plugins: Plugins, registration: Registration, task: str | None) -> Facts:
    spec = registration.spec
    if isinstance(spec, EnvSpec):
        return _environment(plugins, spec, task)
    if task is not None:
        raise UsageError(f"--task is for environments; {spec.id!r} is a {spec.kind}")
    if isinstance(spec, PolicySpec):
        return {"trainable": spec.trainable, "scheme": spec.scheme}
    if spec.kind == "reward":
        return _reward(plugins, spec.id)
    if spec.kind == "trainer":
        target = spec.load()
        settings = _settings(target.Config.model_json_schema())
        return {"about": _doc(target), "settings": settings, "settings_about": _attributes(target.Config)}
    return {"about": _doc(spec.load())}


def _environment(plugins: Plugins, spec: EnvSpec, task_id: str | None) -> Facts:
    from rftgym.registry import make
    from rftgym.tasks import SPLITS

    if spec.scheme == spec.id:
        family = spec.load()
        return {"about": _doc(family), **_members(spec.scheme, family)}
    env = make(spec.id, plugins=plugins)
    sizes = {split: env.tasks.size(split) for split in SPLITS}
    first = next((split for split, size in sizes.items() if size != 0), None)
    if task_id is None and first is None:
        raise UsageError(f"environment {spec.id!r} has no tasks of its own: give some with --tasks")
    task = env.tasks.by_id(task_id) if task_id is not None else env.tasks.item(str(first), 0)
    rubric = env.rubric
    return {
        "about": _doc(type(env)),
        "gymnasium_id": spec.gymnasium_id,
        "splits": sizes,
        "max_turns": env.max_turns,
        "parser": type(env.parser).__name__,
        "rewards": [_component(component) for component in rubric.components],
        "success": rubric.success,
        "combine": rubric.combine,
        "clip": rubric.clip,
        "default_model": spec.default_model,
        "train_defaults": dict(spec.train_defaults),
        "sample": {
            "task": task.id,
            "split": task.split,
            "messages": [{"role": each.role, "content": each.content} for each in env.start(task, 0)],
        },
    }


def _members(scheme: str, family: Any) -> Facts:
    """The names that a family knows; where what it adapts is not installed, what would cure that."""
    try:
        return {"members": [f"{scheme}:{name}" for name in family.names()]}
    except MissingPackageError as error:
        return {"members": [], "lacks": str(error)}


def _reward(plugins: Plugins, id: str) -> Facts:
    from rftgym.registry import make_reward

    component = make_reward(id, 1.0, plugins=plugins)
    return {
        "about": _doc(component.function),
        **{k: v for k, v in _component(component).items() if k != "name"},
    }


def _component(component: Any) -> Facts:
    return {
        "name": component.name,
        "weight": component.weight,
        "per": component.per,
        "needs": list(component.needs),
        "bounds": component.bounds,
        "about": _doc(component.function).partition("\n")[0],
    }


def _settings(schema: Mapping[str, Any]) -> list[Facts]:
    """A trainer's settings, from the JSON schema of its ``Config``."""
    fields = schema.get("properties", {})
    return [
        {"name": name, "default": field.get("default"), "type": _type(field)}
        for name, field in fields.items()
    ]


def _type(field: Mapping[str, Any]) -> str:
    """A field's JSON type for people: ``integer``, ``token | sequence``, ``number | null``."""
    if "enum" in field:
        return " | ".join(map(str, field["enum"]))
    if "anyOf" in field:
        return " | ".join(map(_type, field["anyOf"]))
    return str(field.get("type", "any"))


def _attributes(target: object) -> str:
    """The part of a class's docstring that explains its attributes."""
    _, _, about = _doc(target).partition("Attributes:\n")
    return inspect.cleandoc(about)


def _doc(target: object) -> str:
    return inspect.getdoc(target) or ""
