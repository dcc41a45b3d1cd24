"""Sums: a taskset of verifiers.v1 whose tasks are answered in one turn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import verifiers.v1 as vf

__all__ = ["SumsTaskset"]


class SumsConfig(vf.TasksetConfig):
    """How many."""

    size: int = 60


class SumsData(vf.TaskData):
    """What is right."""

    answer: str
    operands: list[int]


class SumsTask(vf.Task[SumsData]):
    """One sum."""

    @vf.reward(weight=1.0)
    async def correct(self, trace: Any) -> float:
        """The answer and nothing else."""
        return float(trace.last_reply == self.data.answer)

    @vf.reward(weight=0.5)
    async def shape(self, trace: Any) -> dict[str, float]:
        """Two scores at a time."""
        digits = trace.last_reply.isdigit()
        return {"digits": float(digits), "short": float(digits and len(trace.last_reply) <= 4)}

    @vf.metric
    async def length(self, trace: Any) -> float:
        """Characters."""
        return len(trace.last_reply)


class SumsTaskset(vf.Taskset[SumsTask, SumsConfig]):
    """Sums of neighbours."""

    def load(self) -> Iterator[SumsTask]:
        """All of them."""
        for i in range(self.config.size):
            data = SumsData(
                prompt=f"What is {i} + {i + 1}?",
                system_prompt="Answer with the number.",
                answer=str(2 * i + 1),
                operands=[i, i + 1],
            )
            yield SumsTask(data, self.config.task)
