"""Pretraining samples: demonstrations as tokens, of which the player's own are learnt."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerFast

from rftgym.types import Message
from rftgym_tiny.build.tokens import ASSISTANT, END, PAD

Demonstrations = Callable[[int, int], Iterable[Sequence[Message]]]
"""`n` and a seed to conversations; number i is a function of the seed and i."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One conversation.

    Attributes:
        tokens: ids.
        at: index of every token after which the player's own next one is to be predicted.
    """

    tokens: Sequence[int]
    at: Sequence[int]


class Encoder:
    """Turns conversations into samples, as the chat template renders them."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, context: int) -> None:
        self._core, self.context = tokenizer.backend_tokenizer, context
        self.ids = lru_cache(maxsize=50_000)(self._ids)
        (self.pad,) = self.ids(PAD)
        self._end, self._assistant, self._line = self.ids(END), self.ids(ASSISTANT), self.ids("\n")

    def _ids(self, text: str) -> tuple[int, ...]:
        return tuple(self._core.encode(text, add_special_tokens=False).ids)

    def sample(self, chat: Sequence[Message]) -> Sample:
        """A conversation's tokens up to the end of its last completion; cut where the context ends."""
        tokens, at, last = list[int](), list[int](), 0
        for message in chat:
            if message.role != "assistant":
                tokens += self.ids(f"<|im_start|>{message.role}\n{message.content}{END}\n")
                continue
            tokens += self._assistant
            own = (*self.ids(message.content), *self._end)
            at += range(len(tokens) - 1, len(tokens) - 1 + len(own))
            tokens += own
            last = len(tokens)
            tokens += self._line
        kept = min(last, self.context)
        return Sample(tokens[:kept], [place for place in at if place + 1 < kept])


@dataclass(frozen=True, slots=True)
class Part:
    """Conversations of one environment, padded to the longest; `at` are indices into the flattened (B, T)."""

    tokens_BT: NDArray[np.int64]
    at: NDArray[np.int64]
    following: NDArray[np.int64]


def collate(samples: Sequence[Sample], pad: int) -> Part:
    """Pad samples on the right, to a multiple of 8 tokens."""
    longest = -(-max(len(sample.tokens) for sample in samples) // 8) * 8
    tokens = np.full((len(samples), longest), pad, dtype=np.int64)
    for row, sample in enumerate(samples):
        tokens[row, : len(sample.tokens)] = sample.tokens
    at = np.array(
        [row * longest + place for row, sample in enumerate(samples) for place in sample.at], dtype=np.int64
    )
    return Part(tokens, at, tokens.reshape(-1)[at + 1])


def parts(encoder: Encoder, demonstrations: Demonstrations, *, size: int, count: int, key: str) -> list[Part]:
    """`count` parts of `size` conversations of like length each, in an order of chance.

    Args:
        encoder: makes the samples.
        demonstrations: where conversations come from.
        size: conversations a part.
        count: parts.
        key: what the conversations and the order depend on.
    """
    chance = random.Random(key)
    samples = [encoder.sample(chat) for chat in demonstrations(size * count, chance.getrandbits(62))]
    samples.sort(key=lambda sample: len(sample.tokens))
    found = [collate(samples[first : first + size], encoder.pad) for first in range(0, len(samples), size)]
    chance.shuffle(found)
    return found
