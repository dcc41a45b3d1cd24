"""What a kernel may touch, found without running it: so that the race log watches no more than it has to."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from rftgym_triton_kernels.replay.ir import Function, Op, Region

__all__ = ["Access", "Summary", "summarize"]

_KINDS = {"tt.load": "load", "tt.store": "store"}
_LOOPS = frozenset({"scf.for", "scf.while"})
_OPAQUE = frozenset({"tt.call", "tt.int_to_ptr"})


@dataclass(frozen=True, slots=True)
class Access:
    """One place in the code where memory is touched.

    Args:
        kind: "load", "store" or "atomic".
        arguments: Which of the kernel's arguments the pointer may come from; None where that can't be told.
        repeated: Whether it stands in a loop.
    """

    kind: str
    arguments: frozenset[int] | None
    repeated: bool


@dataclass(frozen=True, slots=True)
class Summary:
    """A kernel's accesses and measures.

    Args:
        accesses: Every load, store and atomic operation.
        cell: Bytes of the smallest element accessed.
        largest: Elements of the largest block.
        spins: Whether programs wait for each other: an atomic operation in a `while`.
        counts: Whether programs use what an atomic operation found, so that their order matters.
    """

    accesses: tuple[Access, ...]
    cell: int
    largest: int
    spins: bool
    counts: bool

    def watched(self, buffers: dict[int, int], chunks: int) -> frozenset[int]:
        """Numbers of the buffers on which programs could race.

        Args:
            buffers: Buffer number of each pointer argument, by the argument's place.
            chunks: Into how many parts the launch is cut.
        """
        if self.spins:
            return frozenset()
        by_buffer: dict[int, list[Access]] = defaultdict(list)
        for access in self.accesses:
            places = buffers if access.arguments is None else access.arguments & buffers.keys()
            for number in {buffers[place] for place in places}:
                by_buffer[number].append(access)
        return frozenset(number for number, accesses in by_buffer.items() if _meet(accesses, chunks))


def _meet(accesses: list[Access], chunks: int) -> bool:
    kinds = {access.kind for access in accesses}
    if kinds in ({"load"}, {"atomic"}):
        return False
    lone_store = len(accesses) == 1 and not accesses[0].repeated and chunks == 1
    return not lone_store  # a store checks its own lanes against each other


def summarize(function: Function, others: bool = False) -> Summary:
    """Look through a kernel.

    Args:
        function: The kernel.
        others: Whether the module has functions besides it, which may be called.
    """
    ops = list(function.region.walk())
    opaque = (others and any(op.name in _OPAQUE for op in ops)) or any(
        op.name == "tt.int_to_ptr" for op in ops
    )
    sources = _flows(function.region)
    origin = {slot: place for place, slot in enumerate(function.region.blocks[0].arguments)}
    accesses = []
    widths = [8]
    for op, repeated in _memory_ops(function.region, False):
        pointee = op.sources[0].stride if op.sources and op.sources[0].element == "ptr" else 1
        widths.append(pointee)
        arguments = None if opaque else _origins(op.operands[0], sources, origin)
        accesses.append(Access(_KINDS.get(op.name, "atomic"), arguments, repeated))
    if opaque:
        accesses.append(Access("store", None, True))
        widths.append(1)
    spins = any(op.name == "scf.while" and _has_atomic(op) for op in ops)
    largest = max((type_.size for op in ops for type_ in op.types), default=1)
    used = {slot for op in ops for slot in op.operands}
    counts = any(op.name.startswith("tt.atomic") and used.intersection(op.results) for op in ops)
    return Summary(tuple(accesses), min(widths), largest, spins, counts)


def _memory_ops(region: Region, repeated: bool) -> list[tuple[Op, bool]]:
    found = []
    for block in region.blocks:
        for op in block.ops:
            if op.name in _KINDS or op.name.startswith("tt.atomic"):
                found.append((op, repeated))
            for inner in op.regions:
                found.extend(_memory_ops(inner, repeated or op.name in _LOOPS))
    return found


def _has_atomic(op: Op) -> bool:
    return any(inner.name.startswith("tt.atomic") for region in op.regions for inner in region.walk())


def _flows(region: Region) -> dict[int, set[int]]:
    """For each slot the slots whose value it may take or be computed from, as far as pointers are concerned."""
    sources: dict[int, set[int]] = defaultdict(set)
    blocks = {block.label: block for block in region.blocks}
    for block in region.blocks:
        for op in block.ops:
            for inner in op.regions:
                for slot, more in _flows(inner).items():
                    sources[slot] |= more
            for label, passed in op.successors:
                for slot, value in zip(blocks[label].arguments, passed, strict=True):
                    sources[slot].add(value)
            _own_flows(op, sources)
    return sources


def _own_flows(op: Op, sources: dict[int, set[int]]) -> None:
    if op.name == "tt.load":
        return
    inputs = op.operands[:1] if op.name == "tt.addptr" else op.operands
    ends = [block.ops[-1].operands for region in op.regions for block in region.blocks if block.ops]
    if op.name == "scf.for":
        inputs = op.operands[3:]
        _carry(sources, op.regions[0].blocks[0].arguments[1:], inputs)
        for end in ends:
            _carry(sources, op.regions[0].blocks[0].arguments[1:], end)
            _carry(sources, op.results, end)
    elif op.name == "scf.while":
        for block in (region.blocks[0] for region in op.regions):
            _everything(sources, block.arguments, (*op.operands, *(slot for end in ends for slot in end)))
        _everything(sources, op.results, (slot for end in ends for slot in end))
        return
    elif op.name == "scf.if":
        for end in ends:
            _carry(sources, op.results, end)
        return
    _everything(sources, op.results, inputs)


def _carry(sources: dict[int, set[int]], targets: tuple[int, ...], values: tuple[int, ...]) -> None:
    for target, value in zip(targets, values, strict=False):
        sources[target].add(value)


def _everything(sources: dict[int, set[int]], targets: tuple[int, ...], values: object) -> None:
    taken = tuple(values)  # type: ignore[arg-type, var-annotated]
    for target in targets:
        sources[target].update(taken)


def _origins(slot: int, sources: dict[int, set[int]], origin: dict[int, int]) -> frozenset[int]:
    seen, waiting, found = {slot}, [slot], set()
    while waiting:
        current = waiting.pop()
        if current in origin:
            found.add(origin[current])
        for source in sources.get(current, ()):
            if source not in seen:
                seen.add(source)
                waiting.append(source)
    return frozenset(found)
