"""A reward alone: one component, judged on the episodes of some environment."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rftgym import files
from rftgym.conformance.examination import SECONDS, run
from rftgym.conformance.findings import Finding, Notes, Report, finding
from rftgym.conformance.imports import check_import
from rftgym.conformance.making import watched_making
from rftgym.conformance.playing import Env, place, play
from rftgym.conformance.processes import HASH_SEEDS, asked
from rftgym.conformance.reach import Sources
from rftgym.conformance.rewards import check_components
from rftgym.conformance.source import examined, methods_of
from rftgym.conformance.speed import check_speed
from rftgym.conformance.subject import Clock, Subject, authors_modules, files_of, plain
from rftgym.conformance.watch import watching
from rftgym.errors import PluginError
from rftgym.plugins import Plugins
from rftgym.registry import installed, make, make_reward
from rftgym.rubric import Component, tried
from rftgym.types import Trajectory

HOST = "wordle"
"""Whose episodes a reward judges where no other environment is named."""
COMPARED = 12


def examine_reward(
    id: str,
    *,
    on: str = HOST,
    completions: Sequence[str] = (),
    seconds: float = SECONDS,
    plugins: Plugins | None = None,
    paths: Sequence[str] = (),
    module: str = "",
) -> Report:
    """Examine a reward component.

    Args:
        id: of a registered reward, or ``PATH.py:NAME``.
        on: the environment whose episodes it judges.
        completions, seconds, plugins, paths: as for :func:`rftgym.conformance.examine`.
        module: of its plugin, where it has one.

    Raises:
        RftgymError: there is no such reward, or no such environment.
    """
    started, notes, plugins = time.monotonic(), Notes(), plugins or installed()
    component = watched_making(lambda: make_reward(id, 1.0, plugins=plugins), notes, f"making reward {id!r}")
    if component is None:
        notes.left_out.append("everything else: the reward cannot be made")
        return notes.report(id, time.monotonic() - started)
    host = make(on, plugins=plugins)
    host.rubric = host.rubric.changed(add=[component])
    subject = Subject(id, host, host.spawn, Clock(seconds), tuple(completions), plugins=plugins, notes=notes)
    subject.modules = authors_modules([plain(component.function)])
    subject.files, subject.paths = files_of(subject.modules), tuple(paths)
    checks: Mapping[str, tuple[Callable[[Subject], Iterator[Finding]], float]] = {
        "source": (lambda each: _source(each, component), 0.2),
        "declared bounds": (lambda each: _declared(component), 0.1),
        "process state": (lambda each: _state(each, component), 0.2),
        "episodes": (lambda each: check_components(each, component.name), 0.3),
        "speed": (check_speed, 0.4),
        "import": (lambda each: check_import(module, paths) if module else iter(()), 0.5),
        "processes": (lambda each: _elsewhere(each, component, on), 1.0),
    }
    for name, (check, share) in checks.items():
        run(subject, name, check, share)
    return notes.report(id, time.monotonic() - started)


def _source(subject: Subject, component: Component) -> Iterator[Finding]:
    function = plain(component.function)
    functions = methods_of(function) if isinstance(function, type) else [function]
    yield from examined(Sources(subject.modules), functions, [function])


def _declared(component: Component) -> Iterator[Finding]:
    if component.bounds is None:
        yield finding("reward-unbounded", "it declares no bounds", f"reward {component.name!r}")


def _state(subject: Subject, component: Component) -> Iterator[Finding]:
    for trajectory, where in _episodes(subject.first, subject):
        for turn in trajectory.turns[-1:]:
            with (
                watching(subject.files) as watch,
                contextlib.suppress(Exception),
            ):  # told by the check of episodes
                tried(component, trajectory, turn)
            yield from watch.findings(f"reward {component.name!r}, {where}")


def _episodes(env: Env, subject: Subject) -> Iterator[tuple[Trajectory, str]]:
    for text in subject.completions[-COMPARED:]:
        yield play(env.spawn(), subject.tasks[0], 0, [text]), place(subject.tasks[0], 0, text)


def values(env: Env, name: str, task: str, completions: Sequence[str]) -> list[float | None]:
    """What a component of an environment's rubric makes of episodes of one task."""
    found = []
    for text in completions:
        score = play(env.spawn(), env.tasks.by_id(task), 0, [text]).score
        found.append(None if score is None else score.components[name])
    return found


def _elsewhere(subject: Subject, component: Component, on: str) -> Iterator[Finding]:
    """The same values in other processes, where the reward is made again from its spec."""
    said, task = list(subject.completions[-COMPARED:]), subject.tasks[0].id
    try:
        order = json.dumps(
            {
                "reward": files.absolute(subject.id),
                "name": component.name,
                "on": files.absolute(on),
                "task": task,
                "plugins": [] if subject.plugins is None else subject.plugins.portable(),
                "paths": list(subject.paths),
                "completions": said,
            }
        )
    except (PluginError, TypeError) as error:
        yield finding("not-remakeable", f"its spec cannot be sent to another process: {error}", "the plugin")
        return
    here: Any = values(subject.first, component.name, task, said)
    for hash_seed in subject.in_time("other processes", HASH_SEEDS):
        there = asked(subject, order, hash_seed)
        if isinstance(there, str):
            yield finding(
                "not-remakeable", f"it cannot be made in another process: {there}", "a fresh process"
            )
            return
        if there is not None and there["values"] != here and not component.stochastic:
            number = next(n for n, (a, b) in enumerate(zip(here, there["values"], strict=True)) if a != b)
            yield finding(
                "other-process-differs",
                f"an episode earns {here[number]} here and {there['values'][number]} there",
                f"PYTHONHASHSEED={hash_seed}, {place(task, 0, said[number])}",
            )
