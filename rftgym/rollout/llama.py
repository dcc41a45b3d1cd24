"""The fused decoder: the Llama family's forward pass, written for a few rows at a time.

Against transformers' own forward it shares a group's prompt, keeps keys and values in preallocated memory, reads
queries, keys and values (gate and up) through one matrix each, packed for the machine, and computes the head only where
a token is drawn. In float32 the numbers differ from transformers' by rounding only.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from rftgym.rollout.attention import Attention, PromptAttention, RowAttention, SharedPrefixes, chunks
from rftgym.rollout.kv import KVShape, SlotArena
from rftgym.rollout.weights import Apply, UnsupportedModelError, effective_embedding, effective_linear, fuse

PREFILL_TOKENS = 4096
"""Padded tokens that one prefill forward may take: bounds its activations to some tens of MB for a small model."""

FAMILY = ("LlamaForCausalLM", "MistralForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM")
STATIC_ROPE = ("default", "linear", "llama3", "yarn")
"""Rotary embeddings whose frequencies depend on the configuration only, not on the length of the text."""


def check_fused(model: Any) -> None:
    """Say whether the fused decoder computes exactly what this model's forward computes.

    Args:
        model: the transformers model, without PEFT's outer wrapper.
    Raises:
        UnsupportedModelError: it doesn't; the message says why.
    """
    config, kind = model.config, type(model).__name__
    if kind not in FAMILY or not type(model).__module__.startswith("transformers.models."):
        raise UnsupportedModelError(f"{kind} is not one of {', '.join(FAMILY)}")
    rope = (getattr(config, "rope_parameters", None) or {}).get("rope_type", "default")
    layer_types = set(getattr(config, "layer_types", None) or ["full_attention"])
    window = getattr(config, "sliding_window", None)
    head_width = _head_width(config)
    reasons = {
        f"its activation is {config.hidden_act}": config.hidden_act not in ("silu", "swish"),
        f"its rotary embedding is {rope}": rope not in STATIC_ROPE,
        "it rotates a part of each head": model.model.rotary_emb.inv_freq.numel() * 2 != head_width,
        f"its layers are {', '.join(sorted(layer_types))}": layer_types != {"full_attention"},
        f"it attends to a window of {window} tokens": kind == "MistralForCausalLM" and window is not None,
        "its weights lie on several devices": len({p.device for p in model.parameters()}) != 1,
    }
    for reason, holds in reasons.items():
        if holds:
            raise UnsupportedModelError(reason)


@dataclass(frozen=True, slots=True)
class _Layer:
    attention_norm: Tensor
    query_key_value: Apply
    query_norm: Tensor | None
    key_norm: Tensor | None
    output: Apply
    feed_forward_norm: Tensor
    gate_up: Apply
    down: Apply


class FusedLlama:
    """A decoding copy of a model of the Llama family.

    Holds a second copy of all linear weights, the head included, in the model's dtype (SmolLM2-135M in float32:
    538 MB); embeddings and norms are the model's own.

    Args:
        model: the transformers model, without PEFT's outer wrapper.
    Raises:
        UnsupportedModelError: see :func:`check_fused`; also a linear layer of an unknown kind.
    """

    def __init__(self, model: Any) -> None:
        check_fused(model)
        config = model.config
        self._model = model
        self.heads: int = config.num_attention_heads
        self.key_heads: int = config.num_key_value_heads
        self.width = _head_width(config)
        self.epsilon: float = config.rms_norm_eps
        self.refresh()
        self._cos, self._sin = self._rotary_tables(1024)

    def refresh(self) -> None:
        """Copy the weights anew, adapters merged."""
        body = self._model.model
        with torch.no_grad():
            self._embedding = effective_embedding(body.embed_tokens, "embed_tokens")
            self._norm: Tensor = body.norm.weight.detach()
            self._layers: list[_Layer] = []
            for index, layer in enumerate(body.layers):
                self._layers.append(_read_layer(layer, f"layers.{index}"))
            self._head = fuse([effective_linear(self._model.lm_head, "lm_head")])
        self.kv_shape = KVShape(
            layers=len(self._layers),
            heads=self.key_heads,
            width=self.width,
            hidden=self._embedding.shape[1],
            dtype=self._embedding.dtype,
            device=self._embedding.device,
        )

    def open(self) -> FusedCaches:
        """Caches for one session."""
        return FusedCaches(self)

    @torch.inference_mode()
    def forward(self, tokens_N: Tensor, attention: Attention) -> Tensor:
        """Final hidden state, normed, of each row's last new token: (rows, hidden).

        Args:
            tokens_N: int64 (tokens,), the new tokens of all rows, packed.
            attention: knows the rows; its caches are written to.
        """
        cos_N1D, sin_N1D = self._rotation(attention)
        hidden = F.embedding(tokens_N, self._embedding)
        for index, layer in enumerate(self._layers):
            mixed = attention(index, *self._project(layer, hidden, cos_N1D, sin_N1D))
            hidden = layer.output(mixed).add_(hidden)
            gate, up = layer.gate_up(self._rms(hidden, layer.feed_forward_norm)).chunk(2, dim=-1)
            hidden = layer.down(F.silu(gate).mul_(up)).add_(hidden)
        return self._rms(hidden[attention.last], self._norm)

    @torch.inference_mode()
    def head(self, hidden_BH: Tensor) -> Tensor:
        """Logits, float32 (rows, vocabulary)."""
        return self._head(hidden_BH).float()

    def _project(
        self, layer: _Layer, hidden: Tensor, cos: Tensor, sin: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        fused = layer.query_key_value(self._rms(hidden, layer.attention_norm))
        fused = fused.view(len(hidden), -1, self.width)
        rotated_heads = self.heads + self.key_heads
        rotated, value = fused[:, :rotated_heads], fused[:, rotated_heads:]
        if layer.query_norm is not None and layer.key_norm is not None:
            query, key = rotated[:, : self.heads], rotated[:, self.heads :]
            rotated = torch.cat([self._rms(query, layer.query_norm), self._rms(key, layer.key_norm)], dim=1)
        # Half-split rotation: swapping the halves is a roll, and the sign of the swapped half sits in the sine table.
        rotated = (rotated * cos).addcmul_(rotated.roll(self.width // 2, dims=-1), sin)
        return rotated[:, : self.heads], rotated[:, self.heads :], value

    def _rms(self, x: Tensor, gain: Tensor) -> Tensor:
        return F.rms_norm(x, (x.shape[-1],), gain, self.epsilon)

    def _rotation(self, attention: Attention) -> tuple[Tensor, Tensor]:
        if attention.reach > len(self._cos):
            self._cos, self._sin = self._rotary_tables(2 * attention.reach)
        positions_N = attention.positions_N
        return self._cos[positions_N, None], self._sin[positions_N, None]

    def _rotary_tables(self, length: int) -> tuple[Tensor, Tensor]:
        rotary = self._model.model.rotary_emb
        frequencies = rotary.inv_freq.to(self.kv_shape.device).float()
        angles = torch.arange(length, device=frequencies.device).float()[:, None] * frequencies
        cos, sin = angles.cos() * rotary.attention_scaling, angles.sin() * rotary.attention_scaling
        tables = torch.cat([cos, cos], dim=-1), torch.cat([-sin, sin], dim=-1)
        return tables[0].to(self.kv_shape.dtype), tables[1].to(self.kv_shape.dtype)


class FusedCaches:
    """Rows of one session: each has a slot of its own and may stand on a prefix shared by its group."""

    def __init__(self, model: FusedLlama) -> None:
        self._model = model
        self._rows, self._prefixes = SlotArena(model.kv_shape), SlotArena(model.kv_shape)
        self._prefix_of: dict[int, int] = {}
        self._prefix_ids: dict[tuple[int, ...], int] = {}
        self._users: dict[int, set[int]] = {}
        self._next_prefix = 0
        self._active: list[int] = []
        self._shared: SharedPrefixes | None = None

    @property
    def nbytes(self) -> int:
        """Bytes allocated for keys and values."""
        return self._rows.nbytes + self._prefixes.nbytes

    @torch.inference_mode()
    def admit(self, prompts: Mapping[tuple[int, ...], Sequence[int]]) -> int:
        """Open rows; a prompt of several rows, or one that is still held, becomes or is a prefix."""
        self._active = []
        self._rows.add([row for rows in prompts.values() for row in rows])
        single: dict[tuple[int, ...], int] = {}
        shared: dict[tuple[int, ...], int] = {}
        for tokens, rows in prompts.items():
            if len(rows) == 1 and tokens not in self._prefix_ids:
                single[tokens] = rows[0]
                continue
            if tokens not in self._prefix_ids:
                self._prefix_ids[tokens] = shared[tokens] = self._next_prefix
                self._next_prefix += 1
            prefix = self._prefix_ids[tokens]
            self._users.setdefault(prefix, set()).update(rows)
            self._prefix_of.update((row, prefix) for row in rows)
        self._prefixes.add(list(shared.values()))
        self._prefill(self._prefixes, shared)
        self._prefill(self._rows, single)
        for rows in prompts.values():
            for row in rows:
                if row in self._prefix_of:
                    prefix_slot = self._prefixes.slot(self._prefix_of[row])
                    self._rows.hidden[self._rows.slot(row)] = self._prefixes.hidden[prefix_slot]
        return sum(map(len, shared)) + sum(map(len, single))

    def _prefill(self, arena: SlotArena, prompts: Mapping[tuple[int, ...], int]) -> None:
        # Sorted by length, so that little of a chunk is padding.
        ordered = sorted(prompts.items(), key=lambda item: len(item[0]))
        counts = [len(tokens) for tokens, _ in ordered]
        if counts:
            arena.reserve(max(counts))
        for chunk in chunks(counts, PREFILL_TOKENS) if counts else []:
            slots = [arena.slot(owner) for _, owner in ordered[chunk]]
            attention = PromptAttention(arena, slots, counts[chunk])
            arena.hidden[slots] = self._model.forward(
                self._packed([tokens for tokens, _ in ordered[chunk]]), attention
            )
            for slot, count in zip(slots, counts[chunk], strict=True):
                arena.length[slot] = count

    @torch.inference_mode()
    def extend(self, rows: Mapping[int, Sequence[int]]) -> int:
        """Append tokens to rows."""
        self._active = []
        order = self._rows.activate(rows)
        counts = [len(rows[row]) for row in order]
        self._rows.reserve(max(self._rows.length[slot] + count for slot, count in enumerate(counts)))
        for chunk in chunks(counts, PREFILL_TOKENS):
            shared = SharedPrefixes.arrange(
                self._prefixes, [self._prefix_of.get(row) for row in order[chunk]]
            )
            attention = RowAttention(self._rows, chunk.start, counts[chunk], shared)
            self._rows.hidden[chunk] = self._model.forward(
                self._packed([rows[row] for row in order[chunk]]), attention
            )
            for slot in range(chunk.start, chunk.stop):
                self._rows.length[slot] += counts[slot]
        return sum(counts)

    @torch.inference_mode()
    def activate(self, rows: Sequence[int]) -> list[int]:
        """Put rows to work."""
        if set(rows) != set(self._active):
            self._active = self._rows.activate(rows)
            self._shared = SharedPrefixes.arrange(
                self._prefixes, [self._prefix_of.get(row) for row in self._active]
            )
        return self._active

    @torch.inference_mode()
    def logits(self) -> Tensor:
        """Next-token logits of the rows at work."""
        return self._model.head(self._rows.hidden[: len(self._active)])

    @torch.inference_mode()
    def feed(self, tokens_B: Tensor) -> None:
        """Append one token to each row at work."""
        count = len(self._active)
        self._rows.reserve(max(self._rows.length[:count]) + 1)
        attention = RowAttention(self._rows, 0, [1] * count, self._shared)
        self._rows.hidden[:count] = self._model.forward(tokens_B, attention)
        for slot in range(count):
            self._rows.length[slot] += 1

    def release(self, rows: Sequence[int]) -> None:
        """Forget rows, and prefixes that no row stands on any more."""
        self._active = []
        for row in rows:
            self._rows.drop(row)
            prefix = self._prefix_of.pop(row, None)
            if prefix is not None:
                self._users[prefix].discard(row)
        unused = {prefix for prefix, users in self._users.items() if not users}
        for prefix in unused:
            self._prefixes.drop(prefix)
            del self._users[prefix]
        self._prefix_ids = {
            tokens: prefix for tokens, prefix in self._prefix_ids.items() if prefix not in unused
        }

    def _packed(self, rows: Sequence[Sequence[int]]) -> Tensor:
        tokens = [token for row in rows for token in row]
        return torch.tensor(tokens, device=self._rows.shape.device)


def _read_layer(layer: Any, name: str) -> _Layer:
    attention, feed_forward = layer.self_attn, layer.mlp
    read = functools.partial(_read_linear, name=name)
    query_norm, key_norm = getattr(attention, "q_norm", None), getattr(attention, "k_norm", None)
    return _Layer(
        attention_norm=layer.input_layernorm.weight.detach(),
        query_key_value=fuse([read(attention, part) for part in ("q_proj", "k_proj", "v_proj")]),
        query_norm=None if query_norm is None else query_norm.weight.detach(),
        key_norm=None if key_norm is None else key_norm.weight.detach(),
        output=fuse([read(attention, "o_proj")]),
        feed_forward_norm=layer.post_attention_layernorm.weight.detach(),
        gate_up=fuse([read(feed_forward, part) for part in ("gate_proj", "up_proj")]),
        down=fuse([read(feed_forward, "down_proj")]),
    )


def _read_linear(parent: Any, part: str, *, name: str) -> tuple[Tensor, Tensor | None]:
    return effective_linear(getattr(parent, part), f"{name}.{part}")


def _head_width(config: Any) -> int:
    return int(getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads)
