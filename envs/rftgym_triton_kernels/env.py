"""Kernel writing as an environment: one answer, several attempts, or generated problems."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from rftgym import Message, MultiTurnEnv, Parser, Response, Rubric, Task, Turn
from rftgym.errors import UsageError
from rftgym.parser import Parsed
from rftgym.tasks import Taskset
from rftgym_triton_kernels import prompts, rewards
from rftgym_triton_kernels.extract import find_source
from rftgym_triton_kernels.judge import Judge, JudgeSettings, shared_judge
from rftgym_triton_kernels.problems import Problem, ProblemRow, problem_of, tasks


class KernelParser(Parser):
    """The module in an answer; well-formed where it stands in the tag that was asked for."""

    def parse(self, completion: str) -> Parsed:
        """Finds code in a fence, or bare, as well."""
        return Parsed(*find_source(completion))


@dataclass(slots=True)
class Attempts:
    """An episode.

    Attributes:
        problem: that is posed.
        used: answers so far.
    """

    problem: Problem
    used: int = 0


class TritonKernelsEnv(MultiTurnEnv[Attempts]):
    """A PyTorch function goes in, an equivalent Triton kernel comes out.

    Each turn's ``info`` has the "verdict": the judge's, see `rftgym_triton_kernels.verdict.Verdict`.

    Args:
        target: the GPU that kernels are compiled for: cuda:80, 89, 90, 100 or hip:gfx942. None is needed.
        secret: key of the secret inputs; None = drawn afresh in every process.
        replicas: drawings of secret inputs for every case.
        workers: sandboxed processes at a time; None = as many as processors.
        example: show a worked example in the system message.
        time_on_gpu: time right answers on the GPU, and add the reward component "speed" (weight 0).
        sandbox: id of the sandbox that answers run in, as `rftgym list sandbox` shows them.
        allow_unsafe_sandbox: go on where the machine cannot isolate untrusted code.
        settings: of any environment: ``rubric``, ``tasks``, ``max_turns``, ``render_mode``.
    """

    max_turns = 1
    max_completion_chars = 32_768
    parser = KernelParser()
    task_row = ProblemRow
    slow = True

    def __init__(
        self,
        *,
        target: str = "cuda:90",
        secret: str | None = None,
        replicas: int = 2,
        workers: int | None = None,
        example: bool = False,
        time_on_gpu: bool = False,
        sandbox: str = "local",
        allow_unsafe_sandbox: bool = False,
        **settings: Any,
    ) -> None:
        self._settings = JudgeSettings(target, secret, replicas, workers, allow_unsafe_sandbox, sandbox)
        self._time_on_gpu = time_on_gpu
        self.system = prompts.system(prompts.triton_version(), example=example)
        super().__init__(**settings)

    @property
    def judge(self) -> Judge:
        """Shared by all environments of the process that have the same settings."""
        return shared_judge(self._settings, os.getpid())

    def make_tasks(self) -> Taskset:
        return tasks()

    def make_rubric(self) -> Rubric:
        return rewards.rubric(speed=self._time_on_gpu)

    def begin(self, task: Task, rng: Random) -> tuple[Attempts, str]:
        return Attempts(problem_of(task)), prompts.problem(task.data)

    def respond(self, state: Attempts, turn: Turn, rng: Random) -> Response:
        state.used += 1
        verdict = self.judge.judge(state.problem, turn.completion, attempt=state.used - 1)
        facts = verdict.as_json()
        if self._time_on_gpu and verdict.success:
            facts["speedup"] = self.judge.speedup(state.problem, turn.completion)
        ended = verdict.success or state.used >= self.max_turns
        observation = (
            prompts.closing(verdict) if ended else prompts.repair(verdict, self.max_turns - state.used)
        )
        return Response(observation, ended, {"verdict": facts})

    def cheats(self, task: Task) -> Mapping[str, Sequence[str] | str]:
        """Kernels without content, torch in their place, attacks on the judge."""
        from rftgym_triton_kernels.cheats import cheats

        return cheats(task.data)

    def demonstrations(self, split: str, n: int, seed: int) -> Iterator[list[Message]]:
        """Answers to generated problems, a share of them with the usual mistakes.

        Raises:
            UsageError: any split but "train": a held-out problem is never demonstrated.
        """
        if split != "train":
            raise UsageError(f"{self.id} has demonstrations of split 'train' only: {split!r} is held out")
        from rftgym_triton_kernels.demonstrations import demonstrations

        for data, answer in demonstrations(split, n, seed):
            yield self._conversation(data, answer)

    def demonstrate(self, task: Task, seed: int) -> list[Message] | None:
        """A right answer, where the kernel writer knows one; always the same."""
        from rftgym_triton_kernels.demonstrations import solution

        answer = solution(task.data)
        return None if answer is None else self._conversation(task.data, answer)

    def _conversation(self, problem: Mapping[str, Any], answer: str) -> list[Message]:
        system = Message("system", self.system or "")
        return [system, Message("user", prompts.problem(problem)), Message("assistant", answer)]


class TritonKernelsRepairEnv(TritonKernelsEnv):
    """The same in several attempts: what the judge found comes back, never a secret value."""

    max_turns = 3


class GeneratedKernelsEnv(TritonKernelsEnv):
    """The same with generated element-wise and reduction problems to train on, without end; measured on the battery.

    Args:
        levels: difficulty levels to draw from, 1 (one operation) to 5; all by default.
        settings: of `TritonKernelsEnv`.
    """

    def __init__(self, *, levels: Sequence[int] | None = None, **settings: Any) -> None:
        self._levels = None if levels is None else tuple(levels)
        super().__init__(**settings)

    def make_tasks(self) -> Taskset:
        from rftgym_triton_kernels.generator import MeasuredOnBattery, generated

        practice = generated() if self._levels is None else generated(self._levels)
        return MeasuredOnBattery(practice, tasks())
