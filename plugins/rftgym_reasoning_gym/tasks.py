"""Tasks without end, by split: which split a problem belongs to is decided by its question."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final
from zlib import crc32

from rftgym import Task
from rftgym.errors import UsageError
from rftgym.tasks import SPLITS, Taskset
from rftgym_reasoning_gym.drawing import Dataset, Entry, NoEntry
from rftgym_reasoning_gym.quirks import FEW, VAST

_NUMBERS: Final = (int, float)
TRIES: Final = 2000
"""Draws for one task before it is said that the split has no problems."""
PARTS: Final = 64
"""A power of two."""
_STRIDE, _STEP = 2_654_435_761, 40_503
"""From task to task, and from try to try; both have no factor in common with the number of draws."""
_REMEMBERED: Final = 1 << 16
"""Held-out tasks whose place on their walk is known, so that a second evaluation makes one draw for each."""
_ID: Final = re.compile(r"(train|validation|test)-(0|-?[1-9][0-9]{0,18})-(0|[1-9][0-9]{0,18})")


class Posed(dict[str, Any]):
    """A task's data, with the entry that they are from at hand for the scorer, for as long as the task itself lives.

    Entries in a store of their own would outlive their tasks, or be gone before them. Pickled, it is a plain ``dict``.
    """

    __slots__ = ("entry",)
    entry: Entry

    def __deepcopy__(self, memo: dict[int, Any]) -> Posed:
        twin = Posed(copy.deepcopy(dict(self), memo))
        twin.entry = self.entry  # nobody changes it: a scorer that would is given a copy
        return twin

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)


Measure = tuple[str, str, str, float, float]
"""A range of numbers that a dataset states for its entries: the name of the value among an entry's metadata, two more
names to look for, the lowest value, and how far above it the highest is."""


class DrawnTasks(Taskset):
    """Item *i* of a split is the first entry whose question is the split's, on a walk that split, seed and *i* decide.

    Questions are told apart by a checksum, so that a problem which two seeds draw is in the same split both times. Of a
    dataset in :data:`VAST`, the number of the draw decides instead.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._by_draw = dataset.name in VAST and not dataset.config
        self._held_out = 6 if dataset.name in FEW else 2
        self._tries: dict[tuple[str, int, int], int] = {}
        self._measures: tuple[Any, list[Measure]] = (None, [])

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
        dataset, by_draw, held_out = self._dataset, self._by_draw, split != "train"
        draws, place = dataset.draws, _start(split, seed) + index * _STRIDE
        failed: NoEntry | None = None
        attempt = self._tries.get((split, seed, index), 0) if held_out else 0
        place += attempt * _STEP
        while attempt < TRIES:
            draw = place % draws
            attempt, place = attempt + 1, place + _STEP
            if by_draw:
                draw = draw // 4 * 4 + SPLITS.index(split)
            try:
                entry = dataset.entry(draw)
            except NoEntry as error:
                failed = error
                continue
            question = entry["question"]
            if by_draw or self._split_of(question) == split:
                if held_out:
                    self._remember((split, seed, index), attempt - 1)
                data = Posed()
                data["question"], data["answer"], data["draw"] = question, entry["answer"], draw
                data.entry = entry
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
        part = crc32(question.encode("utf-8", "surrogatepass")) * _STRIDE >> 16 & (PARTS - 1)
        if part >= 2 * self._held_out:
            return "train"
        return "test" if part < self._held_out else "validation"

    def _remember(self, place: tuple[str, int, int], attempt: int) -> None:
        if len(self._tries) >= _REMEMBERED:
            self._tries.clear()
        self._tries[place] = attempt

    def _difficulty(self, entry: Entry) -> float | None:
        """The mean place of an entry's measures within the ranges that its dataset states for them."""
        metadata = entry.get("metadata") or {}
        ranges = metadata.get("difficulty")
        known, measures = self._measures
        if ranges != known:  # most datasets state the same ones for each entry
            measures = _measures(ranges)
            self._measures = ranges, measures
        places = []
        for name, counted, smallest, low, span in measures:
            value: Any = metadata.get(name)
            if value is None:
                value = metadata.get(counted, metadata.get(smallest))
            if type(value) in _NUMBERS:
                place: float = (value - low) / span
                places.append(place if 0.0 <= place <= 1.0 else min(max(place, 0.0), 1.0))
        return sum(places) / len(places) if places else None


def _measures(ranges: Any) -> list[Measure]:
    """The ranges of numbers among what a dataset states as its difficulty."""
    if not isinstance(ranges, Mapping):
        return []
    return [
        (name, f"num_{name}", f"min_{name}", limits[0], limits[1] - limits[0])
        for name, limits in ranges.items()
        if _is_range(limits)
    ]


def _is_range(limits: Any) -> bool:
    if not isinstance(limits, tuple | list) or len(limits) != 2:
        return False
    low, high = limits
    return type(low) in _NUMBERS and type(high) in _NUMBERS and bool(low < high)


@lru_cache(maxsize=256)
def _start(split: str, seed: int) -> int:
    return crc32(f"{split}:{seed}".encode()) * 65_537
