"""After which operation a value is needed no more, so that a long kernel doesn't keep every block it ever made."""

from __future__ import annotations

from rftgym_triton_kernels.replay.ir import Block, Op, Region

__all__ = ["note_last_uses"]


def note_last_uses(region: Region) -> None:
    """Fill in `releases` of every operation.

    Args:
        region: A function's body. Every slot is filled by one operation or block argument only.
    """
    read = [_note(block) for block in region.blocks]
    for position, block in enumerate(region.blocks):
        elsewhere = frozenset().union(*(slots for other, slots in enumerate(read) if other != position))
        for op in block.ops:
            op.releases = tuple(slot for slot in op.releases if slot not in elsewhere)


def _note(block: Block) -> frozenset[int]:
    """Find last uses inside a block, as far as it makes the values itself; return every slot that it reads."""
    last: dict[int, int] = {}
    read: set[int] = set()
    for index, op in enumerate(block.ops):
        used = _read_by(op)
        read |= used
        last.update(dict.fromkeys(used, index))
    for index, op in enumerate(block.ops):
        for slot, type_ in zip(op.results, op.types, strict=False):
            if type_.shape:
                block.ops[last.get(slot, index)].releases += (slot,)
    return frozenset(read)


def _read_by(op: Op) -> set[int]:
    used = {*op.operands, *(slot for _, passed in op.successors for slot in passed)}
    for region in op.regions:
        note_last_uses(region)
        for inner in region.walk():
            used.update(inner.operands)
    return used
