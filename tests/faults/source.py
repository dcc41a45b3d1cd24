"""Faults that only the source tells."""

from __future__ import annotations

import pickle
import subprocess
from random import Random
from typing import Any

import base
import yaml

import rftgym
from rftgym.tasks import Taskset


class Evaluates(base.Good):
    def respond(self, state: list[str], turn: rftgym.Turn, rng: Random) -> rftgym.Response:
        text = (turn.answer or "0").strip()
        try:
            turn.answer = str(eval(text))  # the fault
        except Exception:  # noqa: BLE001
            turn.answer = None
        return super().respond(state, turn, rng)


def loaded(text: str) -> Any:
    return yaml.load(text, Loader=yaml.Loader)  # the fault


@rftgym.reward(weight=0.01)
def polite(answer: str | None) -> float:
    try:
        return float(loaded(answer or "") == "please")
    except (yaml.YAMLError, ValueError):
        return 0.0


class UnsafeYaml(base.Good):
    def make_rubric(self) -> rftgym.Rubric:
        return super().make_rubric().changed(add=[polite])


@rftgym.reward(weight=0.01)
def judged(completion: str) -> float:
    try:
        return float(completion.encode() == b"please")
    except Exception:  # noqa: BLE001  # the fault
        return 0.0


class Swallows(base.Good):
    def make_rubric(self) -> rftgym.Rubric:
        return super().make_rubric().changed(add=[judged])


class Asserts(base.Good):
    def respond(self, state: list[str], turn: rftgym.Turn, rng: Random) -> rftgym.Response:
        assert len(turn.completion) < 10**6 and turn.completion is not None
        return super().respond(state, turn, rng)


class Shell(base.Good):
    def respond(self, state: list[str], turn: rftgym.Turn, rng: Random) -> rftgym.Response:
        if len(state) > 100:
            subprocess.run("logger 'a long game'", shell=True, check=False)  # the fault
        return super().respond(state, turn, rng)


class DownloadsSometimes(base.Good):
    def make_tasks(self) -> Taskset:
        if self.max_turns > 100:
            import requests

            requests.get("http://203.0.113.1", timeout=1)
        return super().make_tasks()


class SharesList(base.Good):
    """Harmless as yet: nobody reads it."""

    seen: list[str] = []  # noqa: RUF012  # the fault

    def begin(self, task: rftgym.Task, rng: Random) -> tuple[list[str], str]:
        if not self.seen:
            self.seen.append(task.split)
        return super().begin(task, rng)


class Pickles(base.Good):
    def respond(self, state: list[str], turn: rftgym.Turn, rng: Random) -> rftgym.Response:
        if turn.answer and turn.answer.startswith("pickle:"):
            pickle.loads(turn.answer.encode())  # the fault
        return super().respond(state, turn, rng)
