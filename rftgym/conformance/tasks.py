"""Tasks: pure items, stable ids, splits that do not overlap."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rftgym.conformance.findings import Finding, finding
from rftgym.conformance.playing import TASKS_LOOKED_AT
from rftgym.conformance.raised import brief, line_of
from rftgym.conformance.subject import Subject
from rftgym.errors import ContractError, UsageError
from rftgym.tasks import SPLITS, Taskset
from rftgym.types import Task

NO_SUCH = "\x00 no such task"


def check_tasks(subject: Subject) -> Iterator[Finding]:
    """Everything about an environment's taskset."""
    tasks, again = subject.make().tasks, subject.make().tasks
    if tasks.size("train") == 0:
        yield finding("no-train-tasks", "split 'train' is empty", "make_tasks()")
    empty = [repr(split) for split in ("validation", "test") if tasks.size(split) == 0]
    if empty:
        yield finding("no-held-out-tasks", f"nothing is in split {' and in '.join(empty)}", "make_tasks()")
    if tasks.size("no such split") != 0:
        yield finding("size-wrong", f"size('no such split') is {tasks.size('no such split')}", "the taskset")
    seen: dict[str, Task] = {}
    posed: dict[str, Task] = {}
    for split in SPLITS:
        for task in _listed(subject, tasks, again, split):
            if isinstance(task, Finding):
                yield task
                continue
            yield from _check_task(tasks, task, split)
            yield from _check_unique(task, split, seen, posed)
    yield from _check_unknown_id(tasks)


def _listed(subject: Subject, tasks: Taskset, again: Taskset, split: str) -> Iterator[Task | Finding]:
    """A split's tasks, one after the other, with what is wrong with the series."""
    size = tasks.size(split)
    if again.size(split) != size or (size is not None and size < 0):
        yield finding("size-wrong", f"size({split!r}) is {size}, then {again.size(split)}", "the taskset")
        return
    indices = list(range(TASKS_LOOKED_AT if size is None else size))
    listed: list[Task] = []
    for index in subject.in_time(f"tasks of split {split!r}", indices, at_least=20):
        try:
            task, other = tasks.item(split, index), again.item(split, index)
        except ContractError as error:
            yield finding("wrong-split", brief(error), f"item({split!r}, {index})")
            return
        except IndexError as error:
            where = line_of(error, subject.files) or f"item({split!r}, {index})"
            yield finding(
                "size-wrong", f"size({split!r}) is {size}, and item {index} raises {brief(error)}", where
            )
            return
        if task != other:
            yield finding(
                "ids-unstable",
                f"an item of split {split!r} differs between two environments: {task.id!r} and {other.id!r}",
                f"item({split!r}, {index})",
            )
        listed.append(task)
        yield task
    yield from _check_pure(tasks, split, listed)


def _check_pure(tasks: Taskset, split: str, listed: list[Task]) -> Iterator[Finding]:
    """Asked again, backwards and between items of another seed, an item is the same."""
    for index in reversed(range(min(len(listed), 50))):
        tasks.item(split, index, seed=1)
        if tasks.item(split, index) != listed[index]:
            yield finding("item-not-pure", "asked again, it gives another task", f"item({split!r}, {index})")


def _check_task(tasks: Taskset, task: Task, split: str) -> Iterator[Finding]:
    where = f"task {task.id!r}"
    id: Any = task.id
    if not isinstance(id, str) or not id:
        yield finding("task-not-json", f"its id is {id!r}", where)
        return
    if task.split != split:
        yield finding(
            "wrong-split", f"asked for split {split!r}, it says that it is of {task.split!r}", where
        )
    difficulty: Any = task.difficulty
    if difficulty is not None and not (isinstance(difficulty, int | float) and 0 <= difficulty <= 1):
        yield finding("difficulty-range", f"difficulty {task.difficulty!r}", where)
    yield from _check_by_id(tasks, task, where)
    try:
        json.dumps(task.data)
    except (TypeError, ValueError) as error:
        yield finding("task-not-json", f"its data are not JSON: {error}", where)


def _check_by_id(tasks: Taskset, task: Task, where: str) -> Iterator[Finding]:
    try:
        found = tasks.by_id(task.id)
    except Exception as error:  # noqa: BLE001  # whatever it raises, the task was not found
        yield finding("by-id", f"by_id({task.id!r}) raises {brief(error)}", where)
        return
    if found != task:
        yield finding("by-id", f"by_id({task.id!r}) is another task than item() gave", where)


def _check_unknown_id(tasks: Taskset) -> Iterator[Finding]:
    try:
        tasks.by_id(NO_SUCH)
    except UsageError:
        return
    except Exception as error:  # noqa: BLE001  # any other exception is the breach
        yield finding("by-id", f"of an unknown id it raises {brief(error)}, and no UsageError", "by_id()")
        return
    yield finding("by-id", "it finds a task of an id that there is not", "by_id()")


def _check_unique(task: Task, split: str, seen: dict[str, Task], posed: dict[str, Task]) -> Iterator[Finding]:
    twin = seen.setdefault(task.id, task)
    if twin != task:  # a mix with an endless part gives the same task again
        yield finding(
            "id-not-unique", f"id {task.id!r} is in {twin.split!r} and in {split!r}", f"task {task.id!r}"
        )
    try:
        data = json.dumps(task.data, sort_keys=True)
    except (TypeError, ValueError):
        return  # told by _check_task
    other = posed.setdefault(data, task)
    if other.split != task.split:
        yield finding(
            "splits-overlap",
            f"{task.id!r} of {split!r} poses the same problem as {other.id!r} of {other.split!r}",
            f"task {task.id!r}",
        )
