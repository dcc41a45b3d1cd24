"""Guess a number: an environment of verifiers.v1 that talks with its player and records the outcome itself."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Any

import verifiers.v1 as vf

__all__ = ["GuessEnv", "GuessTaskset"]


class GuessData(vf.TaskData):
    """How far the number may be from 1."""

    largest: int


class GuessTask(vf.Task[GuessData]):
    """One game."""

    @vf.reward(weight=0.1)
    async def speed(self, trace: Any) -> float:
        """More for fewer turns."""
        return 1.0 / trace.num_turns

    @vf.stop
    async def gave_up(self, trace: vf.Trace) -> bool:
        """The policy said so."""
        return "give up" in trace.last_reply


class GuessTaskset(vf.Taskset[GuessTask, vf.TasksetConfig]):
    """Games without end."""

    INFINITE = True

    def load(self) -> Iterator[GuessTask]:
        """Each with another range."""
        for i in itertools.count():
            yield GuessTask(GuessData(name=f"game {i}", largest=50 + i), self.config.task)


class GuessConfig(vf.EnvConfig):
    """One seat."""

    player: vf.AgentConfig = vf.AgentConfig(max_turns=8)


class GuessEnv(vf.Env[GuessConfig]):
    """The number is drawn from the process's generator."""

    async def run(self, task: Any, agents: Any) -> None:
        """Say higher or lower until it is found."""
        number, found = random.randint(1, task.data.largest), False
        async with agents.player.interaction(task) as game:
            segment = await game.turn(f"Guess my number from 1 to {task.data.largest}.")
            while not segment.terminated:
                if segment.last_reply == str(number):
                    found = True
                    break
                higher = (
                    segment.last_reply.isascii()
                    and segment.last_reply.isdigit()
                    and int(segment.last_reply) < number
                )
                segment = await game.turn("higher" if higher else "lower")
        game.trace.record_reward("found", float(found), 1.0)
