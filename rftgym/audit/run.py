"""An audit from an environment to its figures."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from rftgym.audit.attempts import CHEATS, Attempt, attempts_of, cheats_of, play, probes
from rftgym.audit.figures import Audit, Tried, ceiling
from rftgym.env import TextEnv
from rftgym.errors import UsageError
from rftgym.plugins import Plugins
from rftgym.registry import installed, make
from rftgym.tasks import SPLITS
from rftgym.types import Task

MAX_GAP = 0.1
TASKS = 100
SLOW_TASKS = 8
"""Of an environment whose answers take a process."""


def audit(
    env: str | TextEnv[Any],
    *,
    n: int | None = None,
    split: str | None = None,
    probe_ids: Sequence[str] | None = None,
    seed: int = 0,
    max_gap: float = MAX_GAP,
    plugins: Plugins | None = None,
) -> Audit:
    """Try to be paid without solving anything.

    Args:
        env: id, or an environment: then with its rubric as it is.
        n: tasks; by default 100, or 8 where each answer takes a process. Of a mix, of each part.
        split: "train" by default, or the first split that has tasks.
        probe_ids: only these; "cheats" are the environment's own.
        seed: of the choice of tasks and of what probes draw.
        max_gap: largest gap with which the audit passes.
        plugins: whose probes; by default the installed ones.

    Raises:
        UsageError: there is no such environment, probe or split.
        PluginError: a probe failed.
    """
    plugins = plugins or installed()
    made = make(env, plugins=plugins) if isinstance(env, str) else env.spawn()
    specs = probes(plugins, probe_ids)
    split = _split(made, split)
    begun = _processor_seconds()
    chosen = made.tasks.probe(split, n or (SLOW_TASKS if made.slow else TASKS), seed)
    tasks = [_solved(made, task) for task in chosen]
    for task in tasks:
        if probe_ids is None or CHEATS in probe_ids:
            task.attempts += cheats_of(made, task.task)
        for spec in specs:
            task.attempts += attempts_of(made, task.task, spec, seed)
    play(made, [each for task in tasks for each in (*task.attempts, task.solution) if each is not None])
    most = ceiling(made.rubric)
    for task in tasks:
        task.gold = most if task.solution is None else task.solution.reward
        task.rubric, task.same = made.rubric, made.same_answer
    known = any(task.solution for task in tasks)
    seconds = _processor_seconds() - begun
    return Audit(made.id, split, seed, max_gap, tasks, made.rubric, ceiling=not known, seconds=seconds)


def _split(env: TextEnv[Any], wanted: str | None) -> str:
    for split in SPLITS if wanted is None else (wanted,):
        if env.tasks.size(split) != 0:
            return split
    raise UsageError(f"no tasks in split {wanted!r} of {env.id!r}; splits are {', '.join(SPLITS)}")


def _solved(env: TextEnv[Any], task: Task) -> Tried:
    said = solution_of(env, task)
    return Tried(task, None, None if said is None else Attempt("solution", "1", task, said))


def solution_of(env: TextEnv[Any], task: Task) -> tuple[str, ...] | None:
    """The completions of the environment's own solution; None where it knows none."""
    talk = env.demonstrate(task, 0) or ()
    said = tuple(message.content for message in talk if message.role == "assistant")
    return said or None


def _processor_seconds() -> float:
    own = time.process_time()
    try:
        import resource
    except ImportError:  # not on Windows
        return own
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own + children.ru_utime + children.ru_stime
