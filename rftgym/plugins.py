"""Discovery: which plugins are installed, which of them load, and who registered what.

``pluggy`` calls the hooks; finding plugins is done here, because its own setuptools loader drops the second of two
plugins of one name in silence, lets one broken import kill the command line, and accepts misspelt hooks.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pluggy

from rftgym import hookspecs
from rftgym.entrypoints import EntryPoint, installed_entry_points
from rftgym.errors import DuplicateIdError, PluginError, UnknownIdError
from rftgym.specs import KINDS, Spec

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
}
HOOKS = frozenset(
    name
    for name, value in vars(hookspecs).items()
    if inspect.isfunction(value) and value.__module__ == hookspecs.__name__
)
_ID = re.compile(r"[a-z0-9]+([-.][a-z0-9]+)*")
_ENTRY_POINT = re.compile(r"\w+(\.\w+)*:\w+(\.\w+)*")
SpecT = TypeVar("SpecT", bound=Spec)


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
        self._registered: dict[str, dict[str, list[Registration]]] = {kind: {} for kind in KINDS}

    @property
    def hooks(self) -> pluggy.HookRelay:
        """Call a run-time hook on every loaded plugin: ``plugins.hooks.on_step_end(run=..., ...)``."""
        return self._manager.hook

    def add(
        self, module: ModuleType | object, *, name: str, distribution: str = "(local)", version: str = ""
    ) -> Plugin:
        """Register one plugin module: check its hooks, collect its specs.

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
        return plugin

    def add_broken(self, name: str, distribution: str, version: str, error: str) -> None:
        """Remember a plugin that could not be loaded, with the reason."""
        self.plugins.append(Plugin(name, distribution, version, error))

    def find(self, kind: str, id: str) -> Registration:
        """The one registration of this id.

        Raises:
            UnknownIdError: nobody registered it; says what was meant.
            DuplicateIdError: more than one plugin did; names their distributions.
        """
        found = self._registered[kind].get(id, [])
        if not found:
            raise UnknownIdError(kind, id, self._registered[kind])
        if len(found) > 1:
            owners = [f"{r.plugin.distribution} {r.plugin.version} (plugin {r.plugin.name})" for r in found]
            raise DuplicateIdError(kind, id, owners)
        return found[0]

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
            plugins.add(entry.load(), name=name, distribution=distribution, version=version)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # a plugin may fail in any way, and the rest must go on
            reason = " ".join(str(error).split())
            if not isinstance(error, PluginError):
                reason = f"{type(error).__name__}: {reason}"
            plugins.add_broken(name, distribution, version, reason)
    return plugins


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

            close = " or ".join(difflib.get_close_matches(name, HOOKS, n=2))
            hint = f"did you mean {close}?" if close else f"hooks are {', '.join(sorted(HOOKS))}"
            raise PluginError(f"no such hook {name!r}; {hint}")
        if name in HOOKS and not marked:
            raise PluginError(f"{name}() is not marked as a hook; put @rftgym.hookimpl above it")
        if marked:
            found[name] = function
    if not found:
        raise PluginError("it implements no hook; mark functions with @rftgym.hookimpl")
    return found


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
    return specs
