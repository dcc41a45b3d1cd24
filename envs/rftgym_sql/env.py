"""A question and a schema in, one query out."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from rftgym import Message, Response, Rubric, SingleTurnEnv, Task, Turn
from rftgym.errors import UsageError
from rftgym.tasks import ListTaskset, Taskset, read_jsonl
from rftgym_sql import prompts, rewards
from rftgym_sql.answers import SqlParser
from rftgym_sql.catalogue import generated
from rftgym_sql.judge import Judge, shared_judge
from rftgym_sql.processes import Setting
from rftgym_sql.rows import FileTaskset, SqlRow


class SqlEnv(SingleTurnEnv):
    """Questions about generated databases. Each turn's ``info`` has the "verdict", see `verdict.Verdict`.

    Args:
        engine: "sqlite", which Python brings, or "duckdb" (``pip install 'rftgym[sql]'``).
        workers: sandboxed processes at a time; None = as many as processors.
        sandbox: id of the sandbox that queries run in, as `rftgym list sandbox` shows them.
        allow_unsafe_sandbox: go on where the machine cannot isolate untrusted code.
        rubric, tasks, max_turns, render_mode: see :class:`rftgym.TextEnv`.

    Raises:
        UsageError: no such engine, or it is not installed; no number of workers; or a task of the user's own cannot be
            used.
    """

    parser = SqlParser()
    task_row = SqlRow
    slow = True

    def __init__(
        self,
        *,
        engine: str = "sqlite",
        workers: int | None = None,
        sandbox: str = "local",
        allow_unsafe_sandbox: bool = False,
        rubric: Rubric | None = None,
        tasks: Taskset | None = None,
        max_turns: int | None = None,
        render_mode: str | None = None,
    ) -> None:
        _check(engine, workers)
        self.engine = engine
        self._setting = Setting(engine, workers, sandbox, allow_unsafe_sandbox)
        super().__init__(rubric=rubric, tasks=tasks, max_turns=max_turns, render_mode=render_mode)
        if isinstance(self.tasks, FileTaskset):
            self.tasks = self.tasks.finished(self.judge)

    @property
    def judge(self) -> Judge:
        """Shared by all environments of the process that have the same settings."""
        return shared_judge(self._setting, os.getpid())

    @classmethod
    def read_tasks(cls, path: str | Path) -> ListTaskset:
        """Tasks of the user's own from a JSON-lines file; see `rows.SqlRow`. Queries are tried when one is made of it.

        Raises:
            UsageError: names the file, the line and the field.
        """
        tasks = super().read_tasks(path)
        places = {str(row["id"]): f"{path}, line {number}" for number, row in read_jsonl(path)}
        return FileTaskset([tasks.by_id(id) for id in places], places)

    def make_tasks(self) -> Taskset:
        return generated(self.engine)

    def make_rubric(self) -> Rubric:
        return rewards.rubric()

    def prompt(self, task: Task) -> str:
        return prompts.question(task.data, self.engine)

    def respond(self, state: None, turn: Turn, rng: Random) -> Response:
        verdict = self.judge.judge(self.trajectory.task, turn.answer)
        return Response(prompts.closing(verdict), True, {"verdict": verdict.as_json()})

    def demonstrate(self, task: Task, seed: int) -> list[Message] | None:
        """The task's own query."""
        return self._conversation(task, prompts.answered(task.data["query"]))

    def cheats(self, task: Task) -> Mapping[str, Sequence[str] | str]:
        """Queries that read a table and answer nothing, and some that the judge refuses."""
        from rftgym_sql.cheats import cheats

        return cheats(self.prompt(task))

    def demonstrations(self, split: str, n: int, seed: int) -> Iterator[list[Message]]:
        """Queries of somebody who makes the usual mistakes.

        Raises:
            UsageError: any split but "train": the others are held out.
        """
        if split != "train":
            raise UsageError(f"{self.id} has demonstrations of split 'train' only: {split!r} is held out")
        from rftgym_sql.demonstrations import answer

        size = self.tasks.size(split)
        for index in range(n if size != 0 else 0):
            chance = Random(f"sql:demonstration:{seed}:{index}")
            number = chance.randrange(2**31 if size is None else size)
            task = self.tasks.item(split, number)
            yield self._conversation(task, answer(task.data["query"], chance))

    def _conversation(self, task: Task, completion: str) -> list[Message]:
        return [Message("user", self.prompt(task)), Message("assistant", completion)]


def _check(engine: str, workers: Any) -> None:
    if workers is not None and (not isinstance(workers, int) or workers < 1):
        raise UsageError(f"workers {workers!r}; it is a whole number of 1 or more")
    if engine not in prompts.DIALECTS:
        raise UsageError(f"engine {engine!r}; it is one of {', '.join(prompts.DIALECTS)}")
    if engine == "duckdb":
        from importlib.util import find_spec

        if find_spec("duckdb") is None:
            raise UsageError("engine 'duckdb' is not installed: pip install 'rftgym[sql]'")
