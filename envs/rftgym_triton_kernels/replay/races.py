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


class _Arrivals:
    """In which order programs made their latest atomic operation, and who has stored anything since.

    A kernel may let programs count themselves in, and the last one finish the work of all: by then everybody else's
    stores have been published.
    """

    def __init__(self, total: int):
        self._order = np.full(total, _NOBODY, np.int64)
        self._unpublished = np.zeros(total, np.bool_)
        self._clock = 0

    def arrive(self, programs: Array) -> None:
        self._order[programs] = np.arange(self._clock, self._clock + programs.size)
        self._unpublished[programs] = False
        self._clock += programs.size

    def store(self, programs: Array) -> None:
        self._unpublished[slice(None) if programs[0] == MANY else programs] = True

    def excuse(self, programs: Array) -> bool:
        """Whether these lanes belong to the program that arrived last of all, after everybody's stores."""
        last = int(self._order.argmax())
        if (programs != last).any() or self._order.min() == _NOBODY:
            return False
        return int(self._unpublished.sum()) == int(self._unpublished[last])


class RaceLog:
    """Finds two programs of a launch which use one address, and one of which changes it.

    Writing what is there already changes nothing, and atomic operations may meet each other.
    """

    def __init__(self) -> None:
        self._marks: dict[int, _Marks] = {}
        self._watched: frozenset[int] = frozenset()
        self._cell = 1
        self._arrivals: _Arrivals | None = None

    def start(self, watched: frozenset[int], cell: int, counted: int = 0) -> None:
        """Begin a launch.

        Args:
            watched: Numbers of the buffers which the launch may write and where programs could meet; no other buffer
                needs a log.
            cell: Bytes of the smallest element that the launch accesses.
            counted: Number of programs, if they may learn from atomic operations who came last; else 0.
        """
        self._marks, self._watched, self._cell = {}, watched, cell
        self._arrivals = _Arrivals(counted) if counted else None

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
            conflict = _others(marks.writer[cells], programs) | _others(marks.atomic[cells], programs)
            self._judge(conflict, programs, "a program loads what another program of the same launch stores")
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
            conflict = different & _others(marks.writer[cells], programs)
            self._judge(conflict, programs, "two programs of a launch store different values to one address")
            conflict = _others(marks.reader[cells], programs) | _others(marks.atomic[cells], programs)
            message = "a program stores where another program of the same launch loads or updates"
            self._judge(different & conflict, programs, message)
            _mark(marks.writer, cells, programs)
        if self._arrivals is not None:
            self._arrivals.store(programs)

    def update(
        self, buffer: Buffer, offsets: Array | slice, width: int, programs: Array, publishes: bool
    ) -> None:
        """Note an atomic operation, and whether it makes the program's earlier stores visible to others."""
        if self._arrivals is not None and publishes:
            self._arrivals.arrive(programs)
        if buffer.number not in self._watched:
            return
        marks = self._of(buffer)
        for cells in self._cells(offsets, width):
            conflict = _others(marks.writer[cells], programs) | _others(marks.reader[cells], programs)
            self._judge(conflict, programs, "an atomic operation meets another program's plain load or store")
            _mark(marks.atomic, cells, programs)

    def _judge(self, conflict: Array, programs: Array, message: str) -> None:
        if conflict.any() and (self._arrivals is None or not self._arrivals.excuse(programs[conflict])):
            raise Fault("race", message)


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
