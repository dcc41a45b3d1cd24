"""Generates tokens with a network during its training, many rows side by side."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from rftgym_tiny.build.network import Network, rotary_tables, rotate


class Cache:
    """Keys and values of a batch of rows of unequal length; float32, 2 * layers * rows * tokens * width * 4 bytes."""

    def __init__(self, network: Network, rows: int, tokens: int) -> None:
        shape = network.shape
        self.network = network
        self.lengths_B = torch.zeros(rows, dtype=torch.int64)
        size = (shape.layers, 2, rows, shape.heads, tokens, shape.head_width)
        self.pairs = torch.zeros(size)

    @torch.no_grad()
    def advance(self, tokens_BN: Tensor, counts_B: Tensor) -> Tensor:
        """Append the first `counts_B` tokens of each row; return float32 logits (B, V) after each row's last."""
        shape, trunk = self.network.shape, self.network.model
        rows, size = tokens_BN.shape
        positions = self.lengths_B[:, None] + torch.arange(size)
        cos, sin = rotary_tables(positions, shape)
        reach = int(positions.max()) + 1
        bias = torch.where(torch.arange(reach) <= positions[:, :, None], 0.0, float("-inf"))[:, None]
        row = torch.arange(rows)[:, None]
        hidden = F.embedding(tokens_BN, trunk.embed_tokens.weight)
        for layer, pair in zip(trunk.stack(), self.pairs, strict=True):
            attention = layer.self_attn
            normed = layer.input_layernorm(hidden)
            heads = [
                projection(normed).view(rows, size, shape.heads, shape.head_width).transpose(1, 2)
                for projection in (attention.q_proj, attention.k_proj, attention.v_proj)
            ]
            query, key = rotate(heads[0], cos, sin), rotate(heads[1], cos, sin)
            pair[0][row, :, positions] = key.transpose(1, 2)
            pair[1][row, :, positions] = heads[2].transpose(1, 2)
            mixed = F.scaled_dot_product_attention(query, pair[0, :, :, :reach], pair[1, :, :, :reach], bias)
            hidden = hidden + attention.o_proj(mixed.transpose(1, 2).flatten(2))
            hidden = hidden + layer.mlp(layer.post_attention_layernorm(hidden))
        self.lengths_B += counts_B
        last = hidden[torch.arange(rows), (counts_B - 1).clamp(min=0)]
        logits: Tensor = trunk.norm(last) @ trunk.embed_tokens.weight.T
        return logits


def draw(logits_BV: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
    """One token a row; the likeliest where temperature is 0."""
    if temperature == 0:
        return logits_BV.argmax(-1)
    chances = torch.softmax(logits_BV.double() / temperature, dim=-1).cumsum(-1)
    uniform = torch.rand(len(chances), 1, generator=generator, dtype=torch.float64) * chances[:, -1:]
    return torch.searchsorted(chances, uniform, right=True).squeeze(-1).clamp(max=chances.shape[1] - 1)
