"""Where the conversations come from: files, and what an environment can show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rftgym.data import Example, load
from rftgym.env import TextEnv
from rftgym.errors import UsageError
from rftgym.types import Message

if TYPE_CHECKING:
    from rftgym_sft.trainer import SFTSettings

EXAMPLES_OF_ENDLESS_SPLIT = 256


@dataclass(frozen=True, slots=True)
class Found:
    """What there is to learn from.

    Attributes:
        examples: each ends with a message of the assistant.
        report: what was read, left out and refused, one line each, for people.
    """

    examples: list[Example]
    report: list[str]


def examples_of(settings: SFTSettings, env: TextEnv[Any], seed: int) -> Found:
    """All examples that the settings ask for.

    Raises:
        UsageError: a file cannot be used; an example has no message of the assistant; there is nothing to learn from.
    """
    examples: list[Example] = []
    report: list[str] = []
    if settings.data:
        read = load(settings.data, seed=seed, max_bad_share=settings.max_bad_share)
        examples, report = [*read.examples], [*read.report]
    if settings.examples is not None or not settings.data:
        shown = _shown(env, settings, seed)
        examples += shown
        report.append(f"{len(shown)} {settings.source} of environment {env.id!r}")
    return Found([_ending_with_assistant(example) for example in examples], report)


def _shown(env: TextEnv[Any], settings: SFTSettings, seed: int) -> list[Example]:
    size = env.tasks.size("train")
    n = settings.examples or size or EXAMPLES_OF_ENDLESS_SPLIT
    conversations: Iterable[list[Message]] = ()
    if settings.source == "demonstrations":
        conversations = env.demonstrations("train", n, seed)
    elif size is None or n <= size:
        conversations = env.solved(n, seed)
    else:
        raise UsageError(f"trainer.examples={n}: split 'train' of {env.id!r} has {size} tasks to solve")
    shown = [
        Example(tuple(messages), source=f"{env.id} ({settings.source})", line=number)
        for number, messages in enumerate(conversations, 1)
    ]
    if not shown:
        raise UsageError(
            f"environment {env.id!r} has no {settings.source} to learn from; give conversations of your own with "
            "--data FILE (`rftgym data inspect FILE` says what is in it)"
        )
    if settings.examples is not None and len(shown) < settings.examples:
        raise UsageError(
            f"trainer.examples={settings.examples}: environment {env.id!r} has only {len(shown)} {settings.source}"
        )
    return shown


def _ending_with_assistant(example: Example) -> Example:
    """Without the words after its last answer, from which there is nothing to learn."""
    last = max((i for i, message in enumerate(example.messages) if message.role == "assistant"), default=None)
    if last is None:
        raise UsageError(f"{example.source}, line {example.line}: no message of the assistant to learn from")
    if last + 1 == len(example.messages):
        return example
    return Example(
        example.messages[: last + 1], example.extra, example.source, example.line, plain=example.plain
    )
