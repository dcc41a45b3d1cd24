"""Environments as other people write them, with openenv itself, for the tests of the adapter: two on one server."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import FastAPI
from openenv.core.env_server.http_server import create_app
from openenv.core.env_server.interfaces import Environment
from openenv.core.env_server.types import Action, Observation, State


class Guess(Action):
    guess: int


class Hint(Observation):
    hint: str = ""


class Counter(Environment):
    """Find the number seed % 10 in three guesses; nothing is paid before the end."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def reset(self, seed: int | None = None, episode_id: str | None = None, **_: Any) -> Hint:
        self.number, self.left = (seed or 0) % 10, 3
        return Hint(hint=f"Find a number below 10.\r\nTries: {self.left}")

    def step(self, action: Guess, timeout_s: float | None = None, **_: Any) -> Hint:
        self.left -= 1
        if action.guess == 7 and self.number != 7:
            raise ValueError("seven is not to be said")
        if action.guess == self.number:
            return Hint(hint="found", reward=1.0, done=True)
        if not self.left:
            return Hint(hint="out of time", reward=0.25, done=True, metadata={"truncated": True})
        return Hint(hint="higher" if action.guess < self.number else "lower")

    @property
    def state(self) -> State:
        return State()


class Move(Action):
    direction: Literal["north", "south"]
    steps: int


class Place(Observation):
    row: int = 0
    seen: str = ""


class Walk(Environment):
    """Two fields make an action; two splits of tasks, one of them by another name than ours. One session at a time."""

    def reset(self, seed: int | None = None, split: str = "train", index: int = 0, **_: Any) -> Place:
        self.row, self.goal = 0, {"train": 1, "dev": -1}[split] * (index + 1)
        return Place(row=0, seen=f"the goal is at {self.goal}")

    def step(self, action: Move, timeout_s: float | None = None, **_: Any) -> Place:
        self.row += action.steps if action.direction == "north" else -action.steps
        there = self.row == self.goal
        return Place(row=self.row, seen="", reward=2.0 if there else -0.5, done=there)

    @property
    def state(self) -> State:
        return State()

    def list_splits(self) -> list[Any]:
        return ["train", {"name": "dev", "type": "validation"}]

    def num_tasks(self, split: str) -> int:
        return {"train": 5, "dev": 2}[split]


application = FastAPI()
application.mount("/counter", create_app(Counter, Guess, Hint, env_name="counter", max_concurrent_envs=64))
application.mount("/walk", create_app(Walk, Move, Place, env_name="walk"))
