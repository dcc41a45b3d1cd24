"""Lets a network write kernels for exercises, to see during pretraining what it can do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedTokenizerFast

from rftgym_tiny.build.generate import Cache, draw
from rftgym_tiny.build.kernels.corpus import Encoder
from rftgym_tiny.build.network import Network
from rftgym_triton_kernels.demonstrations import Exercise
from rftgym_triton_kernels.pieces import right

ANSWER_TOKENS = 256
"""Longest answer; those of the bundled problems take up to 115."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a batch of answers showed.

    Attributes:
        answers: how many.
        exact: share of answers that are, to the letter, what the writer writes without a mistake.
        ended: share of answers that came to their end.
    """

    answers: int
    exact: float
    ended: float


def write_answers(
    network: Network,
    tokenizer: PreTrainedTokenizerFast,
    exercises: Sequence[Exercise],
    *,
    temperature: float,
    seed: int,
    version: tuple[int, int] = (3, 7),
) -> list[str]:
    """One answer for each exercise, written side by side.

    Args:
        network: writes.
        tokenizer: of `tiny-kernels`.
        exercises: what the answers are for.
        temperature: of sampling; 0 for the likeliest token.
        seed: of the sampling.
        version: of Triton, as the prompt names it.
    """
    encoder, generator = Encoder(tokenizer), torch.Generator().manual_seed(seed)
    (end,) = encoder.end
    prompts = [encoder.prompt(each.problem, version, example=False) for each in exercises]
    counts = torch.tensor([len(prompt) for prompt in prompts])
    width = int(counts.max())
    cache = Cache(network, len(prompts), width + ANSWER_TOKENS)
    logits = cache.advance(torch.tensor([prompt + [0] * (width - len(prompt)) for prompt in prompts]), counts)
    answers: list[list[int]] = [[] for _ in prompts]
    running = torch.ones(len(prompts), dtype=torch.bool)
    for _ in range(ANSWER_TOKENS):
        token = draw(logits, temperature, generator)
        for row in running.nonzero().flatten().tolist():
            answers[row].append(int(token[row]))
        running &= token != end
        if not running.any():
            break
        logits = cache.advance(token[:, None], running.to(torch.int64))
    return [tokenizer.decode(answer) for answer in answers]


def report(exercises: Sequence[Exercise], answers: Sequence[str], end: str) -> Report:
    """Sum up answers to exercises."""
    exact = [right(each.pieces) + end == answer for each, answer in zip(exercises, answers, strict=True)]
    ended = [answer.endswith(end) for answer in answers]
    return Report(len(answers), sum(exact) / len(exact), sum(ended) / len(ended))
