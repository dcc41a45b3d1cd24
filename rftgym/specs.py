"""What a plugin registers: frozen records whose ``entry_point`` is a ``"module:name"`` string, imported when used."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from rftgym.errors import PluginError


@dataclass(frozen=True, slots=True)
class Spec:
    """Base of all specs.

    Attributes:
        id: kebab case, unique among all installed plugins of its kind.
        entry_point: "module:name" of the class or function that is imported when the spec is used.
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
        """
        module, _, name = self.entry_point.partition(":")
        try:
            target: Any = importlib.import_module(module)
            for part in name.split("."):
                target = getattr(target, part)
        except (ImportError, AttributeError) as error:
            raise PluginError(
                f"{self.kind} {self.id!r}: cannot load {self.entry_point!r}: {error}"
            ) from error
        return target


@dataclass(frozen=True, slots=True)
class EnvSpec(Spec):
    """An environment: ``entry_point`` is a :class:`rftgym.TextEnv` class.

    Attributes:
        gymnasium_id: also registered under this name with Gymnasium, e.g. "rftgym/Wordle-v0".
        default_model: what ``rftgym train`` starts from when no ``--model`` is given.
        train_defaults: settings that ``rftgym train`` takes for this environment where the user says nothing
            (dotted configuration keys); ``"ppo.steps"`` is for the trainer "ppo" alone, ``"trainer.steps"`` for all.
    """

    kind: ClassVar[str] = "env"
    gymnasium_id: str | None = None
    default_model: str = "tiny"
    train_defaults: Mapping[str, Any] = field(default_factory=dict)


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


KINDS: dict[str, type[Spec]] = {
    spec.kind: spec
    for spec in (EnvSpec, RewardSpec, ParserSpec, PolicySpec, TrainerSpec, SandboxSpec, CommandSpec)
}
