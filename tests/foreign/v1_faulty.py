"""Tasks of verifiers.v1 that go wrong, or need more than a conversation, each in a way of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import verifiers.v1 as vf

__all__ = ["FaultyEnv", "FaultyTaskset"]


class FaultyConfig(vf.TasksetConfig):
    """Which fault."""

    fault: str = ""


class FaultyTask(vf.Task[vf.TaskData]):
    """Does as told by the completion."""

    @vf.reward(weight=1.0)
    async def fine(self, trace: Any) -> float:
        """Always the same."""
        return 1.0

    @vf.reward(weight=0.5)
    async def broken(self, trace: Any) -> float | None:
        """Raises, or cannot say, where the completion says so."""
        return None if trace.last_reply == "none" else 1 / (trace.last_reply != "raise")


class RunningTask(FaultyTask):
    """Wants to run a command."""

    @vf.reward(weight=0.25)
    async def runs(self, trace: Any, runtime: Any) -> float:
        """Whether a command can be run."""
        result = await runtime.run(["true"], {})
        return float(result.exit_code == 0)


class WatchingTask(FaultyTask):
    """Looks at a model's requests."""

    @vf.intercept
    async def look(self, request: vf.Request) -> None:
        """Let it pass."""


class ContainedTask(FaultyTask):
    """Runs in a container only."""

    NEEDS_CONTAINER = True


CLASSES = {"running": RunningTask, "watching": WatchingTask, "contained": ContainedTask}


class FaultyTaskset(vf.Taskset[FaultyTask, FaultyConfig]):
    """Some tasks of one kind."""

    def load(self) -> Iterator[FaultyTask]:
        """Twenty."""
        for i in range(0 if self.config.fault == "empty" else 20):
            kind = CLASSES.get(self.config.fault, FaultyTask)
            yield kind(vf.TaskData(name=str(i), prompt=f"Task {i}"), self.config.task)


class FaultyEnvConfig(vf.EnvConfig):
    """One seat, and how often it plays."""

    player: vf.AgentConfig = vf.AgentConfig()
    plays: int = 1
    bug: bool = False


class FaultyEnv(vf.Env[FaultyEnvConfig]):
    """Plays as often as told."""

    async def run(self, task: Any, agents: Any) -> None:
        """Play."""
        for _ in range(self.config.plays):
            await agents.player.run(task)
        if self.config.bug:
            raise KeyError("bug")

    async def finalize(self, task: Any, episode: Any) -> None:
        """Write something down."""
        (trace,) = episode.traces
        trace.record_reward("late", 3.0, 0.5)
