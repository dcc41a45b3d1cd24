"""Faults in tasks."""

from __future__ import annotations

import itertools
import os
from random import Random
from typing import Any

import base

import rftgym
from rftgym.errors import UsageError
from rftgym.tasks import ListTaskset, ProceduralTaskset, Taskset


class OnlyTests(base.Good):
    def make_tasks(self) -> Taskset:
        return ProceduralTaskset(base.draw, splits=("validation", "test"))


class OnlyTraining(base.Good):
    def make_tasks(self) -> Taskset:
        return ProceduralTaskset(base.draw, splits=("train",))


class Overlap(base.Good):
    def make_tasks(self) -> Taskset:
        def drawn(split: str, rng: Random, id: str) -> rftgym.Task:
            return rftgym.Task(id, {"a": rng.randint(2, 30), "b": rng.randint(2, 30)}, split)

        return ProceduralTaskset(drawn)


class ImpureItems(base.Good):
    def make_tasks(self) -> Taskset:
        numbers = itertools.count()

        def drawn(split: str, rng: Random, id: str) -> rftgym.Task:
            task = base.draw(split, rng, id)
            return rftgym.Task(id, {**task.data, "number": next(numbers)}, split)

        return ProceduralTaskset(drawn)


class NewIds(base.Good):
    """Ids of the day: those of every process, and of every environment, are others."""

    def make_tasks(self) -> Taskset:
        day = os.urandom(4).hex()
        numbered = [(split, n) for split in ("train", "validation", "test") for n in range(8)]
        drawn = [base.draw(split, Random(f"{split}{n}"), f"{split}-{n}-{day}") for split, n in numbered]
        return ListTaskset(drawn)


class Wrapped(Taskset):
    """The good taskset with something wrong."""

    def __init__(self) -> None:
        self.inner = ProceduralTaskset(base.draw)

    def size(self, split: str) -> int | None:
        return self.inner.size(split)

    def item(self, split: str, index: int, seed: int = 0) -> rftgym.Task:
        return self.inner.item(split, index, seed)

    def by_id(self, id: str) -> rftgym.Task:
        return self.inner.by_id(id)


class SameIds(base.Good):
    class Tasks(Wrapped):
        def item(self, split: str, index: int, seed: int = 0) -> rftgym.Task:
            task = super().item(split, index, seed)
            return rftgym.Task(task.id.replace("-1", "-"), task.data, split)

    def make_tasks(self) -> Taskset:
        return self.Tasks()


class ForgetsSplit(base.Good):
    def make_tasks(self) -> Taskset:
        def drawn(split: str, rng: Random, id: str) -> rftgym.Task:
            return rftgym.Task(id, base.draw(split, rng, id).data)

        return ProceduralTaskset(drawn)


class ById(base.Good):
    class Tasks(Wrapped):
        def by_id(self, id: str) -> rftgym.Task:
            try:
                return super().by_id(id)
            except UsageError:
                return self.item("train", 0)

    def make_tasks(self) -> Taskset:
        return self.Tasks()


class TooHard(base.Good):
    def make_tasks(self) -> Taskset:
        def drawn(split: str, rng: Random, id: str) -> rftgym.Task:
            return rftgym.Task(id, base.draw(split, rng, id).data, split, difficulty=7)

        return ProceduralTaskset(drawn)


class SetsInTasks(base.Good):
    def make_tasks(self) -> Taskset:
        def drawn(split: str, rng: Random, id: str) -> rftgym.Task:
            data: dict[str, Any] = {**base.draw(split, rng, id).data, "primes": {2, 3}}
            return rftgym.Task(id, data, split)

        return ProceduralTaskset(drawn)


class TooFew(base.Good):
    """A split that says it has more tasks than it has."""

    class Tasks(ListTaskset):
        def size(self, split: str) -> int:
            return super().size(split) + (split == "test")

    def make_tasks(self) -> Taskset:
        numbered = [(split, n) for split in ("train", "validation", "test") for n in range(8)]
        return self.Tasks(base.draw(split, Random(f"{split}{n}"), f"{split}-{n}") for split, n in numbered)
