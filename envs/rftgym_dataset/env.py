"""One question, one answer, both from a file of the user's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from random import Random

from rftgym import Component, Message, Rubric, SingleTurnEnv, TagParser, Task, Turn
from rftgym.data import read
from rftgym.errors import UsageError
from rftgym.parser import Parser, TextParser
from rftgym.tasks import SPLITS, ListTaskset, Taskset
from rftgym_dataset.matching import Match, check_accepted, known_match, matches, text_of
from rftgym_dataset.rows import DatasetRow, tasks_of

PUZZLES = Path(__file__).with_name("data") / "puzzles.jsonl"
FORMAT_WEIGHT = 0.1


class DatasetEnv(SingleTurnEnv):
    """Prompts with answers from a file (``--tasks my.jsonl``), or 60 small puzzles without one.

    Args:
        tag: the answer stands between ``<tag>`` and ``</tag>``, and the model may think aloud before; the prompt says
            so. None: the whole completion is the answer.
        match: how answers are compared where a row does not say.
        system: the system message of conversations that have none.
        rubric, tasks, max_turns, render_mode: see :class:`rftgym.TextEnv`.
    """

    task_row = DatasetRow

    def __init__(
        self,
        *,
        tag: str | None = None,
        match: Match = "normalised",
        system: str | None = None,
        rubric: Rubric | None = None,
        tasks: Taskset | None = None,
        max_turns: int | None = None,
        render_mode: str | None = None,
    ) -> None:
        for name, value in (("tag", tag), ("system", system)):
            if not isinstance(value, str | None):
                raise UsageError(f"{name} must be text, not {value!r:.40}")
        self._tag, self._match = tag, known_match(match)
        self.parser: Parser = TextParser() if tag is None else TagParser(tag)
        self.system = system
        super().__init__(rubric=rubric, tasks=tasks, max_turns=max_turns, render_mode=render_mode)
        _check_tasks(self.tasks, self._match)

    @classmethod
    def read_tasks(cls, path: str | Path) -> ListTaskset:
        """Tasks of the user's own from a file, a folder or a hub id, in any format that :func:`rftgym.data.read` knows.

        Raises:
            UsageError: a row cannot be used; names the file, the line and the reason.
        """
        tasks = tasks_of(read(path).examples)
        try:
            return ListTaskset(tasks)
        except UsageError as error:
            raise UsageError(f"{path}: {error}") from error

    def make_tasks(self) -> Taskset:
        return _puzzles()

    def make_rubric(self) -> Rubric:
        fallback = self._match

        def correct(answer: str | None, task: Task) -> float:
            """The answer is one of those that the row accepts."""
            match = task.data["match"] or fallback
            return float(answer is not None and matches(match, answer, task.data["accepted"]))

        weight = 0.0 if self._tag is None else FORMAT_WEIGHT
        components = [
            Component("well_formed", well_formed, weight=weight),
            Component("correct", correct),
        ]
        return Rubric(components, success="correct")

    def prompt(self, task: Task) -> str:
        return self._opening(task)[-1].content

    def begin(self, task: Task, rng: Random) -> tuple[None, list[Message]]:  # type: ignore[override]  # all messages
        return None, self._opening(task)

    def _opening(self, task: Task) -> list[Message]:
        """The row's messages up to the question, with a word about the tags where they are wanted and not spoken of."""
        messages = [Message(each["role"], each["content"]) for each in task.data["messages"]]
        if self.system is not None and messages[0].role != "system":
            messages.insert(0, Message("system", self.system))
        if self._tag is not None and not any(f"<{self._tag}>" in message.content for message in messages):
            hint = f"Write the final answer between <{self._tag}> and </{self._tag}>."
            messages[-1] = Message("user", f"{messages[-1].content}\n\n{hint}")
        return messages

    def demonstrate(self, task: Task, seed: int) -> list[Message] | None:
        """The question with the row's own answer; None where the row holds none that would be judged right.

        Of what the assistant says in the row, that with the answer in tags behind it, and the bare answer, the first
        that solves the task.
        """
        accepted = [text_of(each) for each in task.data["accepted"]]
        shown = task.data["shown"] or accepted[0]
        tried = [shown]
        if self._tag is not None:
            inside = [f"<{self._tag}>{text}</{self._tag}>" for text in accepted]
            tried += [f"{shown}\n{text}" for text in inside if shown not in accepted] + inside
        for completion in (*tried, *accepted):
            if self._solves(task, completion):
                return [*self._opening(task), Message("assistant", completion)]
        return None

    def _solves(self, task: Task, completion: str) -> bool:
        answer, sound = self.parser.parse(completion)
        match = task.data["match"] or self._match
        return sound and answer is not None and matches(match, answer, task.data["accepted"])

    def cheats(self, task: Task) -> Mapping[str, Sequence[str] | str]:
        """All choices, many numbers, patterns."""
        from rftgym_dataset.cheats import cheats

        return cheats(self._tag)

    def demonstrations(self, split: str, n: int, seed: int) -> Iterator[list[Message]]:
        """Solved tasks.

        Raises:
            UsageError: any split but "train": the answers of the others are held out.
        """
        if split != "train":
            raise UsageError(
                f"{self.id!r} has demonstrations of split 'train' only, not of {split!r}: the rest is held out"
            )
        return self.solved(n, seed)


def well_formed(turn: Turn) -> float:
    """The answer stands in exactly one pair of tags; without tags, there is an answer."""
    return float(turn.well_formed)


def _check_tasks(tasks: Taskset, match: Match) -> None:
    """Whether the rows that leave the comparison open can be compared in the environment's way."""
    if match == "normalised" or not isinstance(tasks, ListTaskset):
        return
    for task in (tasks.item(split, index) for split in SPLITS for index in range(tasks.size(split))):
        if task.data["match"] is None:
            try:
                check_accepted(match, task.data["accepted"])
            except UsageError as error:
                raise UsageError(f"task {task.id!r}: {error}") from error


@lru_cache(maxsize=1)
def _puzzles() -> ListTaskset:
    """Shared by all environments, since tasks never change."""
    return DatasetEnv.read_tasks(PUZZLES)
