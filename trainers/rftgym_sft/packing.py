"""Rows of tokens as the tensors of a forward pass: padded, or packed behind one another.

TRL's own packing needs flash attention, and changes which examples make an optimizer step. Here a forward pass has the
same examples either way. Packed ones restart their positions at 0, and no mask is given: transformers then draws the
borders from the positions, with every attention implementation but flash attention also in several rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from rftgym.errors import UsageError
from rftgym_sft.rows import IGNORED

Rows = Sequence[dict[str, list[int]]]
Collate = Callable[[Rows], dict[str, Tensor]]


def padding(pad_id: int) -> Collate:
    """Give each example a row of its own, filled up at the right.

    Returns:
        of rows with "input_ids" and "labels": "input_ids", "labels", "attention_mask" (int64, rows x tokens).
    """

    def collate(rows: Rows) -> dict[str, Tensor]:
        ids = [torch.tensor(row["input_ids"]) for row in rows]
        labels = [torch.tensor(row["labels"]) for row in rows]
        return {
            "input_ids": pad_sequence(ids, batch_first=True, padding_value=pad_id),
            "labels": pad_sequence(labels, batch_first=True, padding_value=IGNORED),
            "attention_mask": pad_sequence([torch.ones_like(each) for each in ids], batch_first=True),
        }

    return collate


def packing(pad_id: int, *, one_row: bool = False) -> Collate:
    """Put examples behind one another.

    Args:
        one_row: all into one row, as flash attention needs it; else into rows as long as the longest example.

    Returns:
        of rows with "input_ids" and "labels": "input_ids", "labels", "position_ids" (int64, rows x tokens).
    """

    def collate(rows: Rows) -> dict[str, Tensor]:
        lengths = [len(row["input_ids"]) for row in rows]
        width = sum(lengths) if one_row else max(lengths)
        packs = [[rows[i] for i in pack] for pack in packs_of(lengths, width)]
        return {
            "input_ids": torch.tensor([_joined(pack, "input_ids", pad_id, width) for pack in packs]),
            "labels": torch.tensor([_joined(pack, "labels", IGNORED, width) for pack in packs]),
            "position_ids": torch.tensor([_positions(pack, width) for pack in packs]),
        }

    return collate


def packs_of(lengths: Sequence[int], width: int) -> list[list[int]]:
    """Distribute examples over rows: the longest first, each into the first row with room (first-fit decreasing).

    Args:
        lengths: in tokens, none above ``width``.

    Returns:
        Indices of ``lengths`` by row, each once.
    """
    packs: list[list[int]] = []
    room: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        place = next((i for i, free in enumerate(room) if free >= lengths[index]), None)
        if place is None:
            packs.append([])
            room.append(width)
            place = len(packs) - 1
        packs[place].append(index)
        room[place] -= lengths[index]
    return packs


def _joined(pack: Rows, name: str, filler: int, width: int) -> list[int]:
    values = [
        value for row in pack for value in (row[name] if name != "labels" else [IGNORED, *row[name][1:]])
    ]
    return values + [filler] * (width - len(values))


def _positions(pack: Rows, width: int) -> list[int]:
    """0, 1, 2... anew for each example; the filling is one more."""
    lengths = [len(row["input_ids"]) for row in pack]
    return [position for length in (*lengths, width - sum(lengths)) for position in range(length)]


def collation(model: Any, pad_id: int, *, packed: bool) -> Collate:
    """How rows become tensors for this model.

    Raises:
        UsageError: examples are to be packed, and this model would let them see each other.
    """
    if not packed:
        return padding(pad_id)
    attention = str(model.config._attn_implementation)
    collate = packing(pad_id, one_row=attention.startswith("flash"))
    if _leaks(model, collate):
        raise UsageError(
            f"trainer.packing: with attention {attention!r} this model lets packed examples see each other; set "
            "trainer.packing=false, or model.attention=sdpa"
        )
    return collate


def _leaks(model: Any, collate: Collate) -> bool:
    """Whether what stands before a packed example changes what the model makes of it. It is tried."""
    longest, last = list(range(10, 22)), [5, 6, 7, 8]
    logits = []
    training = model.training
    model.eval()
    for first in ([1, 2, 3, 4], [4, 3, 2, 1]):  # shares a row with both examples behind it
        batch = collate([{"input_ids": ids, "labels": ids} for ids in (longest, first, last, last)])
        ids, positions = batch["input_ids"], batch["position_ids"]
        with torch.no_grad():
            out = model(
                input_ids=ids.to(model.device), position_ids=positions.to(model.device), use_cache=False
            )
        logits.append(out.logits[ids == last[-1]].float())
    model.train(training)
    one, other = logits
    return not torch.allclose(one, other, rtol=1e-4, atol=1e-4 * float(one.abs().max()))
