"""Tasksets: where an environment's tasks come from, by split."""

from __future__ import annotations

import difflib
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from random import Random

from rftgym.errors import ContractError, UsageError
from rftgym.types import Task

SPLITS = ("train", "validation", "test")
_PROCEDURAL_ID = re.compile(r"(.+?)-(0|-?[1-9][0-9]{0,18})-(0|[1-9][0-9]{0,18})")


class Taskset(ABC):
    """Tasks by split. Splits are disjoint; ids are stable; item i of a split is a function of (seed, i) only."""

    @abstractmethod
    def size(self, split: str) -> int | None:
        """How many tasks the split has; None = without end; 0 = no such split."""

    @abstractmethod
    def item(self, split: str, index: int, seed: int = 0) -> Task:
        """Task ``index`` of a split. A finite taskset may ignore ``seed``."""

    @abstractmethod
    def by_id(self, id: str) -> Task:
        """The task of this id.

        Raises:
            UsageError: there is none.
        """

    def part(self, task: Task) -> str:
        """The environment that a task belongs to, where the taskset is a mix of several; else ""."""
        return ""

    def sample(self, split: str, n: int, seed: int) -> list[Task]:
        """``n`` tasks in an order given by the seed: without replacement until the split is used up, then again."""
        order = self.order(split, seed)
        return [next(order) for _ in range(n)]

    def survey(self, split: str, n: int, seed: int) -> list[Task]:
        """Up to ``n`` tasks, to see what a split is like; of a mix, up to ``n`` of each part, whatever its weight."""
        size = self.size(split)
        return self.sample(split, n if size is None else min(size, n), seed)

    def order(self, split: str, seed: int) -> Iterator[Task]:
        """An endless walk over the split: one seeded permutation after another.

        Raises:
            UsageError: the split is empty.
        """
        size = self.size(split)
        if size == 0:
            raise UsageError(f"no tasks in split {split!r}; splits are {', '.join(SPLITS)}")
        if size is None:
            index = 0
            while True:
                yield self.item(split, index, seed)
                index += 1
        epoch = 0
        while True:
            indices = list(range(size))
            Random(f"{seed}:{split}:{epoch}").shuffle(indices)
            for index in indices:
                yield self.item(split, index, seed)
            epoch += 1


class ListTaskset(Taskset):
    """A finite taskset held in memory; the order of its tasks is their order in each split.

    Raises:
        UsageError: two tasks share an id.
    """

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._by_id: dict[str, Task] = {}
        self._by_split: dict[str, list[Task]] = {split: [] for split in SPLITS}
        for task in tasks:
            if task.id in self._by_id:
                raise UsageError(f"two tasks have the id {task.id!r}; ids must be unique")
            self._by_id[task.id] = task
            self._by_split.setdefault(task.split, []).append(task)

    def size(self, split: str) -> int:
        """How many tasks the split has; 0 = no such split."""
        return len(self._by_split.get(split, ()))

    def item(self, split: str, index: int, seed: int = 0) -> Task:
        """Task ``index`` of a split, whatever the seed."""
        return self._by_split[split][index]

    def by_id(self, id: str) -> Task:
        """The task of this id; a wrong one answers with what may have been meant."""
        if id not in self._by_id:
            close = " or ".join(map(repr, difflib.get_close_matches(id, self._by_id, n=3)))
            some = ", ".join(list(self._by_id)[:3])
            hint = (
                f"did you mean {close}?" if close else f"ids look like {some}" if some else "there are none"
            )
            raise UsageError(f"no task {id!r} among these {len(self._by_id)}; {hint}")
        return self._by_id[id]


class ProceduralTaskset(Taskset):
    """A taskset without end: ``generate(split, rng, id)`` makes each item from its own generator.

    Ids read ``split-seed-index``; the generator of an item is seeded by its id, so splits never meet in their draws.
    Whether two splits can still draw the same problem is the author's to rule out, say by value ranges.
    """

    def __init__(self, generate: Callable[[str, Random, str], Task], splits: Sequence[str] = SPLITS) -> None:
        self._generate = generate
        self._splits = tuple(splits)

    def size(self, split: str) -> int | None:
        """None for a split that there is, 0 for any other."""
        return None if split in self._splits else 0

    def item(self, split: str, index: int, seed: int = 0) -> Task:
        """Task ``index`` of the series that belongs to ``seed``.

        Raises:
            ContractError: ``generate`` made a task of another id or split.
        """
        id = f"{split}-{seed}-{index}"
        task = self._generate(split, Random(id), id)
        if (task.id, task.split) != (id, split):
            raise ContractError(
                f"asked for task {id!r} of split {split!r}, generate() made {task.id!r} of {task.split!r}; "
                "give Task the id and the split that were passed"
            )
        return task

    def by_id(self, id: str) -> Task:
        """The task of an id that :meth:`item` gave out; any other is refused."""
        found = _PROCEDURAL_ID.fullmatch(id)
        if found is None or found[1] not in self._splits:
            raise UsageError(
                f"no task {id!r}; ids of this environment read SPLIT-SEED-INDEX, say {self._splits[0]}-0-12"
            )
        return self.item(found[1], int(found[3]), int(found[2]))


class FewTrainTasks(Taskset):
    """A taskset of which only some tasks of the train split are used; the other splits are whole.

    Args:
        whole: all tasks.
        n: tasks of the train split that stay.
        seed: of the choice.

    Raises:
        UsageError: the train split has fewer than ``n``.
    """

    def __init__(self, whole: Taskset, n: int, seed: int) -> None:
        size = whole.size("train")
        if size is not None and size < n:
            raise UsageError(f"env.train_tasks={n}: split 'train' has {size} tasks")
        self._whole = whole
        self._train = whole.sample("train", n, seed)

    def size(self, split: str) -> int | None:
        """``n`` for "train", else what the whole has."""
        return len(self._train) if split == "train" else self._whole.size(split)

    def item(self, split: str, index: int, seed: int = 0) -> Task:
        """Task ``index`` of a split; of the train split, whatever the seed."""
        return self._train[index] if split == "train" else self._whole.item(split, index, seed)

    def part(self, task: Task) -> str:
        return self._whole.part(task)

    def by_id(self, id: str) -> Task:
        """The task of this id, one that is not used for training included."""
        return self._whole.by_id(id)


def read_jsonl(path: str | Path) -> list[tuple[int, dict[str, object]]]:
    """The objects of a JSON-lines file with their line numbers (from 1); blank lines are passed over.

    Raises:
        UsageError: no such file, not UTF-8, or a line which is no JSON object; names the line.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8-sig")  # some editors begin a file with a mark
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not UTF-8 text ({error.reason} at byte {error.start})") from error
    rows = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:  # ValueError: also of a number of thousands of digits
            raise UsageError(f"{file}, line {number}: not JSON ({error})") from error
        if not isinstance(row, dict):
            raise UsageError(f"{file}, line {number}: expected a JSON object, got {type(row).__name__}")
        rows.append((number, row))
    return rows
