"""Transpilation as an environment: one class, four pairs of languages."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any, ClassVar

from rftgym import Message, Response, Rubric, SingleTurnEnv, Task, Turn
from rftgym.errors import InfrastructureError, UsageError
from rftgym.tasks import SPLITS, Taskset
from rftgym_transpile import prompts, rewards, tasks, toolchains
from rftgym_transpile.answers import CodeParser
from rftgym_transpile.judge import Judge, JudgeSettings, shared_judge
from rftgym_transpile.verdict import Verdict


class TranspileEnv(SingleTurnEnv):
    """A method or class goes in, equivalent code in another language comes out.

    The turn's ``info`` has the "verdict": the judge's, see `rftgym_transpile.verdict.Verdict`.

    Args:
        difficulty: the lowest and the highest of the bundled tasks, from 0 to 1; None = all.
        workers: sandboxed processes at a time; None = as many as processors.
        sandbox: id of the sandbox that answers run in, as `rftgym list sandbox` shows them.
        allow_unsafe_sandbox: go on where the machine cannot isolate untrusted code.
        settings: of any environment: ``rubric``, ``tasks``, ``max_turns``, ``render_mode``.
    Raises:
        UsageError: the target language's toolchain is not installed.
    """

    source: ClassVar[str]
    target: ClassVar[str]
    slow = True

    def __init__(
        self,
        *,
        difficulty: Sequence[float] | None = None,
        workers: int | None = None,
        sandbox: str = "local",
        allow_unsafe_sandbox: bool = False,
        **settings: Any,
    ) -> None:
        if not toolchains.available(self.target):
            raise UsageError(
                f"answers in {prompts.NAMES[self.target]} cannot be run: {toolchains.missing(self.target)}"
            )
        self._difficulty = None if difficulty is None else tasks.difficulty_range(difficulty)
        self._settings = JudgeSettings(workers, sandbox, allow_unsafe_sandbox)
        self.parser = CodeParser(self.target)
        self.system = prompts.system(self.source, self.target)
        super().__init__(**settings)

    @property
    def judge(self) -> Judge:
        """Shared by all environments of the process that have the same settings."""
        return shared_judge(self._settings, os.getpid())

    def make_tasks(self) -> Taskset:
        return tasks.bundled(self.source, self.target, self._difficulty)

    def make_rubric(self) -> Rubric:
        return rewards.rubric()

    def prompt(self, task: Task) -> str:
        return prompts.problem(task.data)

    def respond(self, state: Any, turn: Turn, rng: Random) -> Response:
        task = self.trajectory.task
        if turn.answer is None:
            verdict = Verdict("format", "no code: answer with one block of it")
        else:
            verdict = self.judge.judge(task.id, task.data, turn.answer, self._waiting())
        info: dict[str, Any] = {"verdict": verdict.as_json()}
        if verdict.success and self.target == "python" and self.rubric.weights.get("style"):
            info.update(_style(turn.answer))
        return Response(prompts.closing(verdict), True, info)

    def _waiting(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """All tasks whose results may still have to be found out: one JVM does that for many."""
        for split in SPLITS:
            for index in range(self.tasks.size(split) or 0):
                task = self.tasks.item(split, index)
                yield task.id, task.data

    def demonstrate(self, task: Task, seed: int) -> list[Message] | None:
        """The recorded answer; None for a task of the user's own without a 'solution'."""
        code = task.data.get("solution")
        return None if code is None else self._conversation(task.data, prompts.answer(code, self.target))

    def cheats(self, task: Task) -> Mapping[str, Sequence[str] | str]:
        """Functions without content, attacks on the judge, the source as it is."""
        from rftgym_transpile.cheats import cheats

        return cheats(task.data)

    def _conversation(self, data: Mapping[str, Any], completion: str) -> list[Message]:
        system = Message("system", self.system or "")
        return [system, Message("user", prompts.problem(data)), Message("assistant", completion)]

    def _train_only(self, split: str) -> None:
        if split != "train":
            raise UsageError(f"{self.id} has demonstrations of split 'train' only: {split!r} is held out")


def _style(code: str) -> dict[str, Any]:
    from rftgym_transpile.style import style_of

    try:
        return {"style": style_of(code)}
    except (UsageError, InfrastructureError) as error:
        return {"style": None, "style_error": str(error)}


class JavaPythonEnv(TranspileEnv):
    """Java goes in, Python comes out."""

    source, target = "java", "python"
    task_row = tasks.JavaPythonRow

    def demonstrations(self, split: str, n: int, seed: int) -> Iterator[list[Message]]:
        """Random short methods and what a translator with bad habits makes of them.

        Raises:
            UsageError: any split but "train": a held-out task is never demonstrated.
        """
        self._train_only(split)
        from rftgym_transpile.demonstrations import demonstrations

        return demonstrations(n, seed=seed)


class PythonJavaEnv(TranspileEnv):
    """Python goes in, Java comes out."""

    source, target = "python", "java"
    task_row = tasks.PythonJavaRow

    def demonstrations(self, split: str, n: int, seed: int) -> Iterator[list[Message]]:
        """The same methods the other way round, by a translator who forgets semicolons and fences.

        Raises:
            UsageError: any split but "train".
        """
        self._train_only(split)
        from rftgym_transpile.reverse import reversed_demonstration

        for index in range(n):
            yield self._conversation(*reversed_demonstration(seed, index))


class JavaScriptPythonEnv(TranspileEnv):
    """JavaScript goes in, Python comes out."""

    source, target = "javascript", "python"
    task_row = tasks.JavaScriptPythonRow


class PythonJavaScriptEnv(TranspileEnv):
    """Python goes in, JavaScript comes out."""

    source, target = "python", "javascript"
    task_row = tasks.PythonJavaScriptRow
