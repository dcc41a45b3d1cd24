"""What the pretraining of `tiny-kernels` minimises: distances from the shares of each next token of an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F

from rftgym_tiny.build.kernels.corpus import Batch, Encoder, batches
from rftgym_tiny.build.network import Network
from rftgym_tiny.build.tokens import PAD
from rftgym_tiny.build.train import CHUNKS, Losses
from rftgym_triton_kernels.demonstrations import HABITS

SAMPLES: Final = 48
"""Conversations in a batch."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How careless the writer is whose shares are the targets.

    Attributes:
        slips: multiplies the shares of mistakes in the demonstrations; 0 is a writer who makes none.
        instead: shares of some kinds that hold whatever `slips` is.
    """

    slips: float
    instead: Mapping[str, float] = field(default_factory=dict)

    @property
    def habits(self) -> Mapping[str, float]:
        """Shares of mistakes by kind."""
        return {kind: share * self.slips for kind, share in HABITS.items()} | dict(self.instead)


class Answers:
    """Answers to procedural functions and to the problems of the train split."""

    def __init__(self, encoder: Encoder, *, size: int = SAMPLES) -> None:
        self.encoder, self.size = encoder, size
        (self.pad,) = encoder.ids(PAD)

    def chunk(self, recipe: Recipe, *, seed: int, stage: int, chunk: int) -> Sequence[Batch]:
        """`CHUNKS` batches of answers of like length."""
        return batches(
            self.encoder,
            recipe.habits,
            seed=seed,
            stage=stage,
            chunk=chunk,
            chunks=CHUNKS,
            size=self.size,
            pad=self.pad,
        )

    def losses(self, network: Network, batch: Batch) -> Losses:
        """Cross-entropy against the shares, a mean over the answers' tokens, and what of it exceeds their entropy."""
        length = batch.tokens_BT.shape[1]
        causal = torch.ones(1, length, length, dtype=torch.bool).tril()
        hidden = network(torch.from_numpy(batch.tokens_BT), torch.arange(length)[None], causal).flatten(0, 1)
        places, row = np.unique(batch.at, return_inverse=True)
        table = network.model.embed_tokens.weight.to(hidden.dtype)
        log_shares = F.log_softmax((hidden[torch.from_numpy(places)] @ table.T).float(), dim=-1)
        share = torch.from_numpy(batch.share)
        chosen = log_shares[torch.from_numpy(row), torch.from_numpy(batch.following)]
        total = -(chosen * share).sum() / len(places)
        entropy = torch.special.entr(share).sum() / len(places)
        return Losses(total, {"loss": total, "excess": total.detach() - entropy})
