"""Faults in episodes and parsers."""

from __future__ import annotations

import json
import re
import threading
from random import Random
from typing import Any

import base

import rftgym
from rftgym.parser import Parsed, Parser
from rftgym.types import Score


class EndsWithSystem(base.Good):
    def begin(self, task: rftgym.Task, rng: Random) -> tuple[list[str], Any]:
        state, question = super().begin(task, rng)
        return state, [rftgym.Message("user", question), rftgym.Message("system", "Be brief.")]


class LongWords(base.Good):
    def respond(self, state: list[str], turn: rftgym.Turn, rng: Random) -> rftgym.Response:
        response = super().respond(state, turn, rng)
        response.observation += " " + "Think. " * 20_000
        return response


class HalfCharacters(base.Good):
    def respond(self, state: list[str], turn: rftgym.Turn, rng: Random) -> rftgym.Response:
        response = super().respond(state, turn, rng)
        response.observation += " \ud83e"  # an owl, cut in the middle
        return response


class NotANumberInInfo(base.Good):
    def respond(self, state: list[str], turn: rftgym.Turn, rng: Random) -> rftgym.Response:
        response = super().respond(state, turn, rng)
        response.info["distance"] = float("nan")
        return response


class IntegerReward(base.Good):
    def step(self, action: str) -> Any:
        observation, reward, *rest = super().step(action)
        return (observation, int(reward), *rest)


class IgnoresOptions(base.Good):
    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        return super().reset(seed=seed)


class JsonParser(Parser):
    def parse(self, completion: str) -> Parsed:
        return Parsed(json.loads(completion)["answer"], True)


class ParserRaises(base.Good):
    parser = JsonParser()

    def demonstrate(self, task: rftgym.Task, seed: int) -> list[rftgym.Message]:
        answer = json.dumps({"answer": str(task.data["a"] * task.data["b"])})
        return [rftgym.Message("user", self.question(task)), rftgym.Message("assistant", answer)]


class StepRaises(base.Good):
    def respond(self, state: list[str], turn: rftgym.Turn, rng: Random) -> rftgym.Response:
        response = super().respond(state, turn, rng)
        response.info["bytes"] = len(turn.completion.encode())  # half a surrogate pair has none
        return response


class Silent(base.Good):
    def respond(self, state: list[str], turn: rftgym.Turn, rng: Random) -> rftgym.Response:
        response = super().respond(state, turn, rng)
        return response if response.terminated or turn.answer is None else rftgym.Response(info=response.info)


class NeverEnds(base.Good):
    def advance(self, turn: rftgym.Turn) -> Any:
        messages = super().advance(turn)
        self.trajectory.truncated = False
        return messages or (rftgym.Message("user", "Go on."),)


class TakesLongAnswers(base.Good):
    """Thinks that it is cleverer than the limit."""

    def advance(self, turn: rftgym.Turn) -> Any:
        before, self.max_completion_chars = self.max_completion_chars, 10**9
        try:
            return super().advance(turn)
        finally:
            self.max_completion_chars = before


class SlowParser(Parser):
    """Every "<" is looked at with all that follows it."""

    def parse(self, completion: str) -> Parsed:
        for start in range(len(completion)):
            rest = completion[start:]
            found = re.match(r"<answer>(.*?)</answer>", rest)
            if found and rest.count("<") >= 0:
                return Parsed(found[1], True)
            if rest.count("<") + rest.count("[") + rest.count(">") < 0:
                break
        return Parsed(None, False)


class Quadratic(base.Good):
    max_completion_chars = 32_768
    parser = SlowParser()


class BacktrackingParser(Parser):
    def parse(self, completion: str) -> Parsed:
        found = re.fullmatch(r"(?:[a-z ]+)*<answer>(\w+)</answer>", completion)
        return Parsed(found[1], True) if found else Parsed(None, False)


class Backtracks(base.Good):
    parser = BacktrackingParser()


class Waits(base.Good):
    def respond(self, state: list[str], turn: rftgym.Turn, rng: Random) -> rftgym.Response:
        if not turn.completion.strip():
            threading.Event().wait()  # for an answer that never comes
        return super().respond(state, turn, rng)


class SetInInfo(base.Good):
    def respond(self, state: list[str], turn: rftgym.Turn, rng: Random) -> rftgym.Response:
        response = super().respond(state, turn, rng)
        response.info["words"] = {"a", "b"}
        return response


class ScoresEarly(base.Good):
    def step(self, action: str) -> Any:
        observation, reward, terminated, truncated, info = super().step(action)
        info.setdefault("score", Score(0.0, False, {}))
        return observation, reward, terminated, truncated, info


class PaysTwice(base.Good):
    def step(self, action: str) -> Any:
        observation, reward, *rest = super().step(action)
        return (observation, reward + 0.01, *rest)


class Number:
    """An answer that JSON cannot hold."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other)

    def __hash__(self) -> int:
        return 0

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


class ObjectParser(rftgym.TagParser):
    def parse(self, completion: str) -> Parsed:
        answer, well_formed = super().parse(completion)
        return Parsed(Number(answer or ""), well_formed)


class ObjectAnswers(base.Good):
    parser = ObjectParser("answer")


class NoPicture(base.Good):
    def rendered(self) -> str:
        return None  # type: ignore[return-value]  # the fault
