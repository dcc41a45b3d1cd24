"""Two seats, of which rftgym's policy could take but one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import verifiers.v1 as vf

__all__ = ["PairEnv", "PairTaskset"]


class PairTaskset(vf.Taskset[vf.Task[vf.TaskData], vf.TasksetConfig]):
    """One task."""

    def load(self) -> Iterator[Any]:
        """It."""
        yield vf.Task(vf.TaskData(prompt="Debate."), self.config.task)


class PairConfig(vf.EnvConfig):
    """Two seats."""

    one: vf.AgentConfig = vf.AgentConfig()
    other: vf.AgentConfig = vf.AgentConfig()


class PairEnv(vf.Env[PairConfig]):
    """They would take turns."""

    async def run(self, task: Any, agents: Any) -> None:
        """Both."""
        await agents.one.run(task)
        await agents.other.run(task)
