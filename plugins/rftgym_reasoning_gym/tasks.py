"""Tasks without end, by split: which split a problem belongs to is decided by its question."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from rftgym import Task
from rftgym.errors import UsageError
from rftgym.tasks import SPLITS, Taskset
from rftgym_reasoning_gym.drawing import Dataset, Entry, NoEntry
from rftgym_reasoning_gym.quirks import FEW, VAST

_NUMBERS: Final = (int, float)
TRIES: Final = 2000
"""Draws for one task before it is said that the split has no problems."""
PARTS: Final = 64
_STRIDE, _STEP = 2_654_435_761, 40_503
"""From task to task, and from try to try; both have no factor in common with the number of draws."""
_ID: Final = re.compile(r"(train|validation|test)-(0|-?[1-9][0-9]{0,18})-(0|[1-9][0-9]{0,18})")


class DrawnTasks(Taskset):
    """Item *i* of a split is the first entry whose question is the split's, on a walk that split, seed and *i* decide.

    Questions are told apart by a checksum, so that a problem which two seeds draw is in the same split both times. Of a
    dataset in :data:`VAST`, the number of the draw decides instead.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._by_draw = dataset.name in VAST and not dataset.config
        self._held_out = 6 if dataset.name in FEW else 2

    def size(self, split: str) -> int | None:
        """None for a split that there is, 0 for any other."""
        return None if split in SPLITS else 0

    def item(self, split: str, index: int, seed: int = 0) -> Task:
        """Task ``index`` of the series that belongs to ``seed``.

        Raises:
            UsageError: no such split, or the dataset has no problems for it.
        """
        if split not in SPLITS:
            raise UsageError(f"no tasks in split {split!r}; splits are {', '.join(SPLITS)}")
        draws, start = self._dataset.draws, _start(split, seed) + index * _STRIDE
        failed: NoEntry | None = None
        for attempt in range(TRIES):
            draw = (start + attempt * _STEP) % draws
            if self._by_draw:
                draw = draw // 4 * 4 + SPLITS.index(split)
            try:
                entry = self._dataset.entry(draw)
            except NoEntry as error:
                failed = error
                continue
            question = entry["question"]
            if self._by_draw or self._split_of(question) == split:
                data = {"question": question, "answer": entry["answer"], "draw": draw}
                return Task(f"{split}-{seed}-{index}", data, split, self._difficulty(entry))
        raise UsageError(
            f"reasoning-gym:{self._dataset.name} has no problem for split {split!r} in {TRIES} draws"
            + (f"; {failed}" if failed else "; its configuration leaves it too few different questions")
        )

    def by_id(self, id: str) -> Task:
        """The task of an id that :meth:`item` gave out; any other is refused."""
        found = _ID.fullmatch(id)
        if found is None:
            raise UsageError(f"no task {id!r}; ids of this environment read SPLIT-SEED-INDEX, say train-0-12")
        return self.item(found[1], int(found[3]), int(found[2]))

    def _split_of(self, question: str) -> str:
        part = (zlib.crc32(question.encode("utf-8", "surrogatepass")) * _STRIDE >> 16) % PARTS
        if part >= 2 * self._held_out:
            return "train"
        return "test" if part < self._held_out else "validation"

    def _difficulty(self, entry: Entry) -> float | None:
        """The mean place of an entry's measures within the ranges that its dataset states for them."""
        metadata = entry.get("metadata") or {}
        ranges = metadata.get("difficulty")
        if not isinstance(ranges, Mapping):
            return None
        places = [_place(name, limits, metadata) for name, limits in ranges.items()]
        known = [place for place in places if place is not None]
        return sum(known) / len(known) if known else None


def _place(name: str, limits: Any, metadata: Mapping[str, Any]) -> float | None:
    """Where within its range a measure lies; None where it is no range of numbers, or the entry does not tell."""
    if not isinstance(limits, tuple | list) or len(limits) != 2:
        return None
    low, high = limits
    value: Any = metadata.get(name)
    if value is None:
        value = metadata.get(f"num_{name}", metadata.get(f"min_{name}"))
    if type(value) not in _NUMBERS or type(low) not in _NUMBERS or type(high) not in _NUMBERS or low >= high:
        return None
    place: float = (value - low) / (high - low)
    return min(max(place, 0.0), 1.0)


@lru_cache(maxsize=256)
def _start(split: str, seed: int) -> int:
    return zlib.crc32(f"{split}:{seed}".encode()) * 65_537
