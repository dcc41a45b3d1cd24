"""Conversations as rows of tokens, exactly as the model meets them in an episode.

Everything that was said to the model is tokenised as a rollout does it, turn by turn, and has no part in the loss; the
assistant's words and the token that ends each of its turns have.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from rftgym.data import Example
from rftgym.errors import UsageError
from rftgym.types import Message

if TYPE_CHECKING:
    from rftgym_sft.trainer import SFTSettings

IGNORED = -100
"""The label of a token that has no part in the loss."""


@dataclass(frozen=True, slots=True)
class Row:
    """An example in tokens.

    Attributes:
        ids: its tokens.
        labels: the same where the assistant speaks, :data:`IGNORED` elsewhere; same length.
        cut: it was longer.
    """

    ids: tuple[int, ...]
    labels: tuple[int, ...]
    cut: bool = False

    @property
    def learnt(self) -> int:
        """Tokens with a part in the loss."""
        return sum(label != IGNORED for label in self.labels)


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a run learns from.

    Attributes:
        rows: to train on; ``validation``: to measure the loss on.
        order: indices of ``rows``, ``steps`` x ``batch`` of them: what each optimizer step sees.
        steps: optimizer steps of the whole run.
        truncated: share of all examples that were cut, those left out because nothing was left to learn included.
    """

    rows: tuple[Row, ...]
    validation: tuple[Row, ...]
    order: tuple[int, ...]
    steps: int
    truncated: float

    @property
    def longest(self) -> int:
        """Tokens of the longest row."""
        return max(len(row.ids) for row in (*self.rows, *self.validation))

    def remarks(self) -> list[str]:
        """What a person should know before the first step."""
        if not self.truncated:
            return []
        limit = f"{self.longest:,} tokens (trainer.max_length, or the model's context)"
        return [f"{self.truncated:.1%} of the examples are cut at {limit}: what comes after is not learnt"]

    def facts(self) -> dict[str, float]:
        """In numbers, for the run's records."""
        return {
            "examples": len(self.rows),
            "validation": len(self.validation),
            "truncated": self.truncated,
            "longest_tokens": self.longest,
            "learnt_tokens": sum(row.learnt for row in self.rows),
            "steps": self.steps,
        }


def lesson(examples: Sequence[Example], policy: Any, settings: SFTSettings, seed: int) -> Lesson:
    """Tokenise the examples, hold some back, and lay out the whole run.

    Raises:
        UsageError: an example cannot be tokenised, or nothing is left to learn.
    """
    made = [_row(example, policy, settings.max_length) for example in examples]
    if not any(row.learnt for row in made):
        raise UsageError(
            f"trainer.max_length={settings.max_length}: no example has a word of the assistant within so many tokens"
        )
    held_back = _held_back(examples, settings.validation_share, seed)
    kept = [(example, row) for example, row in zip(examples, made, strict=True) if row.learnt]
    rows = tuple(row for example, row in kept if example.messages not in held_back)
    validation = tuple(row for example, row in kept if example.messages in held_back)
    if not rows or (settings.patience and not validation):
        raise UsageError(
            f"{len(kept)} examples are too few to hold {settings.validation_share:.0%} of them back: give more, or "
            "set trainer.validation_share=0 and trainer.patience=0"
        )
    steps = settings.steps or math.ceil(settings.epochs * len(rows) / settings.batch)
    order = _order(len(rows), steps * settings.batch, seed)
    return Lesson(rows, validation, order, steps, sum(row.cut for row in made) / len(made))


def conversation_row(messages: Sequence[Message], policy: Any) -> Row:
    """A conversation, ending with an answer, in the tokens that an episode of the same words would have.

    Args:
        messages: of the system, the user and the assistant.
        policy: with ``chat`` (its conversation format), ``decoder`` and ``tokenizer``.

    Raises:
        UsageError: the chat template has no place for these roles, or a message holds a control token.
    """
    chat, end = policy.chat, end_of_turn(policy)
    ids: list[int] = []
    labels: list[int] = []
    said: list[Message] = []
    for message in messages:
        if message.role != "assistant":
            said.append(message)
            continue
        prompt = chat.continuation(said, ended_by=end) if ids else chat.opening(said)
        completion = (*chat.completion(message.content), end)
        ids += (*prompt, *completion)
        labels += (*[IGNORED] * len(prompt), *completion)
        said = []
    return Row(tuple(ids), tuple(labels))


def plain_row(text: str, policy: Any) -> Row:
    """A text without turns: all of it is learnt, but for its first token, before which there is nothing."""
    ids = (*policy.chat.completion(text), end_of_turn(policy))
    return Row(ids, (IGNORED, *ids[1:]))


def end_of_turn(policy: Any) -> int:
    """The token that ends a completion: the one that the template writes, if the sampler knows it; else the model's."""
    written: int = policy.chat.continuation((Message("user", "-"),), ended_by=None)[0]
    return written if written in policy.decoder.eos_token_ids else int(policy.tokenizer.eos_token_id)


def _row(example: Example, policy: Any, max_length: int | None) -> Row:
    try:
        if example.plain:
            row = plain_row(example.messages[-1].content, policy)
        else:
            row = conversation_row(example.messages, policy)
    except UsageError as error:
        raise UsageError(f"{example.source}, line {example.line}: {error}") from error
    context = getattr(policy.model.config.get_text_config(), "max_position_embeddings", None)
    most = min(limit for limit in (max_length, context, len(row.ids)) if limit is not None)
    return Row(row.ids[:most], row.labels[:most], cut=most < len(row.ids))


def _held_back(examples: Sequence[Example], share: float, seed: int) -> set[tuple[Message, ...]]:
    """The conversations to measure the loss on; one that is there several times, for its weight, counts once."""
    different = list(dict.fromkeys(example.messages for example in examples))
    return set(Random(f"{seed}:validation").sample(different, int(share * len(different))))


def _order(rows: int, n: int, seed: int) -> tuple[int, ...]:
    """Indices of ``rows``, ``n`` of them: epoch after epoch, each shuffled by the seed and its number."""
    order: list[int] = []
    epoch = 0
    while len(order) < n:
        indices = list(range(rows))
        Random(f"{seed}:epoch:{epoch}").shuffle(indices)
        order += indices
        epoch += 1
    return tuple(order[:n])
