"""Faults in what keeps episodes apart."""

from __future__ import annotations

import os
import threading
import time
from random import Random
from typing import Any

import base

import rftgym


class Entropy(base.Good):
    def respond(self, state: list[str], turn: rftgym.Turn, rng: Random) -> rftgym.Response:
        response = super().respond(state, turn, rng)
        response.observation += f" ({os.urandom(2).hex()})"
        return response


class CountsInSelf(base.Good):
    """The count goes on from episode to episode."""

    count = 0

    def respond(self, state: list[str], turn: rftgym.Turn, rng: Random) -> rftgym.Response:
        self.count += 1
        response = super().respond(state, turn, rng)
        response.observation += f" ({self.count} answers)"
        return response


HISTORY: list[str] = []


class RemembersInModule(base.Good):
    def respond(self, state: list[str], turn: rftgym.Turn, rng: Random) -> rftgym.Response:
        HISTORY.append(turn.completion[:5])
        response = super().respond(state, turn, rng)
        response.observation += f" ({len(HISTORY)} answers)"
        return response


class SharedAnswer(base.Good):
    """One place for the answer of whatever episode began last."""

    current: dict[str, str] = {}  # noqa: RUF012  # the fault

    def begin(self, task: rftgym.Task, rng: Random) -> tuple[list[str], str]:
        state, question = super().begin(task, rng)
        self.current["answer"] = state[0]
        return state, question

    def respond(self, state: list[str], turn: rftgym.Turn, rng: Random) -> rftgym.Response:
        response = super().respond(state, turn, rng)
        response.observation += f" (of {len(self.current['answer'])} digits: {self.current['answer']})"
        return response


SCRATCH: dict[str, str] = {}


class Scratch(base.Good):
    """Right while one thread is at work."""

    def respond(self, state: list[str], turn: rftgym.Turn, rng: Random) -> rftgym.Response:
        SCRATCH["state"] = state[0]
        time.sleep(0.0005)
        return super().respond([SCRATCH["state"], *state[1:]], turn, rng)


class Uncopied(list[str]):
    def __deepcopy__(self, memo: Any) -> Any:
        return self


class CannotBeCopied(base.Good):
    def begin(self, task: rftgym.Task, rng: Random) -> tuple[list[str], str]:
        state, question = super().begin(task, rng)
        return Uncopied(state), question


class HoldsLock(base.Good):
    def begin(self, task: rftgym.Task, rng: Random) -> tuple[Any, str]:
        state, question = super().begin(task, rng)
        return [*state, threading.Lock()], question

    def respond(self, state: list[Any], turn: rftgym.Turn, rng: Random) -> rftgym.Response:
        return super().respond(state[:1], turn, rng)


class SetOrder(base.Good):
    def respond(self, state: list[str], turn: rftgym.Turn, rng: Random) -> rftgym.Response:
        response = super().respond(state, turn, rng)
        hints = {"carry", "the", "one", "and", "check", "it"}
        response.observation += " " + " ".join(hints)
        return response


class Hashes(base.Good):
    def question(self, task: rftgym.Task) -> str:
        return super().question(task) + f" ({hash(task.id) % 10})"


class OpensFiles(base.Good):
    opened: list[Any] = []  # noqa: RUF012  # the fault

    def begin(self, task: rftgym.Task, rng: Random) -> tuple[list[str], str]:
        OPEN.append(os.open(os.devnull, os.O_RDONLY))
        return super().begin(task, rng)


class StartsThreads(base.Good):
    def begin(self, task: rftgym.Task, rng: Random) -> tuple[list[str], str]:
        threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
        return super().begin(task, rng)


class Grows(base.Good):
    def begin(self, task: rftgym.Task, rng: Random) -> tuple[list[str], str]:
        LOG.append(task.id * 500)
        return super().begin(task, rng)


OPEN: list[int] = []
LOG: list[str] = []
