"""Questions that can only be answered by calling tools: a multi-turn environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal, NamedTuple

from rftgym import Message, MultiTurnEnv, Response, Rubric, TagParser, Task, Turn
from rftgym.errors import UsageError
from rftgym.parser import Parsed, Parser
from rftgym.tasks import ProceduralTaskset, Taskset
from rftgym_tool_use import demonstrations, prompts, rewards
from rftgym_tool_use.calculator import number
from rftgym_tool_use.rows import ToolUseRow
from rftgym_tool_use.store import TOOLBOX
from rftgym_tool_use.tools import Result
from rftgym_tool_use.world import generate

LONGEST_ANSWER = 400
"""A longer one is wrong whatever it says."""


class Action(NamedTuple):
    """What a completion does.

    Attributes:
        kind: "call", "answer", "none" (neither) or "several" (more than one thing at once).
        text: between the tags; empty for "none" and "several".
    """

    kind: Literal["call", "answer", "none", "several"]
    text: str = ""


class ActionParser(Parser):
    """Finds the one call or the one answer in a completion; what is thought between think tags does not count.

    `parse` gives the text of a final answer, or None; well-formed is a completion with exactly one action.
    """

    def __init__(self) -> None:
        self._calls, self._answers = TagParser("tool"), TagParser("answer")

    def action(self, completion: str) -> Action:
        """What a completion does; any text has an action."""
        call, one_call = self._calls.parse(completion)
        answer, one_answer = self._answers.parse(completion)
        if call is None and answer is None:
            return Action("none")
        if (call is not None and answer is not None) or not (one_call or one_answer):
            return Action("several")
        return Action("answer", answer) if call is None else Action("call", call)

    def parse(self, completion: str) -> Parsed:
        """The final answer, if the completion gives one."""
        action = self.action(completion)
        answer = action.text if action.kind == "answer" else None
        return Parsed(answer, action.kind in ("call", "answer"))


@dataclass(slots=True)
class Episode:
    """An episode in progress.

    Attributes:
        task: its data, see `rftgym_tool_use.world.generate`.
        missing: facts (pairs of table and key) that are needed and were not looked up yet.
    """

    task: Mapping[str, Any]
    missing: set[tuple[str, str]] = field(default_factory=set)


class ToolUseEnv(MultiTurnEnv[Episode]):
    """Look numbers up, compute with them, answer.

    Each turn's ``info`` says: "action" (see `Action`), "tool" (name of the tool that was called, or None), "found"
    (share of the needed facts that the turn looked up for the first time) and "verdict": its "kind" and "message".
    Calls are of the kinds of :data:`rftgym_tool_use.tools.Kind`; answers are correct, wrong, unreadable (no number
    where one is due) or unsupported (right, but not all needed facts were looked up); the rest is none or several.
    """

    max_turns = 10
    system = prompts.SYSTEM
    parser = ActionParser()
    task_row = ToolUseRow

    def make_tasks(self) -> Taskset:
        return ProceduralTaskset(generate)

    def make_rubric(self) -> Rubric:
        return rewards.rubric()

    def begin(self, task: Task, rng: Random) -> tuple[Episode, str]:
        data = task.data
        needed = {(table, key) for table, key in data["needed"]}
        return Episode(data, needed), prompts.opening(sorted(data["tables"]), data["question"])

    def respond(self, state: Episode, turn: Turn, rng: Random) -> Response:
        action = _ACTIONS.action(turn.completion)
        if action.kind == "call":
            return _called(state, TOOLBOX.run(action.text, state.task["tables"]))
        if action.kind == "answer":
            kind = judged(state.task["answer"], action.text, supported=not state.missing)
            return Response("", True, _info("answer", kind, VERDICTS[kind]))
        message = prompts.NO_ACTION if action.kind == "none" else prompts.SEVERAL
        return Response(message, False, _info(action.kind, action.kind, message))

    def cheats(self, task: Task) -> Mapping[str, Sequence[str] | str]:
        """Idle calls, many answers at once, calls that are none."""
        from rftgym_tool_use.cheats import CHEATS

        return CHEATS

    def demonstrations(self, split: str, n: int, seed: int) -> Iterator[list[Message]]:
        """Episodes of a hasty player.

        Raises:
            UsageError: any split but "train": the rest is held out.
        """
        if split != "train":
            raise UsageError(
                f"tool-use has demonstrations of split 'train' only, not of {split!r}: the rest is held out"
            )
        return demonstrations.demonstrations(n, seed=seed)

    def demonstrate(self, task: Task, seed: int) -> list[Message]:
        """Every needed fact looked up once, the calculator asked once if at all, and the answer."""
        return demonstrations.solution(task)


VERDICTS = {
    "correct": "the answer is right",
    "wrong": "the answer is wrong",
    "unreadable": "the answer is no number",
    "unsupported": "the answer is right, but facts that it needs were not looked up",
}
_ACTIONS = ActionParser()


def judged(expected: str, said: str, *, supported: bool) -> str:
    """The verdict on an answer: one of `VERDICTS`.

    Args:
        expected: the right answer; a number is compared as a number, anything else as words, whatever the case.
        said: what was answered; a full stop behind it changes nothing.
        supported: all needed facts were looked up.
    """
    value = number(expected)
    if len(said) > LONGEST_ANSWER:
        return "wrong"
    if not expected.endswith("."):
        said = said.removesuffix(".")
    if value is None:
        right = said.casefold().split() == expected.casefold().split()
    elif (read := number(said)) is None:
        return "wrong" if said.casefold() == "unknown" else "unreadable"
    else:
        right = read == value
    if not right:
        return "wrong"
    return "correct" if supported else "unsupported"


def _called(state: Episode, result: Result) -> Response:
    """What a call gives: the tool's result, or what was wrong with it."""
    name = None if result.call is None else result.call.name
    found = 0.0
    if name == "lookup" and result.kind == "ok" and result.call is not None:
        total, before = len(state.task["needed"]), len(state.missing)
        state.missing.discard((result.call.arguments["table"], result.call.arguments["key"]))
        found = (total - len(state.missing)) / total - (total - before) / total
    text = result.text if result.kind == "ok" else prompts.error(result.text)
    return Response(text, False, {**_info("call", result.kind, result.text, name), "found": found})


def _info(action: str, kind: str, message: str, tool: str | None = None) -> dict[str, Any]:
    return {"action": action, "tool": tool, "found": 0.0, "verdict": {"kind": kind, "message": message}}
