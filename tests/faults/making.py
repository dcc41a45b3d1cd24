"""Faults in the constructor, and in what an episode does to the process around it."""

from __future__ import annotations

import os
import random
import socket
import tempfile
import urllib.request
from pathlib import Path
from random import Random
from typing import Any

import base
import numpy as np

import rftgym
from rftgym.tasks import Taskset


class Raises(base.Good):
    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        raise KeyError("vocabulary")


class Downloads(base.Good):
    def make_tasks(self) -> Taskset:
        urllib.request.urlopen("http://203.0.113.1/tasks.jsonl", timeout=1).close()
        return super().make_tasks()


class TriesTheNetwork(base.Good):
    """Goes on without a network, as it was tested in a train."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        try:
            socket.create_connection(("203.0.113.1", 80), timeout=1).close()
        except OSError:
            self.offline = True


class WritesFiles(base.Good):
    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        file = Path("vocabulary.txt")
        file.write_text("words")
        file.unlink()


class TakesAnything(base.Good):
    def __init__(self, difficulty: float = 0.5, **settings: Any) -> None:
        super().__init__()
        self.difficulty = difficulty


class SetsVariable(base.Good):
    def begin(self, task: rftgym.Task, rng: Random) -> tuple[list[str], str]:
        os.environ["CURRENT_TASK"] = task.id
        return super().begin(task, rng)


class ChangesFolder(base.Good):
    def respond(self, state: list[str], turn: rftgym.Turn, rng: Random) -> rftgym.Response:
        os.chdir(tempfile.gettempdir())
        return super().respond(state, turn, rng)


class Prints(base.Good):
    def respond(self, state: list[str], turn: rftgym.Turn, rng: Random) -> rftgym.Response:
        print("they said", len(turn.completion), "characters")  # noqa: T201  # the fault
        return super().respond(state, turn, rng)


class GlobalRandom(base.Good):
    def respond(self, state: list[str], turn: rftgym.Turn, rng: Random) -> rftgym.Response:
        response = super().respond(state, turn, rng)
        response.observation += random.choice(["", " Please."])
        return response


class SeedsNumpy(base.Good):
    def begin(self, task: rftgym.Task, rng: Random) -> tuple[list[str], str]:
        np.random.seed(0)  # noqa: NPY002, TID251  # the fault
        return super().begin(task, rng)


@rftgym.reward()
def lucky(completion: str) -> float:
    return float(random.random() < 2)


class RandomInReward(base.Good):
    def make_rubric(self) -> rftgym.Rubric:
        return super().make_rubric().changed(add=[lucky], weights={"lucky": 0.0})


class LambdaReward(base.Good):
    """Found where the environment is given as an object: by an id it can be made again."""

    def make_rubric(self) -> rftgym.Rubric:
        extra = rftgym.Component("extra", lambda completion: 0.0)
        return super().make_rubric().changed(add=[extra])


class NeedsItsParent(base.Good):
    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        if __name__ not in PREPARED and os.environ.get("PYTHONHASHSEED") in ("1", "2"):
            raise RuntimeError("prepare() was not called in this process")


PREPARED: set[str] = set()
