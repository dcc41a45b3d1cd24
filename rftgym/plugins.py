"""Discovery: which plugins are installed, which of them load, and who registered what.

``pluggy`` calls the hooks; finding plugins is done here, because its own setuptools loader drops the second of two plugins
of one name in silence, lets one broken import kill the command line, and accepts misspelt hooks.
"""

from __future__ import annotations

import importlib.metadata
import inspect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar

import pluggy

from rftgym import hookspecs
from rftgym.errors import DuplicateIdError, PluginError, UnknownIdError
from rftgym.specs import KINDS, Spec

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

    def add(self, module: ModuleType | object, *, name: str, distribution: str = "(local)", version: str = "") -> Plugin:
        """Register one plugin module: check its hooks, collect its specs.

        Raises:
            PluginError: a hook is misspelt or returns something that is no spec of its kind.
        """
        plugin = Plugin(name, distribution, version)
        hooks = _hook_implementations(module)
        registrations = [
            Registration(spec, plugin)
            for hook, kind in REGISTRATION_HOOKS.items()
            if hook in hooks
            for spec in _checked_specs(hook, hooks[hook](), KINDS[kind])
        ]
        self._manager.register(module, name=f"{distribution}:{name}")
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
        spec = self.find(kind.kind, id).spec
        assert isinstance(spec, kind)  # by construction: `add` files each spec under its own kind
        return spec

    def registrations(self, kind: str | None = None) -> Iterator[Registration]:
        """All registrations (of one kind), in the order of kind and id; duplicate ids each appear."""
        for each in [kind] if kind else KINDS:
            for id in sorted(self._registered[each]):
                yield from self._registered[each][id]

    def ids(self, kind: str) -> list[str]:
        """The registered ids of a kind, sorted."""
        return sorted(self._registered[kind])


def discover(entry_points: Iterable[importlib.metadata.EntryPoint] | None = None) -> Plugins:
    """Load every installed plugin; a broken one is kept with its reason and hurts nobody else.

    Args:
        entry_points: instead of those installed under the group ``rftgym``.
    """
    plugins = Plugins()
    found = importlib.metadata.entry_points(group=GROUP) if entry_points is None else entry_points
    for entry in sorted(_unique(found), key=lambda e: (_distribution(e), e.name)):
        distribution, version = _distribution(entry)
        try:
            plugins.add(entry.load(), name=entry.name, distribution=distribution, version=version)
        except Exception as error:  # a plugin may fail in any way; the rest must go on, and `list` shows the reason
            reason = f"{type(error).__name__}: {error}".strip()
            plugins.add_broken(entry.name, distribution, version, reason)
    return plugins


def _distribution(entry: importlib.metadata.EntryPoint) -> tuple[str, str]:
    return (entry.dist.name, entry.dist.version) if entry.dist else ("(unknown)", "")


def _unique(entries: Iterable[importlib.metadata.EntryPoint]) -> list[importlib.metadata.EntryPoint]:
    """An editable install can be on sys.path twice and list each entry twice: the very same entry counts once."""
    return list({(_distribution(entry), entry.name, entry.value): entry for entry in entries}.values())


def _hook_implementations(module: ModuleType | object) -> dict[str, Any]:
    """Functions marked with ``hookimpl``, by name; a misspelt one is an error, not a no-op."""
    known = {name for name, value in vars(hookspecs).items() if inspect.isfunction(value) and value.__module__ == hookspecs.__name__}
    found = {}
    for name in dir(module):
        function = getattr(module, name, None)
        if callable(function) and hasattr(function, f"{hookspecs.PROJECT}_impl"):
            if name not in known:
                raise PluginError(f"no such hook {name!r}; hooks are: {', '.join(sorted(known))}")
            found[name] = function
    if not found:
        raise PluginError("the module implements no hook; mark functions with @rftgym.hookimpl")
    return found


def _checked_specs(hook: str, specs: object, kind: type[Spec]) -> Sequence[Spec]:
    if not isinstance(specs, Sequence) or not all(isinstance(spec, kind) for spec in specs):
        raise PluginError(f"{hook} must return a list of {kind.__name__}, not {specs!r}")
    return specs
