"""Key-value caches of many rows in one tensor, with those at work side by side at its front."""

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
    """One slot of equal capacity for each owner, in one tensor that is allocated ahead in growing chunks.

    A batched attention wants the rows at work in one contiguous view, so :meth:`activate` keeps them in the first
    slots by swapping; owners at rest keep their keys and values behind them. While it grows, the old tensor and
    the new one are both alive.

    Attributes:
        kv: (layers, 2, slots, heads, capacity, width): keys at index 0, values at 1. Unused places hold finite
            numbers, so masking them is enough.
        hidden: (slots, hidden): the model's final hidden state after each owner's last token.
        length: tokens in use, by slot.
    """

    def __init__(self, shape: KVShape) -> None:
        self.shape = shape
        self.kv = torch.zeros(self._size(0, 0), dtype=shape.dtype, device=shape.device)
        self.hidden = torch.zeros(0, shape.hidden, dtype=shape.dtype, device=shape.device)
        self.length: list[int] = []
        self._owners: list[int | None] = []
        self._slots: dict[int, int] = {}
        self._free: list[int] = []

    @property
    def nbytes(self) -> int:
        """Bytes of keys and values as allocated, in use or not."""
        return self.kv.numel() * self.kv.element_size()

    def slot(self, owner: int) -> int:
        """Where an owner's keys and values are now; :meth:`activate` may move them."""
        return self._slots[owner]

    def add(self, owners: Sequence[int]) -> None:
        """Give each new owner an empty slot."""
        missing = len(owners) - len(self._free)
        if missing > 0:
            self._grow(len(self._owners) + missing, self.kv.shape[4])
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
        capacity = self.kv.shape[4]
        if tokens > capacity:
            wanted = max(tokens, capacity + capacity // 4)
            self._grow(len(self._owners), -(-wanted // CHUNK) * CHUNK)

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
        self.kv[:, :, here, :, :used] = self.kv[:, :, there, :, :used]
        self.hidden[here] = self.hidden[there]
        self.length[:] = _exchanged(self.length, here, there)
        self._owners[:] = _exchanged(self._owners, here, there)
        self._slots = {owner: slot for slot, owner in enumerate(self._owners) if owner is not None}
        self._free = sorted((slot for slot, owner in enumerate(self._owners) if owner is None), reverse=True)

    def _grow(self, slots: int, capacity: int) -> None:
        old_slots, old_capacity = self.kv.shape[2], self.kv.shape[4]
        grown = self.kv.new_zeros(self._size(slots, capacity))
        grown[:, :, :old_slots, :, :old_capacity] = self.kv
        hidden = self.hidden.new_zeros(slots, self.hidden.shape[1])
        hidden[:old_slots] = self.hidden
        self.kv, self.hidden = grown, hidden
        added = range(old_slots, slots)
        self.length.extend(0 for _ in added)
        self._owners.extend(None for _ in added)
        self._free = sorted([*self._free, *added], reverse=True)

    def _size(self, slots: int, capacity: int) -> tuple[int, ...]:
        return (self.shape.layers, 2, slots, self.shape.heads, capacity, self.shape.width)


def _exchanged(values: list[_T], here: list[int], there: list[int]) -> list[_T]:
    moved = list(values)
    for to, origin in zip(here, there, strict=True):
        moved[to] = values[origin]
    return moved
