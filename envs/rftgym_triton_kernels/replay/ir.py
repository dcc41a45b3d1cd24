"""The program that is replayed: Triton's own intermediate representation, as plain records.

Triton's frontend turns a kernel into TTIR, a typed SSA form, before any target is considered. All of the language's
rules (promotion, broadcasting, what is a constant) have been applied by then, so that whoever executes TTIR needs
none of them, and executes no Python of the kernel's author.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Array", "Block", "Function", "Op", "Region", "Type", "parse_type"]

Array = NDArray[Any]

_STORAGE: dict[str, np.dtype[Any]] = {
    "f64": np.dtype(np.float64),
    "f32": np.dtype(np.float32),
    "f16": np.dtype(np.float16),
    "bf16": np.dtype(np.float32),  # held as float32 whose low 16 bits are zero
    "i64": np.dtype(np.int64),
    "index": np.dtype(np.int64),
    "i32": np.dtype(np.int32),
    "i16": np.dtype(np.int16),
    "i8": np.dtype(np.int8),
    "i1": np.dtype(np.bool_),
    "ptr": np.dtype(np.int64),
}
_WIDTHS = {
    "f64": 8,
    "f32": 4,
    "f16": 2,
    "bf16": 2,
    "i64": 8,
    "index": 8,
    "i32": 4,
    "i16": 2,
    "i8": 1,
    "i1": 1,
    "ptr": 8,
}


@dataclass(frozen=True, slots=True)
class Type:
    """A value's type: a scalar where the shape is empty.

    Args:
        element: "f32", "i1", ..., "ptr" for a pointer, or the type's text where it isn't supported.
        shape: Extents of the block, powers of two.
        pointee: What a pointer points to.
    """

    element: str
    shape: tuple[int, ...] = ()
    pointee: str = ""

    @property
    def storage(self) -> np.dtype[Any]:
        """How numpy holds such a value; raises KeyError for an unsupported type."""
        return _STORAGE[self.element]

    @property
    def supported(self) -> bool:
        """Whether a value of this type can be held."""
        return self.element in _STORAGE and (self.element != "ptr" or self.pointee in _WIDTHS)

    @property
    def width(self) -> int:
        """Bytes of one element in memory."""
        return _WIDTHS[self.element]

    @property
    def size(self) -> int:
        """Number of elements."""
        count = 1
        for extent in self.shape:
            count *= extent
        return count

    @property
    def stride(self) -> int:
        """Bytes between neighbours behind a pointer of this type."""
        return _WIDTHS[self.pointee]


@dataclass(slots=True, eq=False)
class Op:
    """One operation.

    Args:
        name: Dialect and name, "arith.addf".
        results: Slots that it fills.
        operands: Slots that it reads.
        types: Types of the results; for an operation without any (a store), of its operands, as far as written.
        text: What stands between name and types, for attributes.
        location: Reference into the module's table of locations.
        regions: Nested code.
        successors: Blocks to branch to, with the slots passed.
        compute: Maps operands' arrays to the result's array (or a tuple of arrays); None for an operation that
            touches memory or control flow.
        releases: Slots that nobody reads after it.
    """

    name: str
    results: tuple[int, ...]
    operands: tuple[int, ...]
    types: tuple[Type, ...]
    text: str = ""
    location: str = ""
    regions: list[Region] = field(default_factory=list)
    successors: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    sources: tuple[Type, ...] = ()
    compute: Callable[..., Any] | None = None
    releases: tuple[int, ...] = ()


@dataclass(slots=True, eq=False)
class Block:
    """A label, its arguments' slots and types, and straight code."""

    label: str
    arguments: tuple[int, ...]
    types: tuple[Type, ...]
    ops: list[Op] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Region:
    """Blocks in textual order; the first is the entry."""

    blocks: list[Block] = field(default_factory=list)

    def walk(self) -> Iterator[Op]:
        """Every operation, nested ones too."""
        for block in self.blocks:
            for op in block.ops:
                yield op
                for region in op.regions:
                    yield from region.walk()


@dataclass(slots=True, eq=False)
class Function:
    """A function: its code, the number of its slots, and its parameters' names in the source, where they are known."""

    name: str
    region: Region
    public: bool
    slots: int = 0
    parameters: tuple[str, ...] = ()


@lru_cache(maxsize=4096)
def parse_type(text: str) -> Type:
    """Read a type as TTIR writes it, `tensor<64x!tt.ptr<f32>>` for instance."""
    text = text.strip()
    if text.startswith("tensor<"):
        extents, element = re.fullmatch(r"((?:\d+x)*)(.*)", text[7:-1]).groups()  # type: ignore[union-attr]
        inner = parse_type(element)
        return Type(inner.element, tuple(int(extent) for extent in extents.split("x")[:-1]), inner.pointee)
    if text.startswith("!tt.ptr<"):
        return Type("ptr", (), text[8:-1].split(",")[0].strip())
    return Type(text)
