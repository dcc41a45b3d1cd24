"""The constructor, and what each stage of an episode does to the process around it."""

from __future__ import annotations

import contextlib
import pickle
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from rftgym.conformance.findings import Finding, Notes, finding
from rftgym.conformance.judging import judged
from rftgym.conformance.playing import Env, place, play
from rftgym.conformance.raised import brief, line_of
from rftgym.conformance.subject import Subject
from rftgym.conformance.watch import watching
from rftgym.errors import RftgymError
from rftgym.registry import make
from rftgym.rubric import Component, tried
from rftgym.tasks import SPLITS
from rftgym.types import Task, Turn

SLOW_SECONDS = 10.0
UNKNOWN_ARGUMENT = "no_such_argument"
WATCHED_TASKS = 2
WATCHED_COMPLETIONS = 12


def watched_making(
    make: Callable[[], Any], notes: Notes, stage: str, files: frozenset[str] = frozenset()
) -> Any:
    """What ``make`` makes, under watch: no network, nothing written, nothing of the process changed; None if it fails.

    Raises:
        RftgymError: it says itself what is wrong, say a package that is not installed.
    """
    started, made = time.process_time(), None
    with watching(files, constructor=True) as watch:
        try:
            made = make()
        except RftgymError as error:
            if not watch.connected:
                raise
            notes.found.append(finding("cannot-be-made", brief(error), stage))
        except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever it raises is what is looked for
            notes.found.append(finding("cannot-be-made", brief(error), line_of(error, files) or stage))
    notes.found += watch.findings(stage)
    seconds = time.process_time() - started  # of CPU: a busy machine is nobody's fault
    if seconds > SLOW_SECONDS:
        notes.found.append(finding("slow-constructor", f"it took {seconds:.0f} s of CPU", stage))
    return made


def check_arguments(subject: Subject) -> Iterator[Finding]:
    """Whether an argument that there is not is refused."""
    first = subject.first
    if hasattr(first, "parts"):
        return  # a mix is the framework's
    try:
        if subject.settings is not None:
            arguments = {**subject.settings.kwargs, UNKNOWN_ARGUMENT: 1}
            make(subject.settings.id, plugins=subject.plugins, **arguments)
        else:
            factory: Callable[..., Env] = type(first)
            factory(**{UNKNOWN_ARGUMENT: 1})
    except Exception:  # noqa: BLE001  # any refusal will do
        return
    yield finding("unknown-argument-accepted", f"{UNKNOWN_ARGUMENT}=1 was accepted", "the constructor")


def check_picklable(subject: Subject) -> Iterator[Finding]:
    """Whether the rewards of an environment that no id stands for can be sent to another process."""
    if subject.settings is not None:
        return
    for component in subject.first.rubric.components:
        if _found_by_name(component):
            continue
        try:
            pickle.dumps(component.function)
        except Exception as error:  # noqa: BLE001  # pickling raises whatever the object's own methods raise
            yield finding(
                "not-picklable", f"it cannot be pickled: {brief(error)}", f"reward {component.name!r}"
            )


def _found_by_name(component: Component) -> bool:
    """Whether a component, or its function, stands at the top of a module: under ``@reward`` it is the former."""
    function = component.function
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    found = getattr(module, getattr(function, "__name__", ""), None)
    return found is function or (isinstance(found, Component) and found.function is function)


def check_process_state(subject: Subject) -> Iterator[Finding]:
    """Random state, variables, folder and output, stage by stage, so that it can be said who changed them."""
    with (
        watching(subject.files) as watch,
        contextlib.suppress(Exception),
    ):  # what raises is told by other checks
        env = subject.make()
        _look_at_tasks(env)
    yield from watch.findings("tasks: item() and by_id()")
    env = subject.make()
    for solution in subject.solutions[:WATCHED_TASKS]:
        with watching(subject.files) as watch, contextlib.suppress(Exception):
            env.demonstrate(solution.task, 1)
        yield from watch.findings(f"demonstrate(), {place(solution.task, 1)}")
    spread = max(1, len(subject.completions) // WATCHED_COMPLETIONS)
    for task in subject.tasks[:WATCHED_TASKS]:
        for completion in subject.in_time(
            "completions under watch", subject.completions[::spread], at_least=3
        ):
            yield from _watched_episode(subject, env, task, completion)


def _look_at_tasks(env: Env) -> None:
    for split in SPLITS:
        size = env.tasks.size(split)
        for index in range(20 if size is None else min(20, size)):
            env.tasks.by_id(env.tasks.item(split, index).id)


def _watched_episode(subject: Subject, env: Env, task: Task, completion: str) -> Iterator[Finding]:
    where = place(task, 0, completion)
    with watching(subject.files) as watch, contextlib.suppress(Exception):
        env.start(task, 0)
    yield from watch.findings(f"begin(), {place(task, 0)}")
    with watching(subject.files) as watch, contextlib.suppress(Exception):
        env.parser.parse(completion)
    of_parser = list(watch.findings(f"the parser, {where}"))
    yield from of_parser
    with watching(subject.files) as watch, contextlib.suppress(Exception):
        env.advance(Turn((), completion))
    if not of_parser:  # advance() parses too
        yield from watch.findings(f"respond(), {where}")
    with watching(), contextlib.suppress(Exception):
        trajectory = play(env, task, 0, [completion])
        for component, turn in judged(env, trajectory):
            with watching(subject.files) as watch, contextlib.suppress(Exception):
                tried(component, trajectory, turn)
            yield from watch.findings(f"reward {component.name!r}, {where}")
