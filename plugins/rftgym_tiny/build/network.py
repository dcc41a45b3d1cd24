"""The training-time network: a Llama with tree-shaped attention, in plain torch.

Parameter names equal those of `transformers.LlamaForCausalLM`, so a state dict of this module loads there unchanged.
It exists because training wants two things that the library's forward does not give cheaply: an arbitrary
attention mask with arbitrary positions (many guesses hang off one shared prefix), and bfloat16 matrix products over
float32 master weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a network; lengths in entries, `context` in tokens."""

    vocabulary: int
    width: int = 256
    layers: int = 5
    heads: int = 4
    feed_forward: int = 640
    context: int = 1024
    rope_theta: float = 10_000.0
    norm_eps: float = 1e-5

    @property
    def head_width(self) -> int:
        """Entries of one attention head."""
        return self.width // self.heads


def rotary_tables(positions_BT: Tensor, shape: Shape) -> tuple[Tensor, Tensor]:
    """Cosines and sines of the rotary embedding, half-split layout.

    Args:
        positions_BT: int64 (batch, tokens), token positions.
        shape: sizes of the network.
    Returns:
        Two float32 tensors (batch, 1, tokens, head_width).
    Source: RoFormer, arXiv:2104.09864, in the half-split order that transformers uses for Llama.
    """
    half = shape.head_width // 2
    frequencies = shape.rope_theta ** (-torch.arange(half, dtype=torch.float32) / half)
    angles = positions_BT[:, None, :, None].float() * frequencies
    angles = torch.cat([angles, angles], dim=-1)
    return angles.cos(), angles.sin()


def rotate(x_BHTD: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Apply the rotary embedding to queries or keys (batch, heads, tokens, head_width)."""
    left, right = x_BHTD.chunk(2, dim=-1)
    return x_BHTD * cos + torch.cat([-right, left], dim=-1) * sin


def attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
    """Softmax attention written out: compiled, a third of the time of the library's kernel on a CPU.

    Args:
        query, key, value: (batch, heads, tokens, head_width).
        bias: (batch, 1, tokens, tokens), 0 or minus infinity.
    """
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2) + bias
    return torch.softmax(scores, dim=-1) @ value


class RMSNorm(nn.Module):
    """Root-mean-square norm with a gain, as in Llama (arXiv:1910.07467)."""

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, (x.shape[-1],), self.weight.to(x.dtype), self.eps)


class Attention(nn.Module):
    """Multi-head self-attention with rotary positions and a boolean mask."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.q_proj = nn.Linear(shape.width, shape.width, bias=False)
        self.k_proj = nn.Linear(shape.width, shape.width, bias=False)
        self.v_proj = nn.Linear(shape.width, shape.width, bias=False)
        self.o_proj = nn.Linear(shape.width, shape.width, bias=False)

    def forward(self, x_BTW: Tensor, cos: Tensor, sin: Tensor, mask: Tensor) -> Tensor:
        batch, tokens, width = x_BTW.shape
        weight = torch.cat([self.q_proj.weight, self.k_proj.weight, self.v_proj.weight]).to(x_BTW.dtype)
        qkv = F.linear(x_BTW, weight).view(batch, tokens, 3, self.shape.heads, self.shape.head_width)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        query, key = rotate(query, cos, sin), rotate(key, cos, sin)
        mixed = attend(query, key, value, mask)
        return F.linear(
            mixed.transpose(1, 2).reshape(batch, tokens, width), self.o_proj.weight.to(x_BTW.dtype)
        )


class FeedForward(nn.Module):
    """SwiGLU feed-forward, as in Llama (arXiv:2002.05202)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(shape.width, shape.feed_forward, bias=False)
        self.up_proj = nn.Linear(shape.width, shape.feed_forward, bias=False)
        self.down_proj = nn.Linear(shape.feed_forward, shape.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        dtype = x.dtype
        gate = F.silu(F.linear(x, self.gate_proj.weight.to(dtype)))
        return F.linear(gate * F.linear(x, self.up_proj.weight.to(dtype)), self.down_proj.weight.to(dtype))


class Layer(nn.Module):
    """One pre-norm transformer layer."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.input_layernorm = RMSNorm(shape.width, shape.norm_eps)
        self.self_attn = Attention(shape)
        self.post_attention_layernorm = RMSNorm(shape.width, shape.norm_eps)
        self.mlp = FeedForward(shape)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, mask)
        mixed: Tensor = self.mlp(self.post_attention_layernorm(x))
        return x + mixed


class Trunk(nn.Module):
    """Embeddings, layers and the last norm: the part that transformers calls `model`."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.width)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = RMSNorm(shape.width, shape.norm_eps)

    def stack(self) -> Iterator[Layer]:
        """The layers, first to last, by their type."""
        return (cast(Layer, layer) for layer in self.layers)


class Network(nn.Module):
    """A Llama with tied embeddings whose forward takes positions and a mask."""

    def __init__(self, shape: Shape, generator: torch.Generator) -> None:
        super().__init__()
        self.shape = shape
        self.model = Trunk(shape)
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:
                scale = 0.02 if "embed" in name else (2 / (5 * parameter.shape[1])) ** 0.5
                if name.endswith(("o_proj.weight", "down_proj.weight")):
                    scale /= (2 * shape.layers) ** 0.5
                nn.init.normal_(parameter, std=scale, generator=generator)

    def forward(
        self, tokens_BT: Tensor, positions_BT: Tensor, mask_BTT: Tensor, dtype: torch.dtype = torch.bfloat16
    ) -> Tensor:
        """Hidden states after the last norm.

        Args:
            tokens_BT: int64 (batch, tokens).
            positions_BT: int64 (batch, tokens), what the rotary embedding sees.
            mask_BTT: bool (batch, tokens, tokens); True where the row's token may look at the column's.
            dtype: what products and activations are computed in.
        Returns:
            (batch, tokens, width) in `dtype`; multiply by `model.embed_tokens.weight` for logits.
        """
        cos, sin = (table.to(dtype) for table in rotary_tables(positions_BT, self.shape))
        bias = torch.zeros(mask_BTT.shape, dtype=dtype).masked_fill_(~mask_BTT, float("-inf"))[:, None]
        hidden = F.embedding(tokens_BT, self.model.embed_tokens.weight).to(dtype)
        for layer in self.model.stack():
            hidden = layer(hidden, cos, sin, bias)
        normed: Tensor = self.model.norm(hidden)
        return normed
