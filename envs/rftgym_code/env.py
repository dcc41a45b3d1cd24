"""Python functions from their docstrings, as an environment."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from rftgym import Message, MultiTurnEnv, Response, Rubric, Task, Turn
from rftgym.errors import UsageError
from rftgym.tasks import Taskset
from rftgym_code import prompts, rewards
from rftgym_code.extract import CodeParser, parsed
from rftgym_code.judge import Judge, JudgeSettings, shared_judge
from rftgym_code.lint import shared_linter
from rftgym_code.rows import CodeRow, tasks


@dataclass(slots=True)
class Attempts:
    """An episode.

    Attributes:
        task: that is posed.
        prompt: as it was put.
        used: answers so far.
    """

    task: Task
    prompt: str
    used: int = 0


class CodeEnv(MultiTurnEnv[Attempts]):
    """Signature and docstring of a function or class go in, its code comes out; hidden tests judge it.

    One answer, by default; with ``max_turns`` there are more, and what was wrong is said in between. Each turn's
    ``info`` has the "verdict", see `rftgym_code.verdict.Verdict`, and "lint" where that reward has a weight.

    Args:
        workers: answers that run at a time; None = as many as processors.
        call_seconds: CPU time of one test; five times as much on the clock.
        sandbox: id of the sandbox that answers run in, as `rftgym list sandbox` shows them.
        allow_unsafe_sandbox: go on where the machine cannot isolate untrusted code.
        settings: of any environment: ``rubric``, ``tasks``, ``max_turns``, ``render_mode``.
    """

    max_turns = 1
    max_completion_chars = 32_768
    system = prompts.SYSTEM
    parser = CodeParser()
    task_row = CodeRow
    slow = True

    def __init__(
        self,
        *,
        workers: int | None = None,
        call_seconds: float = 1.0,
        sandbox: str = "local",
        allow_unsafe_sandbox: bool = False,
        **settings: Any,
    ) -> None:
        if not 0 < call_seconds <= 60:
            raise UsageError(f"call_seconds={call_seconds!r}; it is above 0 and at most 60")
        self._settings = JudgeSettings(workers, sandbox, allow_unsafe_sandbox, call_seconds)
        super().__init__(**settings)

    @property
    def judge(self) -> Judge:
        """Shared by all environments of the process that have the same settings."""
        return shared_judge(self._settings, os.getpid())

    def make_tasks(self) -> Taskset:
        return tasks()

    def make_rubric(self) -> Rubric:
        return rewards.rubric()

    def begin(self, task: Task, rng: Random) -> tuple[Attempts, str]:
        prompt = prompts.problem(task.data)
        return Attempts(task, prompt), prompt

    def respond(self, state: Attempts, turn: Turn, rng: Random) -> Response:
        state.used += 1
        turn.answer, turn.well_formed = parsed(turn.completion, state.task.data["entry"])
        verdict = self.judge.judge(state.task.data, state.prompt, turn.answer)
        info: dict[str, Any] = {"verdict": verdict.as_json()}
        if self.rubric.weights.get("lint"):
            info["lint"] = self._lint(turn.answer) if verdict.runs else {}
        ended = verdict.success or state.used >= self.max_turns
        left = self.max_turns - state.used
        return Response(prompts.closing(verdict) if ended else prompts.repair(verdict, left), ended, info)

    def _lint(self, code: str) -> dict[str, Any]:
        """Ruff takes longer than the tests do, so it is asked only where its word counts."""
        settings = self._settings
        linter = shared_linter(settings.workers, settings.sandbox, settings.allow_unsafe, os.getpid())
        return linter.lint(code)

    def cheats(self, task: Task) -> Mapping[str, Sequence[str] | str]:
        """Functions without content, attacks on the judge, the examples by heart."""
        from rftgym_code.cheats import cheats

        return cheats(task.data)

    def demonstrations(self, split: str, n: int, seed: int) -> Iterator[list[Message]]:
        """Answers to problems of the train split, a share of them with the usual mistakes.

        Raises:
            UsageError: any split but "train": a held-out problem is never demonstrated.
        """
        if split != "train":
            raise UsageError(f"{self.id} has demonstrations of split 'train' only: {split!r} is held out")
        from rftgym_code.demonstrations import demonstrations

        for row, answer in demonstrations(n, seed):
            yield self._conversation(row, answer)

    def demonstrate(self, task: Task, seed: int) -> list[Message] | None:
        """The reference solution; None for a task of a user's own that has none."""
        solution = task.data.get("solution")
        return None if solution is None else self._conversation(task.data, prompts.answer(solution))

    def _conversation(self, data: Mapping[str, Any], answer: str) -> list[Message]:
        opening = [Message("system", self.system or ""), Message("user", prompts.problem(data))]
        return [*opening, Message("assistant", answer)]
