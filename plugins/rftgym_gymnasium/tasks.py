"""Tasks without end: the seeds of resets, a range of its own for each split."""

from __future__ import annotations

import re
import zlib
from typing import Final

from rftgym import Task
from rftgym.errors import UsageError
from rftgym.tasks import SPLITS, Taskset

SEEDS: Final = 1 << 29
"""In each split."""
_STRIDE: Final = 2_654_435_761
_ID: Final = re.compile(r"(train|validation|test)-(0|-?[1-9][0-9]{0,18})-(0|[1-9][0-9]{0,18})")


class SeededTasks(Taskset):
    """Item *i* of a split is the seed that split, seed and *i* decide. No seed belongs to two splits.

    Two seeds may well begin alike, and where an environment draws nothing, all do: the splits differ in what is drawn.
    """

    def size(self, split: str) -> int | None:
        """None for a split that there is, 0 for any other."""
        return None if split in SPLITS else 0

    def item(self, split: str, index: int, seed: int = 0) -> Task:
        """Task ``index`` of the series that belongs to ``seed``.

        Raises:
            UsageError: no such split.
        """
        if split not in SPLITS:
            raise UsageError(f"no tasks in split {split!r}; splits are {', '.join(SPLITS)}")
        walk = zlib.crc32(f"{split}:{seed}".encode()) * 65_537 + index * _STRIDE
        return Task(f"{split}-{seed}-{index}", {"seed": SPLITS.index(split) * SEEDS + walk % SEEDS}, split)

    def by_id(self, id: str) -> Task:
        """The task of an id that :meth:`item` gave out; any other is refused."""
        found = _ID.fullmatch(id)
        if found is None:
            raise UsageError(f"no task {id!r}; ids of this environment read SPLIT-SEED-INDEX, say train-0-12")
        return self.item(found[1], int(found[3]), int(found[2]))
