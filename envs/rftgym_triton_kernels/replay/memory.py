"""Device memory: buffers, pointers into them, and every access checked.

A pointer is an int64: the buffer's number in its upper bits, a biased byte offset in the lower. Whatever arithmetic
a kernel does on it, it can only leave its own buffer, never reach another one; so a stray access is always seen.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rftgym_triton_kernels.replay import numerics
from rftgym_triton_kernels.replay.faults import Fault
from rftgym_triton_kernels.replay.ir import Array, Type
from rftgym_triton_kernels.replay.races import RaceLog

__all__ = ["Buffer", "Memory", "Offsets"]

_SHIFT = 40
_BIAS = 1 << (_SHIFT - 1)
_RAW = {8: np.uint64, 4: np.uint32, 2: np.uint16, 1: np.uint8}

Offsets = Array | slice  # indices of elements, one a lane in C order; a slice for neighbours


class Buffer:
    """Bytes with views of every width.

    Args:
        number: Its place among the tape's buffers.
        size: Bytes.
        content: Initial bytes; None for 0xFF, which is a NaN to every float type.
    """

    def __init__(self, number: int, size: int, content: bytes | memoryview | None):
        self.number, self.size = number, size
        self.base = ((number + 1) << _SHIFT) + _BIAS
        padded = np.empty(-(-size // 8) * 8 + 8, np.uint8)
        padded[:] = 0xFF
        if content is not None:
            padded[:size] = np.frombuffer(content, np.uint8)
        self.bytes: Array = padded
        self._raw: dict[int, Array] = {width: padded.view(dtype) for width, dtype in _RAW.items()}
        self.original = content
        self.seen: Array | None = None  # bool, a byte each: what kernels loaded, where somebody wants to know

    def watch(self) -> None:
        """Remember from now on what is loaded."""
        self.seen = np.zeros(self.bytes.size, np.bool_)

    def note(self, offsets: Offsets, width: int) -> None:
        """Remember a load of elements."""
        if self.seen is not None:
            self.seen.reshape(-1, width)[offsets] = True

    @property
    def share_seen(self) -> float:
        """Share of the bytes that kernels loaded; 1 where there are none, or nobody watched."""
        return 1.0 if self.seen is None or not self.size else float(self.seen[: self.size].mean())

    def raw(self, width: int) -> Array:
        """The content as unsigned integers of a width in bytes."""
        return self._raw[width]

    def typed(self, element: str) -> Array:
        """The content as numbers; bfloat16 as its bits."""
        return (
            self._raw[2]
            if element == "bf16"
            else self.bytes.view("u1" if element == "i1" else Type(element).storage)
        )

    @property
    def changed(self) -> bool:
        """Whether an input buffer no longer holds what it came with."""
        original = self.original
        return original is not None and not np.array_equal(
            self.bytes[: self.size], np.frombuffer(original, np.uint8)
        )


class Memory:
    """The buffers of a tape, and the log of accesses of the launch that runs.

    Args:
        buffers: All of them; their numbers are their places.
    """

    def __init__(self, buffers: list[Buffer]):
        self.buffers = buffers
        self.log = RaceLog()

    def locate(self, addresses: Array, pointee: Type, doing: str) -> list[tuple[Buffer, Offsets, Any]]:
        """Check addresses, and turn them into indices.

        Args:
            addresses: int64, every lane of it is accessed.
            pointee: Type of the elements.
            doing: "load", "store" or "atomic", for the message.
        Returns:
            (buffer, element indices, which lanes) for each buffer; `...` stands for all lanes.
        Raises:
            Fault: An address outside its buffer, or not a multiple of the element's size.
        """
        low, high = int(addresses.min()), int(addresses.max())
        number = (low >> _SHIFT) - 1
        if number == (high >> _SHIFT) - 1:
            return [(*self._within(number, addresses, low, high, pointee, doing), ...)]
        found = []
        numbers = (addresses >> _SHIFT) - 1
        for number in np.unique(numbers).tolist():
            lanes = numbers == number
            chosen = addresses[lanes]
            found.append(
                (*self._within(number, chosen, int(chosen.min()), int(chosen.max()), pointee, doing), lanes)
            )
        return found

    def _within(
        self, number: int, addresses: Array, low: int, high: int, pointee: Type, doing: str
    ) -> tuple[Buffer, Offsets]:
        if not 0 <= number < len(self.buffers):
            raise Fault("out-of-bounds", f"{doing} through something which is not a pointer to a tensor")
        buffer = self.buffers[number]
        width = pointee.width
        if low < buffer.base or high > buffer.base + buffer.size - width:
            where = "past the end" if high > buffer.base + buffer.size - width else "before the start"
            held = buffer.size // width  # and not where: an address may be made from the inputs' values
            raise Fault("out-of-bounds", f"{doing} {where} of a buffer of {held} elements of {width} bytes")
        if high - low == (addresses.size - 1) * width and low % width == 0 and _in_a_row(addresses, width):
            first = (low - buffer.base) // width
            return buffer, slice(first, first + addresses.size)
        offsets: Array = addresses - buffer.base
        if width > 1:
            if int(np.bitwise_or.reduce(offsets, axis=None)) & (width - 1):
                raise Fault("misaligned", f"{doing} at an address which is no multiple of {width} bytes")
            offsets >>= width.bit_length() - 1
        return buffer, offsets

    def load(self, addresses: Array, pointee: Type, programs: Array) -> Array:
        """Read one element a lane.

        Args:
            addresses: int64, any shape.
            pointee: Type of the elements.
            programs: The program of each lane, of the same shape or broadcastable to it.
        """
        parts = self.locate(addresses, pointee, "load")
        if len(parts) == 1:
            buffer, offsets, _ = parts[0]
            return self._read(buffer, offsets, pointee, programs).reshape(addresses.shape)
        result = np.empty(addresses.shape, pointee.storage)
        for buffer, offsets, lanes in parts:
            whose = np.broadcast_to(programs, addresses.shape)[lanes]
            result[lanes] = self._read(buffer, offsets, pointee, whose)
        return result

    def _read(self, buffer: Buffer, offsets: Offsets, pointee: Type, programs: Array) -> Array:
        self.log.read(buffer, offsets, pointee.width, programs)
        buffer.note(offsets, pointee.width)
        content = buffer.typed(pointee.element)
        return decode(
            content[offsets].copy() if isinstance(offsets, slice) else content.take(offsets), pointee
        )

    def store(self, addresses: Array, values: Array, pointee: Type, programs: Array) -> None:
        """Write one element a lane; arguments are flat and of one length.

        Raises:
            Fault: Also for two lanes that write different values to one address.
        """
        coded = encode(values, pointee).view(_RAW[pointee.width])
        for buffer, offsets, lanes in self.locate(addresses, pointee, "store"):
            content = buffer.raw(pointee.width)
            mine, whose = coded[lanes], programs[lanes]
            self.log.write(buffer, offsets, pointee.width, whose, content, mine)
            content[offsets] = mine
            if not isinstance(offsets, slice) and (content[offsets] != mine).any():
                raise Fault(
                    "race",
                    "two lanes of one store, of one program or of two, write different values to one address",
                )


def _in_a_row(addresses: Array, width: int) -> bool:
    """Whether every lane's address follows the one before."""
    flat = addresses.ravel()
    return bool((flat[1:] - flat[:-1] == width).all())


def decode(raw: Array, pointee: Type) -> Array:
    """Memory's elements as values."""
    if pointee.element == "bf16":
        return numerics.bfloat16_from_bits(raw)
    return raw != 0 if pointee.element == "i1" else raw


def encode(values: Array, pointee: Type) -> Array:
    """Values as memory's elements."""
    if pointee.element == "bf16":
        return numerics.bits_of_bfloat16(values)
    return values.astype(np.uint8) if pointee.element == "i1" else np.ascontiguousarray(values)
