"""A toy environment for the tests of ``rftgym compare``: quick to play, and it knows its solutions."""

from __future__ import annotations

import rftgym
from rftgym.tasks import ListTaskset

SPLITS = {"train": 12, "validation": 6, "test": 6}


class Letters(rftgym.SingleTurnEnv):
    """Reward: the share of characters that are an "e"; a third of them is a success."""

    def make_tasks(self) -> ListTaskset:
        return ListTaskset(
            rftgym.Task(f"{split}-{index}", {"number": index}, split)
            for split, count in SPLITS.items()
            for index in range(count)
        )

    def make_rubric(self) -> rftgym.Rubric:
        return rftgym.Rubric([rftgym.Component("share", self.share, passes_at=1 / 3)], success="share")

    @staticmethod
    def share(completion: str) -> float:
        return completion.count("e") / max(1, len(completion))

    def prompt(self, task: rftgym.Task) -> str:
        return f"Write e, {task.data['number']}."

    def demonstrate(self, task: rftgym.Task, seed: int) -> list[rftgym.Message]:
        return [rftgym.Message("user", self.prompt(task)), rftgym.Message("assistant", "eeeeee")]


class Unsolved(Letters):
    """It knows no solutions."""

    def demonstrate(self, task: rftgym.Task, seed: int) -> None:  # type: ignore[override]
        return None
