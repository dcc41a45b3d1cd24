"""Attention over key-value caches: fresh prompts, and rows that stand on a prefix they may share.

A group's rows begin with one prompt. Its keys and values are kept once (a prefix); attention over them is computed for
all rows of the group together, attention over a row's own tokens apart, and both are joined by their log-sum-exp. That
equals attention over the whole, reads a shared prompt once a step, and stores it once.
Source of the joining rule: FlashAttention's online softmax, arXiv:2205.14135, section 3.1.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from rftgym.rollout.kv import SlotArena


class Attention(Protocol):
    """What a layer calls; it also writes the new keys and values to where they belong."""

    @property
    def positions_N(self) -> Tensor:
        """int64 (tokens,): each new token's position in its row."""

    @property
    def reach(self) -> int:
        """More than any of ``positions_N``."""

    @property
    def last(self) -> Tensor | slice:
        """Index of each row's last new token among all new tokens."""

    def __call__(self, layer: int, query_NHD: Tensor, key_NHD: Tensor, value_NHD: Tensor) -> Tensor:
        """Mix values; returns (tokens, heads * width)."""


class Ragged:
    """New tokens of several rows, packed one after another, and their padded (rows, longest) form.

    Attributes:
        row_N: int64 (tokens,), index of each token's row.
        offset_N: int64 (tokens,), index of each token inside its row.
        last_B: int64 (rows,), packed index of each row's last token.
    """

    def __init__(self, counts: Sequence[int], device: torch.device) -> None:
        self.rows, self.longest = len(counts), max(counts)
        sizes = torch.tensor(counts)
        ends = sizes.cumsum(0)
        row_N = torch.repeat_interleave(torch.arange(len(counts)), sizes)
        offset_N = torch.arange(int(ends[-1])) - (ends - sizes)[row_N]
        self._even = min(counts) == self.longest
        self._flat_N = (row_N * self.longest + offset_N).to(device)
        self.row_N, self.offset_N = row_N.to(device), offset_N.to(device)
        self.last_B = (ends - 1).to(device)

    def pad(self, packed_NHD: Tensor) -> Tensor:
        """(tokens, heads, width) to (rows, longest, heads, width); zeros where a row is shorter."""
        shape = (self.rows, self.longest, *packed_NHD.shape[1:])
        if self._even:
            return packed_NHD.reshape(shape)
        padded = packed_NHD.new_zeros(self.rows * self.longest, *packed_NHD.shape[1:])
        return padded.index_copy_(0, self._flat_N, packed_NHD).view(shape)

    def pack(self, padded_BQHD: Tensor) -> Tensor:
        """(rows, longest, heads, width) to (tokens, heads * width)."""
        flat = padded_BQHD.reshape(self.rows * self.longest, -1)
        return flat if self._even else flat[self._flat_N]


class PromptAttention:
    """Causal attention of fresh prompts, from position 0, into empty slots of an arena."""

    def __init__(self, arena: SlotArena, slots: Sequence[int], counts: Sequence[int]) -> None:
        device = arena.shape.device
        self._kv, self._ragged = arena.kv, Ragged(counts, device)
        self._slot_N = torch.tensor(slots, device=device)[self._ragged.row_N]
        self.positions_N, self.last = self._ragged.offset_N, self._ragged.last_B
        self.reach = max(counts)

    def __call__(self, layer: int, query_NHD: Tensor, key_NHD: Tensor, value_NHD: Tensor) -> Tensor:
        keys, values = self._kv[layer]
        keys[self._slot_N, :, self.positions_N] = key_NHD
        values[self._slot_N, :, self.positions_N] = value_NHD
        query, key, value = (self._ragged.pad(x).transpose(1, 2) for x in (query_NHD, key_NHD, value_NHD))
        # Padding stands to the right, where a causal query never looks.
        mixed_BHQD = F.scaled_dot_product_attention(query, key, value, is_causal=True, enable_gqa=True)
        return self._ragged.pack(mixed_BHQD.transpose(1, 2))


@dataclass(frozen=True, slots=True)
class SharedPrefixes:
    """Which rows, the first ones of their arena, stand on which prefixes, the first ones of theirs.

    Attributes:
        arena: of the prefixes.
        longest: tokens of the longest prefix in use.
        tokens_B: int64 (rows,), length of each row's prefix; 0 without one.
        members_PG: int64 (prefixes, largest group), rows of each prefix, padded by row 0.
        place_B: int64 (rows,), each row's place in the flattened ``members_PG``; 0 for rows without a prefix.
        absent_B11: (rows, 1, 1), -inf for rows without a prefix and 0 for the others; None where all have one.
        hidden_P11T: (prefixes, 1, 1, longest), -inf beyond a prefix's end; None where all are equally long.
    """

    arena: SlotArena
    longest: int
    tokens_B: Tensor
    members_PG: Tensor
    place_B: Tensor
    absent_B11: Tensor | None
    hidden_P11T: Tensor | None

    @classmethod
    def arrange(cls, arena: SlotArena, prefixes: Sequence[int | None]) -> SharedPrefixes | None:
        """Bring the prefixes of these rows to the front of their arena; None where no row has one."""
        device, dtype = arena.shape.device, arena.shape.dtype
        order = arena.activate({prefix for prefix in prefixes if prefix is not None})
        if not order:
            return None
        members: list[list[int]] = [[] for _ in order]
        for row, prefix in enumerate(prefixes):
            if prefix is not None:
                members[arena.slot(prefix)].append(row)
        largest = max(map(len, members))
        places = [0] * len(prefixes)
        for slot, group in enumerate(members):
            for member, row in enumerate(group):
                places[row] = slot * largest + member
        padded = [group + [0] * (largest - len(group)) for group in members]
        tokens = [0 if prefix is None else arena.length[arena.slot(prefix)] for prefix in prefixes]
        lengths = torch.tensor(arena.length[: len(order)], device=device)
        absent = torch.tensor([prefix is None for prefix in prefixes], device=device)
        return cls(
            arena=arena,
            longest=int(lengths.max()),
            tokens_B=torch.tensor(tokens, device=device),
            members_PG=torch.tensor(padded, device=device),
            place_B=torch.tensor(places, device=device),
            absent_B11=_hide(absent, dtype)[:, None, None] if None in prefixes else None,
            hidden_P11T=_beyond(lengths, dtype) if int(lengths.min()) < int(lengths.max()) else None,
        )

    def attend(self, layer: int, query_BQHD: Tensor) -> tuple[Tensor, Tensor]:
        """Attention over the prefixes: values (rows, queries, heads, width) and log-sum-exp (rows, queries, heads)."""
        prefixes, largest = self.members_PG.shape
        _, queries, heads, width = query_BQHD.shape
        gathered = query_BQHD[self.members_PG.flatten()].reshape(prefixes, largest * queries, heads, width)
        key, value = self.arena.kv[layer][:, :prefixes, :, : self.longest]
        mixed, weight = attend(gathered.transpose(1, 2), key, value, self.hidden_P11T)
        mixed = mixed.transpose(1, 2).reshape(prefixes * largest, queries, heads, width)[self.place_B]
        weight = weight.transpose(1, 2).reshape(prefixes * largest, queries, heads)[self.place_B]
        return mixed, weight if self.absent_B11 is None else weight + self.absent_B11


class RowAttention:
    """Attention of new tokens at the ends of rows: over their prefixes, their own tokens and one another.

    Args:
        arena: the rows' own keys and values; these rows are slots ``start`` to ``start + len(counts)``.
        start: first slot.
        counts: new tokens of each row.
        prefixes: what the rows stand on, arranged for just these rows; None for nothing.
    """

    def __init__(
        self, arena: SlotArena, start: int, counts: Sequence[int], prefixes: SharedPrefixes | None
    ) -> None:
        device = arena.shape.device
        stop = start + len(counts)
        held_B = torch.tensor(arena.length[start:stop], device=device)
        self.last: Tensor | slice
        self._ragged = None if max(counts) == 1 else Ragged(counts, device)
        if self._ragged is None:
            row_N, own_N, self.last = torch.arange(len(counts), device=device), held_B, slice(None)
        else:
            row_N, own_N = self._ragged.row_N, held_B[self._ragged.row_N] + self._ragged.offset_N
            self.last = self._ragged.last_B
        self._prefixes = prefixes
        self.positions_N = own_N if prefixes is None else own_N + prefixes.tokens_B[row_N]
        longest = max(held + count for held, count in zip(arena.length[start:stop], counts, strict=True))
        self.reach = longest + (0 if prefixes is None else prefixes.longest)
        self._kv, self._slots, self._longest = arena.kv, slice(start, stop), longest
        self._row_N, self._own_N = row_N, own_N
        queries_BQ = held_B[:, None] + torch.arange(max(counts), device=device)
        hidden_BQT = torch.arange(longest, device=device) > queries_BQ[:, :, None]
        self._hidden_B1QT = _hide(hidden_BQT, arena.shape.dtype)[:, None]

    def __call__(self, layer: int, query_NHD: Tensor, key_NHD: Tensor, value_NHD: Tensor) -> Tensor:
        key, value = self._kv[layer][:, self._slots, :, : self._longest]
        key[self._row_N, :, self._own_N] = key_NHD
        value[self._row_N, :, self._own_N] = value_NHD
        query_BQHD = query_NHD[:, None] if self._ragged is None else self._ragged.pad(query_NHD)
        own, own_weight = attend(query_BQHD.transpose(1, 2), key, value, self._hidden_B1QT)
        own = own.transpose(1, 2)
        if self._prefixes is not None:
            shared, shared_weight = self._prefixes.attend(layer, query_BQHD)
            share = torch.sigmoid(shared_weight - own_weight.transpose(1, 2))
            own = torch.lerp(own, shared, share[..., None].to(own.dtype))
        return own.reshape(len(own), -1) if self._ragged is None else self._ragged.pack(own)


def chunks(counts: Sequence[int], budget: int) -> list[slice]:
    """Cut rows, in order, into runs of at most ``budget`` padded tokens (and at least one row)."""
    cuts, longest = [0], 0
    for index, count in enumerate(counts):
        longest = max(longest, count)
        if index > cuts[-1] and longest * (index + 1 - cuts[-1]) > budget:
            cuts.append(index)
            longest = count
    return [slice(a, b) for a, b in itertools.pairwise([*cuts, len(counts)])]


def attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor]:
    """Attention and the log-sum-exp of its scores.

    Args:
        query: (rows, heads, queries, width).
        key: (rows, key heads, tokens, width); ``heads`` is a multiple of ``key heads``.
        value: same shape as ``key``.
        bias: added to the scores, broadcastable to (rows, heads, queries, tokens).
    Returns:
        (rows, heads, queries, width) in the query's dtype, and float32 (rows, heads, queries).
    """
    if query.device.type == "cpu" and _has_cpu_kernel():
        return _cpu_kernel(query, key, value, bias)
    return attend_plainly(query, key, value, bias)


def attend_plainly(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor]:
    """:func:`attend` by two matrix products and a softmax in float32, on any device."""
    rows, heads, queries, width = query.shape
    key_heads, tokens = key.shape[1], key.shape[2]
    folded = query.reshape(rows, key_heads, -1, width)
    scores = (folded @ key.transpose(2, 3)).float() * width**-0.5
    scores = scores.view(rows, heads, queries, tokens)
    if bias is not None:
        scores = scores + bias
    weight = scores.logsumexp(dim=-1)
    shares = (scores - weight[..., None]).exp().to(value.dtype)
    mixed = shares.view(rows, key_heads, -1, tokens) @ value
    return mixed.view(rows, heads, queries, width), weight


def _cpu_kernel(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor]:
    # What F.scaled_dot_product_attention runs on a CPU; only this name hands out the log-sum-exp.
    kernel = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu.default
    mixed, weight = kernel(query, key, value, 0.0, False, attn_mask=bias, scale=query.shape[-1] ** -0.5)
    return mixed, weight


@functools.cache
def _has_cpu_kernel() -> bool:
    """Whether this build of torch has the kernel, and it knows grouped heads as we call it."""
    query, key = torch.linspace(-1, 1, 64).view(1, 4, 2, 8), torch.linspace(1, -1, 48).view(1, 2, 3, 8)
    bias = torch.tensor([0.0, 0.0, -torch.inf]).view(1, 1, 1, 3)
    try:
        found = _cpu_kernel(query, key, key, bias)
    except (AttributeError, NotImplementedError, RuntimeError, TypeError):
        return False
    wanted = attend_plainly(query, key, key, bias)
    return all(torch.allclose(a, b, atol=1e-5) for a, b in zip(found, wanted, strict=True))


def _hide(hidden: Tensor, dtype: torch.dtype) -> Tensor:
    """0 where False, -inf where True: to be added to scores."""
    return torch.zeros(hidden.shape, dtype=dtype, device=hidden.device).masked_fill_(hidden, -torch.inf)


def _beyond(lengths_P: Tensor, dtype: torch.dtype) -> Tensor:
    longest = torch.arange(int(lengths_P.max()), device=lengths_P.device)
    return _hide(longest >= lengths_P[:, None], dtype)[:, None, None]
