"""The environment: a question of reasoning-gym, an answer in tags, the value that its own scorer gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from pydantic import Field

from rftgym import Message, Response, Rubric, SingleTurnEnv, TagParser, Task, Turn, reward
from rftgym.env import TaskRow
from rftgym.errors import RftgymError, UsageError
from rftgym.parser import TextParser
from rftgym_reasoning_gym import drawing
from rftgym_reasoning_gym.drawing import Dataset, Entry
from rftgym_reasoning_gym.guards import CHEATS, SHUT_IN
from rftgym_reasoning_gym.quirks import APART, EXECUTES
from rftgym_reasoning_gym.scoring import verdict
from rftgym_reasoning_gym.solutions import solution
from rftgym_reasoning_gym.tasks import DrawnTasks, Posed

SYSTEM = "Answer the question. You may think first. Write the final answer, and nothing else, in <{tag}></{tag}> tags."


class ScorerFailed(RftgymError):
    """The scorer of reasoning-gym raised an exception that no malformed answer explains."""


class EntryRow(TaskRow):
    """A line of a ``--tasks`` file: an entry as reasoning-gym makes them."""

    question: str
    answer: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)


@reward()
def score(turn: Turn) -> float:
    """The value that the dataset's scorer gives, from 0 to 1."""
    graded = turn.info.get("graded")
    if graded is None:
        raise ScorerFailed(turn.info.get("why") or "the answer was not scored")
    return float(graded)


@reward(weight=0.0)
def well_formed(turn: Turn) -> float:
    """Whether the answer stands in its tags, once."""
    return float(turn.well_formed)


class ReasoningGymEnv(SingleTurnEnv):
    """One dataset of reasoning-gym: its questions, without end, and its scorer.

    A turn's ``info`` has "graded" (what the scorer said, None where it failed) and "why" (what was wrong, where the
    adapter found it).

    Args:
        name: of the dataset, as in ``reasoning-gym:NAME``.
        config: fields of the dataset's own configuration, without "seed" and "size".
        tag: the answer stands between ``<tag>`` and ``</tag>``; None: the whole completion is the answer.
        sandbox: id of the sandbox for the datasets that need one, as `rftgym list sandbox` shows them.
        allow_unsafe_sandbox: go on where the machine cannot isolate untrusted code.
        settings: of any environment: ``rubric``, ``tasks``, ``max_turns``, ``render_mode``.

    Raises:
        MissingPackageError: reasoning-gym is not installed.
        UnknownIdError: it has no such dataset.
        UsageError: the configuration does not fit.
    """

    task_row = EntryRow
    draws = False

    def __init__(
        self,
        *,
        name: str,
        config: Mapping[str, Any] | None = None,
        tag: str | None = "answer",
        sandbox: str = "local",
        allow_unsafe_sandbox: bool = False,
        **settings: Any,
    ) -> None:
        if not isinstance(config, Mapping | None):
            raise UsageError(f"config must be a mapping of the dataset's settings, not {config!r:.40}")
        self.dataset = Dataset(name, config or {}, sandbox=sandbox, allow_unsafe=allow_unsafe_sandbox)
        self.parser = TextParser() if tag is None else TagParser(tag)
        self.system = None if tag is None else SYSTEM.format(tag=tag)
        self._form = "{}" if tag is None else f"<{tag}>{{}}</{tag}>"
        self.slow = name in SHUT_IN or name in APART or name in EXECUTES
        super().__init__(**settings)

    @classmethod
    def names(cls) -> list[str]:
        """All datasets that are environments.

        Raises:
            MissingPackageError: reasoning-gym is not installed.
        """
        return drawing.names()

    def make_tasks(self) -> DrawnTasks:
        return DrawnTasks(self.dataset)

    def make_rubric(self) -> Rubric:
        return Rubric([score, well_formed], success="score")

    def prompt(self, task: Task) -> str:
        question: str = task.data["question"]
        return question

    def respond(self, state: None, turn: Turn, rng: Random) -> Response:
        graded, why = verdict(self.dataset, turn.answer, self.entry(self.trajectory.task))
        return Response(terminated=True, info={"graded": graded, "why": why} if why else {"graded": graded})

    def entry(self, task: Task) -> Entry:
        """What the dataset's scorer wants to know of a task: drawn again where it is no longer at hand."""
        data = task.data
        if type(data) is Posed:
            return data.entry
        if "draw" in data:
            return self.dataset.entry(data["draw"])
        return dict(data)

    def demonstrate(self, task: Task, seed: int) -> list[Message] | None:
        """The entry's answer, or one that was found for it; None where there is none that the scorer calls right."""
        entry = self.entry(task)
        answer = solution(self.dataset.name, entry)
        if answer is None or (verdict(self.dataset, answer.strip(), entry).value or 0.0) < 1.0:
            return None
        opening = [Message("user", self.prompt(task)), Message("assistant", self._form.format(answer))]
        return opening if self.system is None else [Message("system", self.system), *opening]

    def cheats(self, task: Task) -> Mapping[str, Sequence[str] | str]:
        return {name: self._form.format(answer) for name, answer in CHEATS.get(self.dataset.name, {}).items()}
