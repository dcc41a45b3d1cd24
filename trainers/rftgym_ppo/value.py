"""The value head: what reward is still to be expected, read off the policy's own hidden states and the turn."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ValueHead(nn.Module):
    """A linear map, or a network of one hidden layer, from a hidden state to a number, and an offset for every turn.

    States are brought to mean 0 and deviation 1 first, without weights: so one learning rate suits every model. The
    turn is an input of its own, since what can still be earned depends on the turns that are left, and a language
    model has little reason to keep them in its last hidden state (Pardo et al., "Time Limits in Reinforcement
    Learning", arXiv:1712.00378). It enters as a one-hot vector as long as a state is: the root of its width.

    Every output is 0 until the head is trained.

    Args:
        width: of the states.
        turns: that an episode has at most; later ones share the last one's offset.
        inner: of the hidden layer; 0 = none.
        seed: of the hidden layer's initial weights; torch's global generators stay as they were.
    """

    def __init__(self, width: int, *, turns: int = 1, inner: int = 0, seed: int = 0) -> None:
        super().__init__()
        self.inner: nn.Parameter | None = None
        self.inner_bias: nn.Parameter | None = None
        if inner:
            generator = torch.Generator().manual_seed(seed)
            self.inner = nn.Parameter(torch.randn(inner, width, generator=generator) / math.sqrt(width))
            self.inner_bias = nn.Parameter(torch.zeros(inner))
        self.weight = nn.Parameter(torch.zeros(1, inner or width))
        self.by_turn = nn.Parameter(torch.zeros(turns))

    def forward(self, states: Tensor, turns: Tensor) -> Tensor:
        """Values before tokens.

        Args:
            states: (..., width), any float type; what the output layer saw when it predicted the token.
            turns: int64 (...); the token's turn, from 0; those below 0 count as 0.
        Returns:
            float32 (...).
        """
        width = states.shape[-1]
        states = F.layer_norm(states.float(), (width,))
        if self.inner is not None:
            states = F.linear(states, self.inner, self.inner_bias).tanh()
        offsets = self.by_turn[turns.clamp(0, len(self.by_turn) - 1)] * math.sqrt(width)
        return F.linear(states, self.weight).squeeze(-1) + offsets
