"""Finding an environment of verifiers, in whichever API it is written."""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.metadata
import importlib.util
import json
import re
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

from rftgym.errors import MissingPackageError, UsageError
from rftgym_verifiers.foreign import Foreign

_NEEDS_VERIFIERS = re.compile(r"verifiers\b(?![-_.])", re.IGNORECASE)


@functools.cache
def loaded(name: str, settings: str) -> Foreign:
    """An environment, loaded once a process, as verifiers itself uses one for all rollouts.

    Args:
        settings: JSON; see :class:`rftgym_verifiers.env.VerifiersEnv`.

    Raises:
        MissingPackageError: verifiers is not installed.
        UsageError: it cannot be loaded; says why.
    """
    asked: dict[str, Any] = json.loads(settings)
    _require(f"environment 'verifiers:{name}'")
    with _handlers_kept():
        module = _module(name)
        if hasattr(module, "load_environment"):
            if importlib.util.find_spec("verifiers.rubrics") is None:
                raise UsageError(
                    f"verifiers:{name}: {module.__name__} is written for verifiers up to 0.3.1, and {_version()} is "
                    "installed: pip install 'verifiers<0.4', in an environment of its own if others need 0.4"
                )
            from rftgym_verifiers import legacy

            with _quiet():
                found: Foreign = legacy.load(name, asked["args"], asked["without"])
            return found
        if importlib.util.find_spec("verifiers.v1.runtimes") is None:
            raise UsageError(f"verifiers:{name}: {module.__name__} has no load_environment()")
        from rftgym_verifiers import current

        taskset: Foreign = current.load(name, **asked)
        return taskset


def installed_names() -> list[str]:
    """Names of installed distributions that need verifiers, sorted.

    Raises:
        MissingPackageError: verifiers is not installed.
    """
    _require("the family verifiers")
    found = set()
    for distribution in importlib.metadata.distributions():
        needs = any(
            _NEEDS_VERIFIERS.match(line) and "extra ==" not in line for line in distribution.requires or ()
        )
        if needs and _is_module(distribution.name):
            found.add(distribution.name)
    return sorted(found)


def _is_module(name: str) -> bool:
    return importlib.util.find_spec(_module_name(name)) is not None


def _module_name(name: str) -> str:
    """As verifiers does it: what stands behind the owner, without a version, "-" as "_"."""
    return name.rpartition("/")[2].partition("@")[0].replace("-", "_")


def _module(name: str) -> Any:
    target = _module_name(name)
    builtin = f"verifiers.v1.tasksets.{target.lower()}"
    try:
        return importlib.import_module(builtin if _is_there(builtin) else target)
    except ImportError as error:
        raise UsageError(
            f"verifiers:{name}: cannot import {target!r} ({error}); is the environment's package installed for "
            f"{sys.executable}? A module of your own is found with PYTHONPATH=its folder"
        ) from error


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ImportError:
        return False


def _require(what: str) -> None:
    if importlib.util.find_spec("verifiers") is None:
        raise MissingPackageError(what, "verifiers", "verifiers")


def _version() -> str:
    return importlib.metadata.version("verifiers")


@contextlib.contextmanager
def _handlers_kept() -> Iterator[None]:
    """The older API puts handlers of its own for Ctrl-C and SIGTERM when an environment is made.

    In another thread than the main one Python refuses that, and the environment cannot be loaded.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            if handler is not None:
                signal.signal(each, handler)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars of the package datasets, where it is there."""
    if importlib.util.find_spec("datasets") is None:
        yield
        return
    import datasets

    were_off = datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        if not were_off:
            datasets.enable_progress_bars()
