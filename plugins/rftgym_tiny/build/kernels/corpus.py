"""Pretraining samples: a problem's prompt, an answer, and what else might have stood at each place of it.

Wherever a mistake is usual, the target is the exact share of each next token under the habits, given the tokens so
far, rather than the token that happened to be drawn. Sample i of a stage depends on (seed, stage, i) alone.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerFast

from rftgym_tiny.build.kernels.phrases import VERSIONS
from rftgym_tiny.build.tokens import ASSISTANT, END
from rftgym_triton_kernels import prompts
from rftgym_triton_kernels.demonstrations import Exercise, exercise
from rftgym_triton_kernels.pieces import choices, draw


@dataclass(slots=True)
class Sample:
    """One conversation.

    Attributes:
        tokens: ids.
        at: index of each token that predicts something; it comes once for every token that may follow.
        following: the token that may follow.
        share: the share with which it does.
    """

    tokens: list[int]
    at: list[int]
    following: list[int]
    share: list[float]


class Encoder:
    """Turns exercises into samples."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast) -> None:
        self._core = tokenizer.backend_tokenizer
        self.ids = lru_cache(maxsize=100_000)(self._ids)
        self.end = self.ids(END)

    def _ids(self, text: str) -> tuple[int, ...]:
        return tuple(self._core.encode(text, add_special_tokens=False).ids)

    def prompt(self, problem: Mapping[str, str], version: tuple[int, int], example: bool) -> list[int]:
        """A problem's tokens, up to the assistant's turn."""
        system = self.ids(f"<|im_start|>system\n{prompts.system(version, example=example)}{END}\n")
        user = self._ids(f"<|im_start|>user\n{prompts.problem(problem)}{END}\n{ASSISTANT}")
        return [*system, *user]

    def sample(self, given: Exercise, habits: Mapping[str, float], chance: random.Random) -> Sample:
        """An exercise with an answer as the habits have it, and the shares of what else it might be."""
        version = chance.choice(VERSIONS)
        sample = Sample(self.prompt(given.problem, version, chance.random() < 0.05), [], [], [])
        picked = draw(given.pieces, habits, chance)
        options = [choices(piece, habits) if piece.slips else [(piece.text, 1.0)] for piece in given.pieces]
        for option, pick in zip(options, picked, strict=True):
            said = self.ids(option[pick][0])
            if len(option) > 1:
                self._branch(sample, [(self.ids(text), share) for text, share in option], said)
            else:
                self._follow(sample, said)
            sample.tokens += said
        self._follow(sample, self.end)
        sample.tokens += self.end
        return sample

    def _follow(self, sample: Sample, tokens: Sequence[int]) -> None:
        """Targets of tokens that are certain."""
        first = len(sample.tokens) - 1
        sample.at += range(first, first + len(tokens))
        sample.following += tokens
        sample.share += [1.0] * len(tokens)

    def _branch(
        self, sample: Sample, options: list[tuple[tuple[int, ...], float]], said: tuple[int, ...]
    ) -> None:
        """Targets of the tokens of a piece where alternatives stand: none of them begins like a whole other one."""
        first, alive = len(sample.tokens) - 1, options
        for place, token in enumerate(said):
            shares: dict[int, float] = {}
            for tokens, share in alive:
                shares[tokens[place]] = shares.get(tokens[place], 0.0) + share
            whole = sum(shares.values())
            for each, share in shares.items():
                sample.at.append(first + place)
                sample.following.append(each)
                sample.share.append(share / whole)
            alive = [(tokens, share) for tokens, share in alive if tokens[place] == token]


@dataclass(frozen=True, slots=True)
class Batch:
    """Padded samples; `at` are indices into the flattened (batch, tokens)."""

    tokens_BT: NDArray[np.int64]
    at: NDArray[np.int64]
    following: NDArray[np.int64]
    share: NDArray[np.float32]


def collate(samples: Sequence[Sample], pad: int) -> Batch:
    """Pad samples on the right to the longest."""
    longest = -(-max(len(sample.tokens) for sample in samples) // 8) * 8
    tokens = np.full((len(samples), longest), pad, dtype=np.int64)
    at, following, share = list[int](), list[int](), list[float]()
    for row, sample in enumerate(samples):
        tokens[row, : len(sample.tokens)] = sample.tokens
        at += [row * longest + place for place in sample.at]
        following += sample.following
        share += sample.share
    return Batch(
        tokens,
        np.array(at, dtype=np.int64),
        np.array(following, dtype=np.int64),
        np.array(share, dtype=np.float32),
    )


def sample_at(encoder: Encoder, habits: Mapping[str, float], seed: int, stage: int, index: int) -> Sample:
    """Sample `index` of a stage: a function of its arguments alone."""
    chance = random.Random(f"rftgym-tiny:kernels:{seed}:{stage}:{index}")
    return encoder.sample(exercise("train", f"{seed}:{stage}", index), habits, chance)


def batches(
    encoder: Encoder,
    habits: Mapping[str, float],
    *,
    seed: int,
    stage: int,
    chunk: int,
    chunks: int,
    size: int,
    pad: int,
) -> list[Batch]:
    """A chunk of `chunks` batches of `size` samples, each of samples of like length, in an order of chance."""
    first = chunk * chunks * size
    samples = [sample_at(encoder, habits, seed, stage, first + each) for each in range(chunks * size)]
    samples.sort(key=lambda sample: len(sample.tokens))
    found = [collate(samples[start : start + size], pad) for start in range(0, len(samples), size)]
    random.Random(f"rftgym-tiny:kernels:{seed}:{stage}:{chunk}").shuffle(found)
    return found
