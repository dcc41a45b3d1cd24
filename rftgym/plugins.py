"""Discovery: which plugins are installed, which of them load, and who registered what.

``pluggy`` calls the hooks; finding plugins is done here, because its own setuptools loader drops the second of two
plugins of one name in silence, lets one broken import kill the command line, and accepts misspelt hooks.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pluggy

import rftgym
from rftgym import files, hookspecs
from rftgym.entrypoints import EntryPoint, installed_entry_points
from rftgym.errors import DuplicateIdError, PluginError, UnknownIdError, UsageError
from rftgym.specs import KINDS, EnvSpec, PolicySpec, Spec

if TYPE_CHECKING:
    import importlib.metadata

GROUP = "rftgym"
REGISTRATION_HOOKS = {
    "rftgym_environments": "env",
    "rftgym_rewards": "reward",
    "rftgym_parsers": "parser",
    "rftgym_policies": "policy",
    "rftgym_trainers": "trainer",
    "rftgym_sandboxes": "sandbox",
    "rftgym_commands": "command",
    "rftgym_probes": "probe",
}
HOOKS = frozenset(
    name
    for name, value in vars(hookspecs).items()
    if inspect.isfunction(value) and value.__module__ == hookspecs.__name__
)
_ID = re.compile(r"[a-z0-9]+([-.][a-z0-9]+)*")
_OURS = re.compile(r"rftgym\b(?![-_.])", re.IGNORECASE)
BASES = {
    "env": "rftgym.env:TextEnv",
    "reward": "rftgym.rubric:Component",
    "parser": "rftgym.parser:Parser",
    "trainer": "rftgym.trainer:Trainer",
    "sandbox": "rftgym.sandbox:Sandbox",
}
"""What a thing of a kind derives from, or is."""
FILE_KINDS = (*BASES, "policy", "probe")
"""Kinds of which a file of the user's own may be named; a command needs a plugin."""
OBJECTS = ("reward", "parser")
"""Kinds of which a file may hold the thing itself, or a function that makes it, instead of a class."""
_ENTRY_POINT = re.compile(r"\w+(\.\w+)*:\w+(\.\w+)*")
SpecT = TypeVar("SpecT", bound=Spec)
Portable = Mapping[str, Any]
"""What another process needs to register the same plugin, in JSON values: name, distribution, and module or specs."""
LOCAL = "(local)"
"""The distribution of what was registered in this process and is not installed."""
FILE = "(file)"
"""The distribution of what a file was named for."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """One entry of the ``rftgym`` entry-point group.

    Attributes:
        name: the entry point's name.
        distribution: the installed distribution that declares it, and its ``version``.
        error: why it is not loaded; None when it is.
    """

    name: str
    distribution: str
    version: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Registration:
    """A spec and the plugin that registered it."""

    spec: Spec
    plugin: Plugin


class Plugins:
    """The installed plugins and what they registered. Built by :func:`discover`, then passed around.

    Attributes:
        plugins: every entry point found, the broken ones included.
        hooks: pluggy's relay for the run-time hooks.
    """

    def __init__(self) -> None:
        self.plugins: list[Plugin] = []
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._manager.add_hookcall_monitoring(lambda *call: None, _name_who_failed)
        self._registered: dict[str, dict[str, list[Registration]]] = {kind: {} for kind in KINDS}
        self._portable: list[Portable] = []
        self._unportable: list[str] = []

    @property
    def hooks(self) -> pluggy.HookRelay:
        """Call a run-time hook on every loaded plugin: ``plugins.hooks.on_step_end(run=..., ...)``."""
        return self._manager.hook

    def add(
        self,
        module: ModuleType | object,
        *,
        name: str,
        distribution: str = LOCAL,
        version: str = "",
        installed: bool = False,
    ) -> Plugin:
        """Register one plugin module: check its hooks, collect its specs.

        Args:
            installed: discovery finds it in every process, so that :meth:`portable` need not tell of it.

        Raises:
            PluginError: a hook is misspelt, not marked, takes other arguments or returns something that is no spec of
                its kind; or the plugin is there already. Nothing of it is registered then.
        """
        plugin = Plugin(name, distribution, version)
        hooks = _hook_implementations(module)
        registrations = [
            Registration(spec, plugin)
            for hook, kind in REGISTRATION_HOOKS.items()
            if hook in hooks
            for spec in _checked_specs(hook, hooks[hook](), KINDS[kind])
        ]
        key = f"{distribution}:{name}"
        try:
            self._manager.register(module, name=key)
        except pluggy.PluginValidationError as error:
            self._manager.unregister(name=key)  # pluggy keeps the hooks that it took before the bad one
            raise PluginError(" ".join(str(error).split())) from error
        except ValueError as error:
            raise PluginError(f"it is registered already: {distribution} {name}") from error
        for registration in registrations:
            spec = registration.spec
            self._registered[spec.kind].setdefault(spec.id, []).append(registration)
        self.plugins.append(plugin)
        if not installed:
            self._remember(module, plugin)
        return plugin

    def register(self, *specs: Spec, name: str | None = None, distribution: str = LOCAL) -> Plugin:
        """Register specs without a plugin module: for a notebook, a script, a test.

        Args:
            name: of the plugin that they make; "local", "local-2"... where none is given.

        Raises:
            PluginError: an id or an entry point does not read as it should, or the name is taken.
        """
        taken = {plugin.name for plugin in self.plugins if plugin.distribution == distribution}
        further = (f"local-{number}" for number in count(2))
        free = next(each for each in chain(["local"], further) if each not in taken)
        return self.add(_SpecsOnly(specs), name=name or free, distribution=distribution)

    def _remember(self, module: ModuleType | object, plugin: Plugin) -> None:
        own = {"name": plugin.name, "distribution": plugin.distribution, "version": plugin.version}
        if isinstance(module, ModuleType):
            self._portable.append({**own, "module": module.__name__})
        elif isinstance(module, _SpecsOnly):
            self._portable.append({**own, "specs": module.specs})
        else:
            self._unportable.append(plugin.name)

    def portable(self) -> list[Portable]:
        """What another process must :meth:`adopt` beyond what is installed, so that it has the same plugins.

        Raises:
            PluginError: a plugin is an object of this process only, its modules cannot be found on ``sys.path``, or its
                specs hold what is no JSON value.
        """
        lost = [each["name"] for each in self._portable if not all(map(_is_importable, _modules(each)))]
        if self._unportable or lost:
            raise PluginError(
                f"plugin {', '.join(self._unportable + lost)} is an object of this process only: put its hooks, or "
                "what its specs name, into a module that can be imported"
            )
        try:
            return [
                {**each, "specs": [spec.to_json() for spec in each["specs"]]} if "specs" in each else each
                for each in self._portable
            ]
        except TypeError as error:
            raise PluginError(f"another process cannot have what was registered here: {error}") from error

    def adopt(self, portable: Iterable[Portable]) -> Plugins:
        """Register what :meth:`portable` of another process told of; what is there already stays. Returns itself.

        Raises:
            PluginError: a module of it cannot be imported here.
        """
        for each in portable:
            name, distribution = each["name"], each["distribution"]
            there = any((name, distribution) == (plugin.name, plugin.distribution) for plugin in self.plugins)
            if "specs" in each:  # of one name may be others here, if that name was not chosen
                new = [Spec.from_json(values) for values in each["specs"] if not self._knows(values)]
                if new:
                    self.register(*new, name=None if there else name, distribution=distribution)
                continue
            if there:
                continue
            try:
                module = importlib.import_module(each["module"])
            except (Exception, SystemExit) as error:
                raise PluginError(f"plugin {name!r} cannot be imported in this process: {error}") from error
            self.add(module, name=name, distribution=distribution, version=each["version"])
        return self

    def _knows(self, values: Mapping[str, Any]) -> bool:
        """Whether the very spec that :meth:`Spec.to_json` described is registered."""
        return any(
            _same(each.spec, values) for each in self._registered[values["kind"]].get(values["id"], ())
        )

    def add_broken(self, name: str, distribution: str, version: str, error: str) -> None:
        """Remember a plugin that could not be loaded, with the reason."""
        self.plugins.append(Plugin(name, distribution, version, error))

    def find(self, kind: str, id: str) -> Registration:
        """The one registration of this id.

        An id that reads ``PATH.py:NAME`` names a file of the user's own, one that reads ``scheme:NAME`` a member of a
        family of environments.

        Raises:
            UnknownIdError: nobody registered it; says what was meant.
            DuplicateIdError: more than one plugin did; names their distributions.
            UsageError: the file is not there, cannot be imported, or holds nothing of this kind.
        """
        found = self._registered[kind].get(id, [])
        if not found and kind in FILE_KINDS and files.is_file(id):
            return _from_file(kind, id)
        if not found and ":" in id and kind == EnvSpec.kind:
            return self._member(id)
        return self._only(kind, id, found)

    def _only(self, kind: str, id: str, found: Sequence[Registration]) -> Registration:
        if not found:
            raise UnknownIdError(kind, id, self._registered[kind])
        if len(found) > 1:
            owners = [f"{r.plugin.distribution} {r.plugin.version} (plugin {r.plugin.name})" for r in found]
            raise DuplicateIdError(kind, id, owners)
        return found[0]

    def _member(self, id: str) -> Registration:
        _, _, name = id.partition(":")
        family = self.family(EnvSpec.kind, id) if name else None
        if family is None:
            raise UnknownIdError(EnvSpec.kind, id, self._registered[EnvSpec.kind])
        spec = replace(family.spec, id=id, kwargs={**family.spec.kwargs, "name": name})
        return Registration(spec, family.plugin)

    def family(self, kind: str, id: str) -> Registration | None:
        """What takes every id of a kind that begins with its scheme and a colon; None: nothing takes this one.

        Raises:
            DuplicateIdError: more than one plugin does.
        """
        scheme, colon, _ = id.partition(":")
        found = [each for each in self.registrations(kind) if getattr(each.spec, "scheme", None) == scheme]
        return self._only(kind, id, found) if colon and found else None

    def spec(self, kind: type[SpecT], id: str) -> SpecT:
        """As :meth:`find`, typed, and only the spec."""
        return cast(SpecT, self.find(kind.kind, id).spec)  # `add` files each spec under its own kind

    def registrations(self, kind: str | None = None) -> Iterator[Registration]:
        """All registrations (of one kind), in the order of kind and id; duplicate ids each appear."""
        for each in [kind] if kind else KINDS:
            for id in sorted(self._registered[each]):
                yield from self._registered[each][id]

    def ids(self, kind: str) -> list[str]:
        """The registered ids of a kind, sorted."""
        return sorted(self._registered[kind])

    def environments(self) -> list[str]:
        """The ids of environments that can be made as they stand, sorted: families are left out."""
        found = self._registered[EnvSpec.kind]
        return sorted(id for id, each in found.items() if not getattr(each[0].spec, "scheme", None))


def discover(entry_points: Iterable[EntryPoint | importlib.metadata.EntryPoint] | None = None) -> Plugins:
    """Load every installed plugin; a broken one is kept with its reason and hurts nobody else.

    Args:
        entry_points: instead of those installed under the group ``rftgym``.
    """
    plugins = Plugins()
    for (distribution, version), name, entry in _sorted(
        installed_entry_points(GROUP) if entry_points is None else entry_points
    ):
        try:
            _check_requirement(entry)
            with contextlib.redirect_stdout(sys.stderr):  # standard output may be somebody's JSON
                found = entry.load()
                plugins.add(
                    found,
                    name=name,
                    distribution=distribution,
                    version=version,
                    installed=entry_points is None,
                )
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  # a plugin may fail in any way, and the rest must go on
            reason = " ".join(str(error).split())
            if not isinstance(error, PluginError):
                reason = f"{type(error).__name__}: {reason}"
            plugins.add_broken(name, distribution, version, reason)
    return plugins


def _check_requirement(entry: EntryPoint | importlib.metadata.EntryPoint) -> None:
    """Whether a plugin's distribution works with this rftgym, as its metadata say.

    Raises:
        PluginError: it needs another version; names both.
    """
    lines = [line for line in (entry.dist.requires if entry.dist else None) or () if _OURS.match(line)]
    if not lines:
        return
    from packaging.requirements import Requirement  # only where somebody else's plugin is installed

    for requirement in map(Requirement, lines):
        wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if wanted and not requirement.specifier.contains(rftgym.__version__, prereleases=True):
            raise PluginError(
                f"it needs rftgym {requirement.specifier}, and this is rftgym {rftgym.__version__}: "
                f"pip install 'rftgym{requirement.specifier}', or another version of {_distribution(entry)[0]}"
            )


class _SpecsOnly:
    """Specs in the place of a plugin's module."""

    def __init__(self, specs: Sequence[Spec]) -> None:
        self.specs = specs
        for hook, kind in REGISTRATION_HOOKS.items():
            own = [spec for spec in specs if spec.kind == kind]
            if own:
                setattr(self, hook, hookspecs.hookimpl(_giving(own)))


def _same(spec: Spec, values: Mapping[str, Any]) -> bool:
    try:
        return spec.to_json() == values
    except TypeError:  # it cannot be told to another process, so it did not come from one
        return False


def _modules(portable: Portable) -> list[str]:
    if "module" in portable:
        return [portable["module"]]
    return [spec.entry_point.rpartition(":")[0] for spec in portable["specs"]]


def _is_importable(module: str) -> bool:
    """Whether another process would find a module: here it may have come in another way.

    All finders are asked, and not only ``sys.path``: an editable install may have brought one of its own.
    """
    top = module.partition(".")[0]
    finders = [finder.find_spec for finder in sys.meta_path if hasattr(finder, "find_spec")]
    return module.endswith(".py") or any(find(top, None) is not None for find in finders)


def _name_who_failed(
    outcome: pluggy.Result[Any], hook: str, implementations: Sequence[pluggy.HookImpl], _: object
) -> None:
    """Note at an exception of a run-time hook whose it is: a run has many plugins, and this says which to mend."""
    error = outcome.exception
    if error is None:
        return
    import traceback  # only where there is one to explain: `rftgym list` is quick

    run = {frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)}
    for each in implementations:
        if getattr(each.function, "__code__", None) in run:
            distribution, _, name = each.plugin_name.partition(":")
            error.add_note(f"raised in {hook}() of plugin {name!r}, {distribution}")


def _giving(specs: Sequence[Spec]) -> Callable[[], Sequence[Spec]]:
    return lambda: specs


def _from_file(kind: str, id: str) -> Registration:
    path, name = files.split(id)
    home = BASES.get(kind)
    base: type | None = None if home is None else KINDS[kind](id="base", entry_point=home).load()
    name = name or files.only_name(kind, base, path)
    spec = KINDS[kind](id=id, entry_point=f"{path}:{name}", summary=f"from {path}")
    target = spec.load()
    if fault := files.unfit(target, base, objects=kind in OBJECTS):
        raise UsageError(f"{path}:{name} is no {kind}: {fault}")
    if isinstance(spec, PolicySpec):
        spec = replace(spec, trainable=bool(getattr(target, "trainable", False)))
    return Registration(spec, Plugin(str(path), FILE, files.digest(path)[:12]))


def being_imported() -> bool:
    """Whether a plugin is in the middle of its own import, so that asking for its hooks would come too soon."""
    modules = (sys.modules.get(entry.value.partition(":")[0]) for entry in installed_entry_points(GROUP))
    return any(getattr(module.__spec__, "_initializing", False) for module in modules if module is not None)


def _sorted(
    entries: Iterable[EntryPoint | importlib.metadata.EntryPoint],
) -> list[tuple[tuple[str, str], str, EntryPoint | importlib.metadata.EntryPoint]]:
    """By distribution and name. An editable install can be on sys.path twice: the very same entry counts once."""
    unique = {(_distribution(entry), entry.name, entry.value): entry for entry in entries}
    return [
        (distribution, name, unique[distribution, name, value])
        for distribution, name, value in sorted(unique)
    ]


def _distribution(entry: EntryPoint | importlib.metadata.EntryPoint) -> tuple[str, str]:
    return (entry.dist.name, entry.dist.version) if entry.dist else ("(unknown)", "")


def _hook_implementations(module: ModuleType | object) -> dict[str, Any]:
    """Functions marked with ``hookimpl``, by name; a misspelt or an unmarked one is an error, not a no-op."""
    found = {}
    for name in dir(module):
        function = getattr(module, name, None)
        if not callable(function):
            continue
        marked = hasattr(function, f"{hookspecs.PROJECT}_impl")
        if marked and name not in HOOKS:
            import difflib

            close = " or ".join(_alike(name) or difflib.get_close_matches(name, HOOKS, n=2))
            hint = f"did you mean {close}?" if close else f"hooks are {', '.join(sorted(HOOKS))}"
            raise PluginError(f"no such hook {name!r}; {hint}")
        if name in HOOKS and not marked:
            raise PluginError(f"{name}() is not marked as a hook; put @rftgym.hookimpl above it")
        if marked:
            found[name] = function
    if not found:
        raise PluginError("it implements no hook; mark functions with @rftgym.hookimpl")
    return found


def _alike(name: str) -> list[str]:
    """Hooks that a name is short for, as in ``rftgym_envs`` for ``rftgym_environments``."""
    prefix = f"{hookspecs.PROJECT}_"
    stem = name.removeprefix(prefix).rstrip("s")
    return [hook for hook in HOOKS if len(stem) > 2 and hook.removeprefix(prefix).startswith(stem)]


def _checked_specs(hook: str, specs: object, kind: type[Spec]) -> Sequence[Spec]:
    if not isinstance(specs, Sequence) or not all(isinstance(spec, kind) for spec in specs):
        raise PluginError(f"{hook} must return a list of {kind.__name__}, not {specs!r}")
    for spec in specs:
        if not _ID.fullmatch(spec.id):
            raise PluginError(
                f"{hook}: id {spec.id!r} is not in kebab case (a-z, 0-9, single '-' or '.' between)"
            )
        if not _ENTRY_POINT.fullmatch(spec.entry_point):
            raise PluginError(
                f"{hook}: entry_point {spec.entry_point!r} of {spec.id!r} does not read 'module:name'"
            )
        scheme = getattr(spec, "scheme", None)
        if scheme is not None and not _ID.fullmatch(scheme):
            raise PluginError(f"{hook}: scheme {scheme!r} of {spec.id!r} is not in kebab case")
    return specs
