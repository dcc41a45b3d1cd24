"""Gymnasium's registry: importing this module makes ``gymnasium.make("rftgym/Wordle-v0")`` and ``make_vec`` work.

Nobody needs to import it by hand: ``import rftgym`` does, once Gymnasium is imported too, in whichever order. A program
that never says ``import rftgym`` names this module as Gymnasium has it: ``make("rftgym.gym:rftgym/Wordle-v0")``.
"""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass
from typing import Any

import gymnasium

from rftgym.errors import PluginError
from rftgym.plugins import LOCAL, Plugins, Portable, Registration, being_imported
from rftgym.registry import installed, make
from rftgym.specs import EnvSpec

PREFIX = "environment-"


@dataclass(frozen=True)
class Creator:
    """What Gymnasium calls to make an environment of this id.

    Attributes:
        portable: plugins that are not installed, which a vector environment's processes register too.
    """

    id: str
    portable: tuple[Portable, ...] = ()

    def __call__(self, **kwargs: Any) -> gymnasium.Env[str, str]:
        """The environment, made by :func:`rftgym.make`."""
        return make(self.id, plugins=installed().adopt(self.portable), **kwargs)

    @property
    def metadata(self) -> dict[str, Any]:
        """The environment class's; Gymnasium reads the render modes off it."""
        spec = installed().adopt(self.portable).spec(EnvSpec, self.id)
        metadata: dict[str, Any] = getattr(spec.load(), "metadata", {})
        return metadata


def __getattr__(name: str) -> Creator:
    """Entry points of Gymnasium's specs, ``rftgym.gym:environment-wordle``: unlike functions, strings can be stored."""
    if not name.startswith(PREFIX):
        raise AttributeError(f"module 'rftgym.gym' has no attribute {name!r}")
    return Creator(name.removeprefix(PREFIX))


def register(plugins: Plugins) -> None:
    """Register each environment that has a ``gymnasium_id``; what is there already stays as it is.

    An id that Gymnasium refuses, or that two environments want, is a warning: it must not break anybody's imports.
    """
    for registration in plugins.registrations("env"):
        spec = registration.spec
        if not isinstance(spec, EnvSpec) or spec.gymnasium_id is None:
            continue
        entry_point = _entry_point(plugins, registration)
        there = gymnasium.registry.get(spec.gymnasium_id)
        if there is None:
            try:
                gymnasium.register(spec.gymnasium_id, entry_point=entry_point)
            except gymnasium.error.Error as error:
                warnings.warn(
                    f"environment {spec.id!r} cannot be registered with Gymnasium: {error}", stacklevel=2
                )
        elif there.entry_point != entry_point:
            message = (
                f"{spec.gymnasium_id!r} is {there.entry_point!r} in Gymnasium already, so {spec.id!r} is not"
            )
            warnings.warn(message, stacklevel=2)


def _entry_point(plugins: Plugins, registration: Registration) -> str | Creator:
    """A string for what every process finds installed; for anything else, something that can be sent to it."""
    id = registration.spec.id
    if registration.plugin.distribution != LOCAL:
        return f"{__name__}:{PREFIX}{id}"
    try:
        return Creator(id, tuple(plugins.portable()))
    except PluginError:  # an object of this process: good here, and nowhere else
        return Creator(id)


def register_installed() -> None:
    """Register what the installed plugins have; later, when one of them is in the middle of its own import.

    Or when :mod:`rftgym.env` is: a plugin may derive a class from it at its top. It calls this at its own end.
    """
    env = sys.modules.get("rftgym.env")
    half_made = env is not None and not hasattr(env, "SingleTurnEnv")
    if not half_made and not being_imported():
        register(installed())


register_installed()
