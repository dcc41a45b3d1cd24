"""What a plugin registers: frozen records whose ``entry_point`` is a ``"module:name"`` string, imported when used."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from rftgym.errors import PluginError, UsageError
from rftgym.files import module_from, named_in, split


@dataclass(frozen=True, slots=True)
class Spec:
    """Base of all specs.

    Attributes:
        id: kebab case, unique among all installed plugins of its kind.
        entry_point: "module:name" of the class or function that is imported when the spec is used; "path.py:name"
            where a file was named instead of an installed plugin's id.
        summary: one line for ``rftgym list``.
        kwargs: given to the entry point before the user's own.
    """

    kind: ClassVar[str] = "spec"
    id: str
    entry_point: str
    summary: str = ""
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    def load(self) -> Any:
        """Import the entry point.

        Raises:
            PluginError: the module cannot be imported or has no such name.
            UsageError: the same of a file that the user named.
        """
        module, _, name = self.entry_point.rpartition(":")
        if module.endswith(".py"):
            return self._from_file()
        try:
            target: Any = importlib.import_module(module)
            for part in name.split("."):
                target = getattr(target, part)
        except (ImportError, AttributeError) as error:
            raise PluginError(
                f"{self.kind} {self.id!r}: cannot load {self.entry_point!r}: {error}. The plugin that registers it is "
                f"broken, or its installation is; `rftgym list {self.kind}` says which distribution that is"
            ) from error
        return target

    def _from_file(self) -> Any:
        path, name = split(self.entry_point)
        try:
            return named_in(module_from(path), name)
        except AttributeError as error:
            raise UsageError(f"{path} has no {name!r}") from error

    def to_json(self) -> dict[str, Any]:
        """The spec and its kind as JSON values, so that another process can register it too.

        Raises:
            TypeError: ``kwargs`` or another mapping holds something that is no JSON value.
        """
        values = {each.name: _plain(getattr(self, each.name), self.id) for each in fields(self)}
        return {"kind": self.kind, **values}

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> Spec:
        """The spec that :meth:`to_json` described."""
        own: dict[str, Any] = {
            name: tuple(v) if isinstance(v, list) else v for name, v in values.items() if name != "kind"
        }
        return KINDS[values["kind"]](**own)


def _plain(value: Any, id: str) -> Any:
    """A value as JSON would give it back, so that what it would change in silence is refused: a set, a number as key.

    Raises:
        TypeError: it is none; names it.
    """
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_plain(each, id) for each in value]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _plain(each, id) for key, each in value.items()}
    raise TypeError(f"{id!r} holds {value!r:.60}, which is no JSON value")


@dataclass(frozen=True, slots=True)
class EnvSpec(Spec):
    """An environment: ``entry_point`` is a :class:`rftgym.TextEnv` class.

    Attributes:
        gymnasium_id: also registered under this name with Gymnasium, e.g. "rftgym/Wordle-v0".
        default_model: what ``rftgym train`` starts from when no ``--model`` is given.
        train_defaults: settings that ``rftgym train`` takes for this environment where the user says nothing
            (dotted configuration keys); ``"ppo.steps"`` is for the trainer "ppo" alone, ``"trainer.steps"`` for all.
        scheme: it is a family: every ``--env`` that reads ``scheme:NAME`` is one of it, made with ``name=NAME``. The
            class has a class method ``names()`` that lists the names it knows.
    """

    kind: ClassVar[str] = "env"
    gymnasium_id: str | None = None
    default_model: str = "tiny"
    train_defaults: Mapping[str, Any] = field(default_factory=dict)
    scheme: str | None = None


class RewardSpec(Spec):
    """A reward component for any environment: ``entry_point`` is a :class:`rftgym.Component`, or makes one."""

    __slots__ = ()
    kind: ClassVar[str] = "reward"


class ParserSpec(Spec):
    """A parser: ``entry_point`` is a :class:`rftgym.Parser` class."""

    __slots__ = ()
    kind: ClassVar[str] = "parser"


@dataclass(frozen=True, slots=True)
class PolicySpec(Spec):
    """A policy: ``entry_point`` is called as ``f(settings, trainable=bool, seed=int, **kwargs)``.

    It returns a :class:`rftgym.Policy`.

    Attributes:
        trainable: it has weights that a trainer can update.
        scheme: also takes every ``--model`` that starts with ``scheme:`` (say "openai").
        train_defaults: settings that ``rftgym train`` takes for this model where the user says nothing (dotted keys; a
            learning rate, say). They win over the environment's.
        knows: environments that a special model was pretrained on, all that it can learn; empty: it is a general one.
    """

    kind: ClassVar[str] = "policy"
    trainable: bool = False
    scheme: str | None = None
    train_defaults: Mapping[str, Any] = field(default_factory=dict)
    knows: tuple[str, ...] = ()


class TrainerSpec(Spec):
    """An algorithm: ``entry_point`` is a :class:`rftgym.Trainer` class."""

    __slots__ = ()
    kind: ClassVar[str] = "trainer"


class SandboxSpec(Spec):
    """A place to run code nobody trusts: ``entry_point`` is a class whose ``detect()`` says what this machine has."""

    __slots__ = ()
    kind: ClassVar[str] = "sandbox"


class CommandSpec(Spec):
    """A subcommand of ``rftgym``: ``entry_point`` is a ``click.Command``."""

    __slots__ = ()
    kind: ClassVar[str] = "command"


@dataclass(frozen=True, slots=True)
class ProbeSpec(Spec):
    """A way to earn a reward without solving the task, tried by ``rftgym audit``; see :mod:`rftgym.audit`.

    ``entry_point`` is a function ``f(env, task, rng)`` that gives episodes: each a list of completions, or one text
    that is said in every turn; by name in a mapping, or one after the other. What has the same name or place on every
    task is one policy.

    Attributes:
        spoils: it starts from the task's own solution and makes it wrong: what it says should lose, and is no policy,
            since it knows the answer.
        watched: it is also played now and then in training (``guard.probe_every``).
    """

    kind: ClassVar[str] = "probe"
    spoils: bool = False
    watched: bool = False


KINDS: dict[str, type[Spec]] = {
    spec.kind: spec
    for spec in (
        EnvSpec,
        RewardSpec,
        ParserSpec,
        PolicySpec,
        TrainerSpec,
        SandboxSpec,
        CommandSpec,
        ProbeSpec,
    )
}
