"""What the pretraining of `tiny` minimises: distances from exact letter shares, and from fixed tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
import torch.nn.functional as F

from rftgym_tiny.build.network import Network
from rftgym_tiny.build.tokens import PAD
from rftgym_tiny.build.train import CHUNKS, Losses
from rftgym_tiny.build.wordle.corpus import Batch, Encoder, Recipe, batches

GAMES: Final = 32
"""Games in a batch."""


class Games:
    """Games as token trees, with letter shares as targets."""

    def __init__(self, encoder: Encoder, *, size: int = GAMES) -> None:
        self.encoder, self.size = encoder, size
        self.pad = encoder.token(PAD)

    def chunk(self, recipe: Recipe, *, seed: int, stage: int, chunk: int) -> Sequence[Batch]:
        """`CHUNKS` batches of games of like length."""
        return batches(
            self.encoder,
            recipe,
            seed=seed,
            stage=stage,
            chunk=chunk,
            chunks=CHUNKS,
            size=self.size,
            pad=self.pad,
        )

    def losses(self, network: Network, batch: Batch) -> Losses:
        """Cross-entropy against letter shares (also: above the shares' own entropy) and against fixed successors."""
        hidden = network(
            torch.from_numpy(batch.tokens_BT),
            torch.from_numpy(batch.positions_BT),
            torch.from_numpy(batch.mask_BTT),
        ).flatten(0, 1)
        table = network.model.embed_tokens.weight
        shares = torch.from_numpy(batch.letter_shares)
        weight = torch.from_numpy(batch.letter_weight)
        log_letters = F.log_softmax(hidden[torch.from_numpy(batch.letter_at)].float() @ table.T, dim=-1)
        log_letters = log_letters[:, ord("a") : ord("z") + 1]
        letters = (-(shares * log_letters).sum(-1) * weight).sum() / weight.sum()
        entropy = (torch.special.entr(shares).sum(-1) * weight).sum() / weight.sum()
        fixed_logits = hidden[torch.from_numpy(batch.fixed_at)].float() @ table.T
        fixed = F.cross_entropy(fixed_logits, torch.from_numpy(batch.fixed_next))
        shown = {"letters": letters, "excess": letters.detach() - entropy, "fixed": fixed}
        return Losses(letters + 0.1 * fixed, shown)
