"""What ``rftgym check`` can be given: an id, a file, or a folder with a plugin that need not be installed."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from rftgym import files
from rftgym.conformance.findings import Report, finding
from rftgym.conformance.raised import brief
from rftgym.entrypoints import installed_entry_points
from rftgym.errors import PluginError, UnknownIdError, UsageError
from rftgym.mixing import is_mix
from rftgym.plugins import GROUP, Plugins, discover
from rftgym.registry import installed
from rftgym.specs import EnvSpec, RewardSpec

EXAMINED = (EnvSpec.kind, RewardSpec.kind)


@dataclass(frozen=True)
class Target:
    """One thing to examine.

    Attributes:
        kind: "env" or "reward".
        plugins: that its id is looked up in.
        module: the plugin's own, where there is one.
        paths: folders in which modules are looked for first.
    """

    kind: str
    id: str
    plugins: Plugins
    module: str = ""
    paths: tuple[str, ...] = ()


@dataclass
class Targets:
    """What an argument stands for, and what is wrong with the plugin before any of it is examined."""

    targets: list[Target] = field(default_factory=list)
    broken: list[Report] = field(default_factory=list)


def targets_of(argument: str) -> Targets:
    """What an argument of the command line stands for.

    Raises:
        UsageError: nothing that can be examined.
    """
    if files.is_file(argument):
        return Targets(list(_in_file(argument)))
    folder = Path(argument).expanduser()
    if folder.is_dir() and (folder / "pyproject.toml").is_file():
        return _in_folder(folder.resolve())
    plugins = installed()
    kind = kind_of(argument, plugins)
    return Targets([Target(kind, argument, plugins, _module_of(argument, kind, plugins))])


def kind_of(id: str, plugins: Plugins) -> str:
    """Whether an id is an environment's or a reward's.

    Raises:
        UsageError: it is neither; says what it is, or what was meant.
    """
    if is_mix(id):
        return EnvSpec.kind
    for kind in EXAMINED:
        try:
            plugins.find(kind, id)
        except UnknownIdError:
            continue
        return kind
    others = [each.spec.kind for each in plugins.registrations() if each.spec.id == id]
    if others:
        raise UsageError(f"{id!r} is a {others[0]}; rftgym check examines environments and rewards")
    if id.startswith((".", "/", "~")) or Path(id).exists():
        raise UsageError(f"{id}: neither a Python file nor a folder with a pyproject.toml")
    known = [*plugins.ids(EnvSpec.kind), *plugins.ids(RewardSpec.kind)]
    raise UnknownIdError("environment or reward", id, known, shown_by="rftgym list")


def _module_of(id: str, kind: str, plugins: Plugins) -> str:
    """The module that an installed plugin's entry point names; "" where nothing is installed under the id."""
    if is_mix(id):
        return ""
    plugin = plugins.find(kind, id).plugin
    for entry in installed_entry_points(GROUP):
        if entry.dist is not None and (entry.name, entry.dist.name) == (plugin.name, plugin.distribution):
            return entry.value.partition(":")[0].strip()
    return ""


def _in_file(argument: str) -> Iterator[Target]:
    """The one thing that is named; of a file alone its environments, or else its rewards."""
    from rftgym.env import TextEnv
    from rftgym.rubric import Component

    path, name = files.split(argument)
    module = files.module_from(path)
    plugins = installed()
    if name:
        try:
            target = files.named_in(module, name)
        except AttributeError as error:
            raise UsageError(f"{path} has no {name!r}") from error
        is_env = isinstance(target, type) and issubclass(target, TextEnv)
        if isinstance(target, type) and not issubclass(target, TextEnv | Component):
            raise UsageError(
                f"{path}:{name} is neither a reward nor an environment: "
                "it derives from neither rftgym.SingleTurnEnv nor rftgym.MultiTurnEnv"
            )
        yield Target(EnvSpec.kind if is_env else RewardSpec.kind, argument, plugins)
        return
    environments = [n for n, v in vars(module).items() if _environment_of(v, module, TextEnv)]
    rewards = [n for n, v in vars(module).items() if isinstance(v, Component)]
    if not environments and not rewards:
        raise UsageError(f"{path} defines no environment (a class that derives from TextEnv) and no reward")
    kind = EnvSpec.kind if environments else RewardSpec.kind
    for each in environments or rewards:
        yield Target(kind, f"{argument}:{each}", plugins)


def _environment_of(value: object, module: ModuleType, base: type) -> bool:
    own = isinstance(value, type) and issubclass(value, base) and value.__module__ == module.__name__
    return own and not getattr(value, "__abstractmethods__", None) and not value.__name__.startswith("_")  # type: ignore[attr-defined]


# ---------------------------------------------------------------------------------------------------------- folders


def _in_folder(folder: Path) -> Targets:
    """Every environment and reward of a plugin that lies in a folder, whether it is installed or not."""
    distribution, entries = declared(folder)
    paths = tuple(str(path) for path in (folder, folder / "src") if path.is_dir())
    sys.path[:0] = [path for path in paths if path not in sys.path]
    plugins, found = discover(), Targets()
    for name, value in entries.items():
        module = value.partition(":")[0].strip()
        error = _loaded(plugins, name, distribution, module)
        if error:
            breach = finding(
                "plugin-broken", error, f"{module}, entry point {name!r} of {folder.name}/pyproject.toml"
            )
            found.broken.append(Report(name, (breach,), left_out=("all that the plugin registers",)))
            continue
        for each in plugins.registrations():
            if (each.plugin.name, each.plugin.distribution) == (
                name,
                distribution,
            ) and each.spec.kind in EXAMINED:
                found.targets.append(Target(each.spec.kind, each.spec.id, plugins, module, paths))
    if not found.targets and not found.broken:
        raise UsageError(f"{folder}: its plugins register no environment and no reward")
    return found


def declared(folder: Path) -> tuple[str, Mapping[str, str]]:
    """The distribution's name, and the plugins that its pyproject.toml declares.

    Raises:
        UsageError: it cannot be read, or declares none.
    """
    file = folder / "pyproject.toml"
    try:
        project: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8")).get("project", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"cannot read {file}: {error}") from error
    entries = project.get("entry-points", {}).get(GROUP)
    if not entries:
        raise UsageError(f"{file} declares no plugin: it needs a table [project.entry-points.{GROUP}]")
    return str(project.get("name", folder.name)), entries


def _loaded(plugins: Plugins, name: str, distribution: str, module: str) -> str:
    """Why a plugin does not load; "" where it does, or was found installed."""
    import importlib

    for plugin in plugins.plugins:
        if (plugin.name, plugin.distribution) == (name, distribution):
            return plugin.error or ""
    try:
        plugins.add(importlib.import_module(module), name=name, distribution=distribution)
    except PluginError as error:
        return str(error)
    except (Exception, SystemExit) as error:  # noqa: BLE001  # a plugin may fail in any way
        return brief(error)
    return ""
