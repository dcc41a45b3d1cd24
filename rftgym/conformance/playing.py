"""Playing episodes for an examination: what is said to an environment, and what it made of it."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from rftgym.env import TextEnv
from rftgym.errors import ContractError
from rftgym.tasks import SPLITS, Taskset
from rftgym.types import Message, Task, Trajectory, Turn

Env = TextEnv[Any]
SEEDS = (0, 1, 12345)
TASKS_LOOKED_AT = 400
"""Of each split; a smaller finite one is looked at entirely."""
GARBAGE = (
    "",
    " \n\t ",
    "\x00\x01\x02\x7f\x1b[31m",
    "\ud800 half a character",
    "𝔠𝔯𝔞𝔫𝔢 \u202e olleh 🦄\u0301",
    "<answer>",
    "</answer><answer>",
    "<answer>" * 50 + "x" + "</answer>" * 50,
    "{" * 500,
    "-1e999 NaN 1/0 ٣",
    "'; DROP TABLE tasks; --\\",
    "%s %n {0} {env} $HOME `id`",
)
LOOKED_BACK = 60


def transcript(env: Env, seed: int, completions: Sequence[str]) -> list[str]:
    """One episode through Gymnasium's door, as lines: what was observed, paid and said about each turn.

    The completions are given in an order that the seed decides, again and again, until the episode is over.

    Raises:
        ContractError: it does not end.
    """
    observation, info = env.reset(seed=seed)
    lines = [f"{info['task']}: {observation!r}"]
    draw = random.Random(seed)
    over = False
    while not over:
        if len(lines) > env.max_turns:
            raise ContractError(f"an episode goes on after its {env.max_turns} turns")
        observation, reward, terminated, truncated, info = env.step(draw.choice(completions))
        told = {name: value for name, value in info.items() if name not in ("score", "failures")}
        lines.append(f"{observation!r} {reward!r} {terminated} {truncated} {told!r}")
        over = terminated or truncated
    return lines


def digest(lines: Iterable[str]) -> str:
    """A short name of a transcript, to be compared between processes."""
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def task_digest(tasks: Taskset, n: int = TASKS_LOOKED_AT) -> str:
    """A digest of the ids in each split (the first ``n`` of an endless one), for a test that they never change."""
    ids = [[split, *(task.id for task in items(tasks, split, n))] for split in SPLITS]
    return hashlib.sha256(json.dumps(ids).encode()).hexdigest()[:16]


def items(tasks: Taskset, split: str, endless: int, seed: int = 0) -> list[Task]:
    """All tasks of a split; the first ``endless`` of one without end."""
    size = tasks.size(split)
    return [tasks.item(split, index, seed) for index in range(endless if size is None else size)]


def play(env: Env, task: Task, seed: int, completions: Sequence[str]) -> Trajectory:
    """One scored episode through the engine's door; the last completion is given again until it is over."""
    trajectory = unscored(env, task, seed, completions)
    env.rubric.score(trajectory)
    return trajectory


def unscored(env: Env, task: Task, seed: int, completions: Sequence[str]) -> Trajectory:
    """As :func:`play`, before it is judged."""
    env.start(task, seed)
    trajectory = env.trajectory
    for turn in range(env.max_turns + 1):
        if trajectory.terminated or trajectory.truncated:
            break
        env.advance(Turn((), completions[min(turn, len(completions) - 1)]))
    return trajectory


def opening(env: Env, task: Task, seed: int) -> str:
    """What an episode begins with, for the policy to answer."""
    return env.start(task, seed)[-1].content


def said(conversation: Iterable[Message]) -> list[str]:
    """What the assistant says in a conversation."""
    return [message.content for message in conversation if message.role == "assistant"]


def shown(env: Env, n: int) -> Iterator[str]:
    """Completions of the environment's own imperfect player."""
    talks = env.demonstrations("train", 2, 0)
    return islice((text for talk in talks for text in said(talk)), n)


def first_difference(one: Sequence[str], other: Sequence[str]) -> str | None:
    """Where two transcripts part; None where they don't."""
    for number, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return f"line {number}: {_part(a, b)} and {_part(b, a)}"
    return None if len(one) == len(other) else f"{len(one)} and {len(other)} lines"


def _part(text: str, other: str) -> str:
    """A line from shortly before it differs from another."""
    at = next(
        (i for i, (a, b) in enumerate(zip(text, other, strict=False)) if a != b), min(len(text), len(other))
    )
    start = max(0, at - LOOKED_BACK)
    return f"{'…' if start else ''}{text[start : at + LOOKED_BACK]}"


def quoted(text: str, longest: int = 48) -> str:
    """A completion, fit for one line: cut, and with nothing in it that a terminal would obey."""
    cut = text if len(text) <= longest else f"{text[:longest]}…"
    return ascii(cut) if has_half_characters(cut) else repr(cut)


def has_half_characters(text: object) -> bool:
    """Whether it is a text with lone surrogates, which no tokenizer takes."""
    try:
        return isinstance(text, str) and text.encode() is None
    except UnicodeEncodeError:
        return True


def place(task: Task | str, seed: int, completion: str | None = None) -> str:
    """Where something happened, so that it can be done again."""
    id = task if isinstance(task, str) else task.id
    answer = "" if completion is None else f", completion {quoted(completion)}"
    return f"task {id!r}, seed {seed}{answer}"
