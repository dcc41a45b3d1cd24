"""Faults in rewards."""

from __future__ import annotations

import itertools
import math
import time

import base

import rftgym


class Rewarded(base.Good):
    """The good environment with one more component."""

    extra: rftgym.Component

    def make_rubric(self) -> rftgym.Rubric:
        return super().make_rubric().changed(add=[self.extra])


@rftgym.reward(weight=0.01)
def strict(completion: str) -> float:
    return 0.0 * float(completion.removeprefix("<answer>").removesuffix("</answer>"))


class RewardRaises(Rewarded):
    extra = strict


@rftgym.reward(weight=0.01)
def verdict(answer: str | None) -> object:
    return "good" if answer else 0.0


class TextReward(Rewarded):
    extra = verdict  # type: ignore[assignment]


@rftgym.reward(weight=0.01)
def forgets(answer: str | None) -> None:
    float(answer is not None)


class ForgetsReturn(Rewarded):
    extra = forgets


@rftgym.reward(weight=0.01, bounds=None)
def density(completion: str) -> float:
    return completion.count("1") / len(completion) if completion else math.inf


class Infinite(Rewarded):
    extra = density


@rftgym.reward(weight=0.01)
def brevity(completion: str) -> float:
    return 1 - len(completion) / 100


class OutOfBounds(Rewarded):
    extra = brevity


@rftgym.reward(weight=1e-6, bounds=None)
def length(completion: str) -> float:
    return -float(len(completion))


class Unbounded(Rewarded):
    extra = length


@rftgym.reward(weight=0.01, timeout_seconds=0.01)
async def slow(completion: str) -> float:
    import asyncio

    await asyncio.sleep(0.05 if len(completion) > 300 else 0)
    return 0.0


class Timeout(Rewarded):
    extra = slow


calls = itertools.count()


@rftgym.reward(weight=0.01)
def moody(completion: str) -> float:
    return next(calls) % 7 / 7


class Moody(Rewarded):
    extra = moody


@rftgym.reward(weight=0.01)
def clock(completion: str) -> float:
    return float(time.time() < 0)


class Clock(Rewarded):
    extra = clock


@rftgym.reward(weight=0.01)
def cleaner(turn: rftgym.Turn) -> float:
    turn.completion = turn.completion.strip()
    return 0.0


class ChangesEpisode(Rewarded):
    extra = cleaner


@rftgym.reward(bounds=(0, 0.5))
def half(trajectory: rftgym.Trajectory) -> float:
    return float(trajectory.turns[-1].info["right"]) / 2


class OutOfReach(base.Good):
    def make_rubric(self) -> rftgym.Rubric:
        return rftgym.Rubric([base.tidy, half], success="half")


class NoWeight(base.Good):
    def make_rubric(self) -> rftgym.Rubric:
        return super().make_rubric().changed(weights={"right": 0, "tidy": 0})


class WrongSolutions(base.Good):
    def demonstrate(self, task: rftgym.Task, seed: int) -> list[rftgym.Message]:
        answer = f"<answer>{task.data['a'] + task.data['b']}</answer>"
        return [rftgym.Message("user", self.question(task)), rftgym.Message("assistant", answer)]


@rftgym.reward(weight=2.0, bounds=(0, 1))
def effort(trajectory: rftgym.Trajectory) -> float:
    return (len(trajectory.turns) - 1) / 2 if trajectory.turns[-1].well_formed else 0.0


class PaysForTrying(base.Good):
    """Three tidy wrong tries earn more than a right one."""

    def make_rubric(self) -> rftgym.Rubric:
        return super().make_rubric().changed(add=[effort])


class TwoQuestions(base.Good):
    def demonstrate(self, task: rftgym.Task, seed: int) -> list[rftgym.Message]:
        first, answer = super().demonstrate(task, seed)
        return [rftgym.Message("user", "Here comes a question."), first, answer]


numbers = itertools.count()


class AnotherEveryTime(base.Good):
    def demonstrate(self, task: rftgym.Task, seed: int) -> list[rftgym.Message]:
        first, answer = super().demonstrate(task, seed)
        return [first, rftgym.Message("assistant", f"{next(numbers)} {answer.content}")]


@rftgym.reward()
def not_wrong(trajectory: rftgym.Trajectory) -> float:
    last = trajectory.turns[-1]
    return float(last.answer is None or last.info["right"])


class NothingSucceeds(base.Good):
    def make_rubric(self) -> rftgym.Rubric:
        return rftgym.Rubric([base.tidy, not_wrong], success="not_wrong")


@rftgym.reward(weight=0.5)
def short(completion: str) -> float:
    return 1 / (1 + len(completion))


class NothingPays(Rewarded):
    extra = short
