"""Mathematics as an environment: one problem, one answer, compared as mathematics."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

from rftgym import Message, Response, Rubric, SingleTurnEnv, TagParser, Task, Turn
from rftgym.errors import UsageError
from rftgym.tasks import ListTaskset, Taskset
from rftgym_math import demonstrations, generator, prompts, rewards, rows
from rftgym_math.judge import Judge, shared_judge
from rftgym_math.verdict import Question
from rftgym_math.working import findings


class MathEnv(SingleTurnEnv):
    """Arithmetic, equations, systems, word problems and countdown without end, or problems from a file.

    A turn's ``info`` has the "verdict" (see `rftgym_math.judge.Verdict`), the "working" (what of it was checked, see
    `rftgym_math.working.Findings`) and "fabrication" (from 0 to 1).

    Args:
        kinds: some of "arithmetic", "equations", "systems", "words", "countdown"; all by default.
        difficulty: the lowest and the highest, from 0 to 1.
        workers: comparisons by sympy at a time; None = as many as processors.
        sandbox: id of the sandbox that they run in, as `rftgym list sandbox` shows them.
        allow_unsafe_sandbox: go on where the machine cannot isolate untrusted code.
        settings: of any environment: ``rubric``, ``tasks``, ``max_turns``, ``render_mode``.
    """

    system = prompts.SYSTEM
    parser = TagParser("answer")
    task_row = rows.MathRow

    def __init__(
        self,
        *,
        kinds: Sequence[str] | None = None,
        difficulty: Sequence[float] | None = None,
        workers: int | None = None,
        sandbox: str = "local",
        allow_unsafe_sandbox: bool = False,
        **settings: Any,
    ) -> None:
        self._grades = generator.Grades(kinds, difficulty)
        self._judging = workers, sandbox, allow_unsafe_sandbox
        super().__init__(**settings)
        self.slow = isinstance(self.tasks, ListTaskset)  # problems of a file may need sympy

    @classmethod
    def read_tasks(cls, path: str | Path) -> ListTaskset:
        """Problems from a file: rows of `rftgym_math.rows.MathRow`, as JSON lines, a JSON list, CSV or parquet.

        Raises:
            UsageError: a row cannot be used; names the file, the line and the field.
        """
        return rows.tasks_of(path)

    @property
    def judge(self) -> Judge:
        """Shared by all environments of the process that have the same settings."""
        return shared_judge(*self._judging, os.getpid())

    def make_tasks(self) -> Taskset:
        return generator.tasks(self._grades)

    def make_rubric(self) -> Rubric:
        return rewards.rubric()

    def prompt(self, task: Task) -> str:
        question: str = task.data["question"]
        return question

    def respond(self, state: None, turn: Turn, rng: Random) -> Response:
        question = Question.of(self.trajectory.task.data)
        verdict = self.judge.judge(question, turn.answer)
        found = findings(turn.completion, verdict.value, question.variables) if verdict.sound else None
        info = {
            "verdict": verdict.as_json(),
            "working": found.as_json() if found else None,
            "fabrication": found.severity if found else 0.0,
        }
        return Response(terminated=True, info=info)

    def same_answer(self, task: Task, answer: Any, other: Any) -> bool:
        """Whether two answers are the same number, or the same text."""
        try:
            return Fraction(str(answer)) == Fraction(str(other))
        except (ValueError, ZeroDivisionError):
            return "".join(str(answer).split()) == "".join(str(other).split())

    def cheats(self, task: Task) -> Mapping[str, Sequence[str] | str]:
        """Empty workings, the question as its own answer, many answers in one."""
        from rftgym_math.cheats import cheats

        return cheats(task.data["question"])

    def demonstrations(self, split: str, n: int, seed: int) -> Iterator[list[Message]]:
        """Problems, of the kinds and difficulties chosen, with the answers of an imperfect player.

        Raises:
            UsageError: any split but "train": a held-out problem is never demonstrated.
        """
        if split != "train":
            raise UsageError(f"{self.id} has demonstrations of split 'train' only: {split!r} is held out")
        if isinstance(self.tasks, ListTaskset):
            return self.solved(n, seed)
        return demonstrations.demonstrations(n, seed=seed, grades=self._grades)

    def demonstrate(self, task: Task, seed: int) -> list[Message]:
        """A right answer with its working; always the same."""
        said = prompts.completion(task.data["working"], task.data["answer"])
        return prompts.conversation(self.prompt(task), said)
