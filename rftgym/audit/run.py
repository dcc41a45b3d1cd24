"""An audit from an environment to its figures."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from rftgym.audit.attempts import CHEATS, Attempt, attempts_of, cheats_of, play, probes, solution_of
from rftgym.audit.figures import Audit
from rftgym.audit.tried import Tried, ceiling, unearned
from rftgym.env import TextEnv
from rftgym.errors import UsageError
from rftgym.mix import SLASH, MixedRubric
from rftgym.plugins import Plugins
from rftgym.registry import installed, make
from rftgym.tasks import SPLITS
from rftgym.types import Task

MAX_GAP = 0.1
TASKS = 100
SLOW_TASKS = 8
"""Of an environment whose answers take a process."""
BASE = ("", "?")
"""What is said beside the chosen probes, for the floor: one probe alone would be its own floor, and its gap 0."""


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
        PluginError: a probe, ``cheats()`` or ``demonstrate()`` failed.
    """
    plugins = plugins or installed()
    made = make(env, plugins=plugins) if isinstance(env, str) else env.spawn()
    specs = probes(plugins, probe_ids)
    split = _split(made, split)
    begun = _processor_seconds()
    chosen = made.tasks.survey(split, n or (SLOW_TASKS if made.slow else TASKS), seed)
    tasks = [_solved(made, task) for task in chosen]
    for task in tasks:
        if probe_ids is None or CHEATS in probe_ids:
            task.attempts += cheats_of(made, task.task)
        for spec in specs:
            task.attempts += attempts_of(made, task.task, spec, seed)
        if probe_ids is not None:
            task.base = [Attempt("base", str(way), task.task, said) for way, said in enumerate(BASE, 1)]
    play(made, [each for task in tasks for each in task.played])
    lacking = _take_gold(made, tasks)
    seconds = _processor_seconds() - begun
    return Audit(made.id, split, seed, max_gap, tasks, made.rubric, lacking, seconds)


def _split(env: TextEnv[Any], wanted: str | None) -> str:
    for split in SPLITS if wanted is None else (wanted,):
        if env.tasks.size(split) != 0:
            return split
    where = "any split" if wanted is None else f"split {wanted!r}"
    raise UsageError(f"no tasks in {where} of {env.id!r}; splits are {', '.join(SPLITS)}")


def _solved(env: TextEnv[Any], task: Task) -> Tried:
    said = solution_of(env, task)
    solution = None if said is None else Attempt("solution", "1", task, said)
    return Tried(task, None, solution, part=env.tasks.part(task))


def _take_gold(env: TextEnv[Any], tasks: Sequence[Tried]) -> dict[str, float]:
    """Give each task its gold; returns the components that were left out of it, with what they are worth."""
    left_out: dict[str, float] = {}
    for part in dict.fromkeys(task.part for task in tasks):
        own = [task for task in tasks if task.part == part]
        rubric, prefix = env.rubric, ""
        if isinstance(rubric, MixedRubric):
            rubric, prefix = rubric.rubrics[part], f"{part}{SLASH}"
        played = (each.trajectory for task in own for each in task.played)
        lacking = unearned(rubric, (each.score for each in played if each and each.score), prefix)
        most = ceiling(rubric, without=lacking)
        for task in own:
            task.gold = most if task.solution is None else task.solution.reward
            task.rubric, task.same = env.rubric, env.same_answer
        if most is not None and any(task.solution is None for task in own):
            left_out |= {prefix + name: value for name, value in lacking.items()}
    return left_out


def _processor_seconds() -> float:
    own = time.process_time()
    try:
        import resource
    except ImportError:  # not on Windows
        return own
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own + children.ru_utime + children.ru_stime
