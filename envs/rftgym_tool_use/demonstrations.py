"""Seeded episodes of a player who knows how to call tools and is too hasty to be right, as chat messages.

Episode `i` depends on (seed, i) and the player's habits only, and its questions are of the train split. What the player
does wrong takes no knowledge: it answers with the last number that it saw, or wraps the answer in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from rftgym import Message, Task
from rftgym_tool_use import prompts
from rftgym_tool_use.store import TOOLBOX
from rftgym_tool_use.world import generate


@dataclass(frozen=True, slots=True)
class Habits:
    """How often a player slips; each is a probability at each place where it can happen.

    Attributes:
        hasty: with more to look up or to compute, the last result is given as the answer.
        vague: the final answer is not the bare value ("about 42").
        unclosed: the first call lacks its last brace, so that it has to be made again.
    """

    hasty: float = 0.0
    vague: float = 0.0
    unclosed: float = 0.0

    def __post_init__(self) -> None:
        if not all(0 <= share <= 1 for share in (self.hasty, self.vague, self.unclosed)):
            raise ValueError(f"habits are probabilities, got {self}")


CAREFUL: Final = Habits()
DEFAULT: Final = Habits(hasty=0.58, vague=0.4, unclosed=0.2)


def demonstrations(n: int, *, seed: int, habits: Habits = DEFAULT) -> Iterator[list[Message]]:
    """The first `n` episodes of the series that belongs to `seed`."""
    return (demonstration(seed, index, habits) for index in range(n))


def demonstration(seed: int, index: int, habits: Habits = DEFAULT) -> list[Message]:
    """Episode number `index` of the endless series that belongs to `seed`."""
    chance = Random(f"rftgym-tool-use:{seed}:{index}")
    return played(generate("train", chance, f"shown-{seed}-{index}"), habits, chance)


def solution(task: Task) -> list[Message]:
    """The episode of a player who never slips."""
    return played(task, CAREFUL, Random(0))  # without habits nothing is drawn


def played(task: Task, habits: Habits, chance: Random) -> list[Message]:
    """One episode, as the environment would have it go, up to the answer.

    Args:
        task: any of the environment's.
        habits: of the player.
        chance: the only source of chance.
    """
    tables = task.data["tables"]
    chat = [
        Message("system", prompts.SYSTEM),
        Message("user", prompts.opening(sorted(tables), task.data["question"])),
    ]
    answer = task.data["answer"]
    calls = _calls(task.data)
    for number, call in enumerate(calls):
        if number == 0 and chance.random() < habits.unclosed:
            _say(chat, call.replace("}</tool>", "</tool>"), tables)
        result = _say(chat, call, tables)
        if number < len(calls) - 1 and chance.random() < habits.hasty:
            answer = result
            break
    vague = chance.random() < habits.vague
    chat.append(Message("assistant", prompts.answer(f"about {answer}" if vague else answer)))
    return chat


def _calls(data: Mapping[str, Any]) -> list[str]:
    calls = [prompts.call("lookup", table=table, key=key) for table, key in data["needed"]]
    if data["expression"]:
        calls.append(prompts.call("calculator", expression=data["expression"]))
    return calls


def _say(chat: list[Message], call: str, tables: Mapping[str, Mapping[str, str]]) -> str:
    """Make a call; both sides go into the chat."""
    result = TOOLBOX.run(call.removeprefix("<tool>").removesuffix("</tool>"), tables)
    text = result.text if result.kind == "ok" else prompts.error(result.text)
    chat += [Message("assistant", call), Message("user", text)]
    return text
