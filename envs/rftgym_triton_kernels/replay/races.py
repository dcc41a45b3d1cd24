"""Who touched which element during a launch: programs run in no order, so they must not depend on each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rftgym_triton_kernels.replay.faults import Fault
from rftgym_triton_kernels.replay.ir import Array

if TYPE_CHECKING:
    from rftgym_triton_kernels.replay.memory import Buffer

__all__ = ["MANY", "RaceLog"]

_NOBODY, MANY = -1, -2


class _Marks:
    """For one buffer: the program that wrote, read or updated each cell."""

    __slots__ = ("atomic", "reader", "writer")

    def __init__(self, cells: int):
        self.writer = np.full(cells, _NOBODY, np.int32)
        self.reader = np.full(cells, _NOBODY, np.int32)
        self.atomic = np.full(cells, _NOBODY, np.int32)


class RaceLog:
    """Finds two programs of a launch which use one address, and one of which changes it.

    Writing what is there already changes nothing, and atomic operations may meet each other.
    """

    def __init__(self) -> None:
        self._marks: dict[int, _Marks] = {}
        self._watched: frozenset[int] = frozenset()
        self._cell = 1

    def start(self, watched: frozenset[int], cell: int) -> None:
        """Begin a launch.

        Args:
            watched: Numbers of the buffers which the launch may write and where programs could meet; no other buffer
                needs a log.
            cell: Bytes of the smallest element that the launch accesses.
        """
        self._marks, self._watched, self._cell = {}, watched, cell

    @property
    def watching(self) -> bool:
        """Whether this launch needs to know which program makes an access."""
        return bool(self._watched)

    def _of(self, buffer: Buffer) -> _Marks:
        marks = self._marks.get(buffer.number)
        if marks is None:
            marks = self._marks[buffer.number] = _Marks(-(-buffer.size // self._cell))
        return marks

    def _cells(self, offsets: Array | slice, width: int) -> list[Array | slice]:
        count = width // self._cell
        if isinstance(offsets, slice):
            first, end = offsets.start * count, offsets.stop * count
            return [slice(first + part, end, count) for part in range(count)]
        flat = offsets.ravel() * count
        return [flat + part for part in range(count)]

    def read(self, buffer: Buffer, offsets: Array | slice, width: int, programs: Array) -> None:
        """Note a plain load."""
        if buffer.number not in self._watched:
            return
        marks, programs = self._of(buffer), programs.ravel()
        for cells in self._cells(offsets, width):
            if _others(marks.writer[cells], programs).any() or _others(marks.atomic[cells], programs).any():
                raise Fault("race", "a program loads what another program of the same launch stores")
            _mark(marks.reader, cells, programs)

    def write(
        self,
        buffer: Buffer,
        offsets: Array | slice,
        width: int,
        programs: Array,
        content: Array,
        values: Array,
    ) -> None:
        """Note a plain store, before it is made."""
        if buffer.number not in self._watched:
            return
        marks, programs = self._of(buffer), programs.ravel()
        different = content[offsets] != values
        for cells in self._cells(offsets, width):
            if (different & _others(marks.writer[cells], programs)).any():
                raise Fault("race", "two programs of a launch store different values to one address")
            if (
                different & (_others(marks.reader[cells], programs) | _others(marks.atomic[cells], programs))
            ).any():
                raise Fault(
                    "race", "a program stores where another program of the same launch loads or updates"
                )
            _mark(marks.writer, cells, programs)

    def update(self, buffer: Buffer, offsets: Array | slice, width: int, programs: Array) -> None:
        """Note an atomic operation."""
        if buffer.number not in self._watched:
            return
        marks, programs = self._of(buffer), programs.ravel()
        for cells in self._cells(offsets, width):
            if (_others(marks.writer[cells], programs) | _others(marks.reader[cells], programs)).any():
                raise Fault("race", "an atomic operation meets another program's plain load or store")
            _mark(marks.atomic, cells, programs)


def _others(marks: Array, programs: Array) -> Array:
    """Where somebody else has left a mark."""
    return np.asarray((marks != _NOBODY) & ((marks != programs) | (marks == MANY)))


def _mark(marks: Array, cells: Array | slice, programs: Array) -> None:
    before = marks[cells]
    after = np.where((before == _NOBODY) | (before == programs), programs, np.int32(MANY)).astype(np.int32)
    marks[cells] = after
    if isinstance(cells, slice):
        return
    lost = marks[cells] != after  # several lanes of this very access share the cell
    if lost.any():
        marks[cells[lost]] = MANY
