"""What the pretraining of `tiny-mixed` minimises: how surprising the player's own tokens are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from rftgym_tiny.build.mixed.corpus import Demonstrations, Encoder, Part, parts
from rftgym_tiny.build.network import Network
from rftgym_tiny.build.train import CHUNKS, Losses


@dataclass(frozen=True, slots=True)
class Share:
    """What of a batch one player's demonstrations are.

    Attributes:
        name: for the log.
        demonstrations: of the player.
        size: conversations a batch.
        weight: of their mean loss in what is minimised.
    """

    name: str
    demonstrations: Demonstrations
    size: int
    weight: float = 1.0


Recipe = tuple[Share, ...]
Batch = tuple[tuple[Share, Part], ...]


class Conversations:
    """Batches that hold some conversations of every share."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder

    def chunk(self, recipe: Recipe, *, seed: int, stage: int, chunk: int) -> Sequence[Batch]:
        """`CHUNKS` batches; within a batch, each share's conversations are of like length."""
        columns = [
            parts(
                self.encoder,
                share.demonstrations,
                size=share.size,
                count=CHUNKS,
                key=f"rftgym-tiny:mixed:{seed}:{stage}:{chunk}:{share.name}",
            )
            for share in recipe
        ]
        return [tuple(zip(recipe, row, strict=True)) for row in zip(*columns, strict=True)]

    def losses(self, network: Network, batch: Batch) -> Losses:
        """Cross-entropy of the player's tokens: a mean within each share, and the shares' weighted mean."""
        shown = {share.name: surprise(network, part) for share, part in batch}
        total = sum((share.weight * shown[share.name] for share, _ in batch), torch.zeros(()))
        return Losses(total / sum(share.weight for share, _ in batch), shown)


def surprise(network: Network, part: Part) -> Tensor:
    """Mean cross-entropy of a part's own tokens, in nats; a scalar."""
    length = part.tokens_BT.shape[1]
    causal = torch.ones(1, length, length, dtype=torch.bool).tril()
    hidden = network(torch.from_numpy(part.tokens_BT), torch.arange(length)[None], causal).flatten(0, 1)
    table = network.model.embed_tokens.weight.to(hidden.dtype)
    logits = (hidden[torch.from_numpy(part.at)] @ table.T).float()
    return F.cross_entropy(logits, torch.from_numpy(part.following))
