"""An environment of verifiers.v1 that starts something for all its episodes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import verifiers.v1 as vf

__all__ = ["StartingEnv", "StartingTaskset"]


class StartingTaskset(vf.Taskset[vf.Task[vf.TaskData], vf.TasksetConfig]):
    """One task."""

    def load(self) -> Iterator[Any]:
        """It."""
        yield vf.Task(vf.TaskData(prompt="Ask the server."), self.config.task)


class StartingEnv(vf.SingleAgentEnv):
    """Would start a server."""

    async def start(self) -> None:
        """It."""
