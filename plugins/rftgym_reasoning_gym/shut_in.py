"""What is done in the sandbox: entries made by programs that nobody trusts, and sympy's work on answers."""

from __future__ import annotations

import functools
import json
import os
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from rftgym.errors import InfrastructureError
from rftgym.registry import make_sandbox
from rftgym.sandbox import Job, Limits, Outcome, Sandbox
from rftgym_reasoning_gym.drawing import Dataset, Entry, NoEntry, made
from rftgym_reasoning_gym.guards import SHUT_IN
from rftgym_reasoning_gym.quirks import EXECUTES
from rftgym_reasoning_gym.reading import Unreadable

LIMITS: Final = Limits(
    wall_seconds=30.0, cpu_seconds=5.0, memory_bytes=1 << 30, output_bytes=1 << 20, file_bytes=1 << 20,
    scratch_bytes=4 << 20, processes=8,
)  # fmt: skip
"""Of one job. Processor time counts, so that a busy machine makes no answer wrong."""


def entry(dataset: Dataset, draw: int) -> Entry:
    """An entry of a dataset that executes programs to make it.

    Raises:
        NoEntry: the program failed, or took too long.
        InfrastructureError: the sandbox failed.
        RftgymError: this machine has no sandbox.
    """
    header = {"name": dataset.name, "config": json.dumps(dataset.config), "draw": draw}
    outcome = _run(dataset, Job("rftgym_reasoning_gym.shut_in:make_entry", header, limits=LIMITS))
    told = outcome.header.get("entry")
    if outcome.status != "ok" or not _is_entry(told):
        raise NoEntry(f"reasoning-gym:{dataset.name} makes nothing of draw {draw}: {outcome.message}")
    return cast("Entry", told)


def scored(dataset: Dataset, answer: str, entry: Entry) -> float:
    """What the foreign scorer says about a term that was read before.

    Raises:
        Unreadable: it takes too long, or too much memory, to tell.
        InfrastructureError: the sandbox failed.
        RftgymError: this machine has no sandbox; or the scorer failed.
    """
    metadata = {name: entry["metadata"][name] for name in ("integrand", "variable")}
    header = {
        "name": dataset.name,
        "config": json.dumps(dataset.config),
        "answer": answer,
        "metadata": metadata,
    }
    outcome = _run(dataset, Job("rftgym_reasoning_gym.shut_in:score", header, limits=LIMITS))
    if outcome.status in ("timeout", "memory"):
        raise Unreadable("it takes too long to tell")
    if outcome.status != "ok":
        raise ValueError(f"the scorer ended with: {outcome.status} {outcome.message}")
    return float(outcome.header["value"])


def _is_entry(told: Any) -> bool:
    """Whether what came back is an entry: programs that nobody trusts had a hand in it."""
    return (
        isinstance(told, dict)
        and isinstance(told.get("question"), str)
        and isinstance(told.get("answer"), str)
        and isinstance(told.get("metadata"), dict)
        and told["answer"].strip() not in ("", "{}", "null")  # what codeio says where its program failed
    )


# ------------------------------------------------------------------------------------------------------ in the sandbox


def preload() -> None:
    """Import what jobs need."""
    import sympy  # type: ignore[import-untyped]

    x = sympy.Symbol("x")
    sympy.simplify(sympy.diff(sympy.parse_expr("x**2/2 + sin(x)"), x) - x)
    for name in (*EXECUTES, *SHUT_IN):
        _dataset(name, "{}")


def make_entry(header: Mapping[str, Any], blobs: Sequence[Any]) -> tuple[dict[str, Any], tuple[bytes, ...]]:
    """Job: {"name", "config", "draw"} gives {"entry"}."""
    import random

    import numpy as np

    random.seed(header["draw"])  # noqa: TID251  # a process that lives for this one entry
    np.random.seed(header["draw"])  # noqa: NPY002, TID251  # the same
    return {"entry": _dataset(header["name"], header["config"])[header["draw"]]}, ()


def score(header: Mapping[str, Any], blobs: Sequence[Any]) -> tuple[dict[str, Any], tuple[bytes, ...]]:
    """Job: {"name", "config", "answer", "metadata"} gives {"value"}."""
    entry = {"answer": "", "metadata": header["metadata"]}
    return {
        "value": float(_dataset(header["name"], header["config"]).score_answer(header["answer"], entry))
    }, ()


@functools.cache
def _dataset(name: str, config: str) -> Any:
    return made(name, json.loads(config))


# ----------------------------------------------------------------------------------------------------------- outside it


def _run(dataset: Dataset, job: Job) -> Outcome:
    outcome = _shared(*dataset.isolation, os.getpid()).run(job)
    if outcome.status == "crash" and not outcome.message:
        raise InfrastructureError(f"the sandbox of reasoning-gym:{dataset.name} said nothing")
    return outcome


class _Shared:
    """A sandbox that is started when it is first needed."""

    def __init__(self, kind: str, allow_unsafe: bool) -> None:
        self._settings = kind, allow_unsafe
        self._lock = threading.Lock()
        self._sandbox: Sandbox | None = None

    def run(self, job: Job) -> Outcome:
        with self._lock:
            if self._sandbox is None:
                kind, allow_unsafe = self._settings
                self._sandbox = make_sandbox(
                    kind, preload=(f"{__name__}:preload",), allow_unsafe=allow_unsafe
                )
        return self._sandbox.run(job)


@functools.cache
def _shared(kind: str, allow_unsafe: bool, process: int) -> _Shared:
    return _Shared(kind, allow_unsafe)
