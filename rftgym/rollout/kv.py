"""Key-value caches of many rows in one tensor a layer, with those at work side by side at its front."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch

_T = TypeVar("_T")

CHUNK = 64
"""Slots grow by multiples of this many tokens."""


@dataclass(frozen=True, slots=True)
class KVShape:
    """What one token's keys and values take: ``2 * layers * heads * width * bytes per number``.

    SmolLM2-135M in float32: 2 * 30 * 3 * 64 * 4 = 46,080 bytes a token.
    """

    layers: int
    heads: int
    width: int
    hidden: int
    dtype: torch.dtype
    device: torch.device


class SlotArena:
    """One slot of equal capacity for each owner, in memory that is allocated ahead in growing chunks.

    A batched attention wants the rows at work in one contiguous view, so :meth:`activate` keeps them in the first
    slots by swapping; owners at rest keep their keys and values behind them. It grows by a half or more at a time,
    layer by layer, so that one layer is the most that is ever held twice.

    Attributes:
        kv: a tensor a layer, (2, slots, heads, capacity, width): keys at index 0, values at 1. Unused places hold
            finite numbers, so masking them is enough.
        hidden: (slots, hidden): the model's final hidden state after each owner's last token.
        slots: how many there are, used or free.
        capacity: tokens that fit into each.
        length: tokens in use, by slot.
    """

    def __init__(self, shape: KVShape) -> None:
        self.shape = shape
        self.slots = self.capacity = 0
        self.kv = [self._new_layer(0, 0) for _ in range(shape.layers)]
        self.hidden = torch.zeros(0, shape.hidden, dtype=shape.dtype, device=shape.device)
        self.length: list[int] = []
        self._owners: list[int | None] = []
        self._slots: dict[int, int] = {}
        self._free: list[int] = []

    @property
    def nbytes(self) -> int:
        """Bytes of keys and values as allocated, in use or not."""
        return sum(layer.numel() * layer.element_size() for layer in self.kv)

    def slot(self, owner: int) -> int:
        """Where an owner's keys and values are now; :meth:`activate` may move them."""
        return self._slots[owner]

    def add(self, owners: Sequence[int]) -> None:
        """Give each new owner an empty slot."""
        missing = len(owners) - len(self._free)
        if missing > 0:
            self._grow(self.slots + missing, self.capacity)
        for owner in owners:
            slot = self._free.pop()
            self._slots[owner], self._owners[slot], self.length[slot] = slot, owner, 0

    def drop(self, owner: int) -> None:
        """Free an owner's slot."""
        slot = self._slots.pop(owner)
        self._owners[slot], self.length[slot] = None, 0
        self._free.append(slot)
        self._free.sort(reverse=True)

    def reserve(self, tokens: int) -> None:
        """Make every slot at least ``tokens`` long."""
        if tokens > self.capacity:
            wanted = max(tokens, self.capacity + self.capacity // 2)
            self._grow(self.slots, -(-wanted // CHUNK) * CHUNK)

    def activate(self, owners: Iterable[int]) -> list[int]:
        """Move these owners to the first slots; returns them in the order of their slots."""
        wanted = set(owners)
        front = range(len(wanted))
        inside = [slot for slot in front if self._owners[slot] not in wanted]
        outside = [slot for slot in map(self._slots.__getitem__, sorted(wanted)) if slot >= len(wanted)]
        if inside:
            self._swap(inside, outside)
        return [owner for owner in self._owners[: len(wanted)] if owner is not None]

    def _swap(self, left: list[int], right: list[int]) -> None:
        used = max(self.length[slot] for slot in left + right)
        here, there = left + right, right + left
        for layer in self.kv:
            layer[:, here, :, :used] = layer[:, there, :, :used]
        self.hidden[here] = self.hidden[there]
        self.length[:] = _exchanged(self.length, here, there)
        self._owners[:] = _exchanged(self._owners, here, there)
        self._slots = {owner: slot for slot, owner in enumerate(self._owners) if owner is not None}
        self._free = sorted((slot for slot, owner in enumerate(self._owners) if owner is None), reverse=True)

    def _grow(self, slots: int, capacity: int) -> None:
        for index, layer in enumerate(self.kv):
            self.kv[index] = self._new_layer(slots, capacity)
            self.kv[index][:, : self.slots, :, : self.capacity] = layer
        hidden = self.hidden.new_zeros(slots, self.hidden.shape[1])
        hidden[: self.slots] = self.hidden
        self.hidden = hidden
        added = range(self.slots, slots)
        self.length.extend(0 for _ in added)
        self._owners.extend(None for _ in added)
        self._free = sorted([*self._free, *added], reverse=True)
        self.slots, self.capacity = slots, capacity

    def _new_layer(self, slots: int, capacity: int) -> torch.Tensor:
        size = (2, slots, self.shape.heads, capacity, self.shape.width)
        return torch.zeros(size, dtype=self.shape.dtype, device=self.shape.device)


def _exchanged(values: list[_T], here: list[int], there: list[int]) -> list[_T]:
    moved = list(values)
    for to, origin in zip(here, there, strict=True):
        moved[to] = values[origin]
    return moved
