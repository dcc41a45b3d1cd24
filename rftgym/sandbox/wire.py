"""How jobs and answers travel: a JSON header, then raw bytes. Nothing that arrives is ever unpickled.

A message is ``<u32 length of the JSON> <JSON> <blob> <blob> ...`` where every blob starts at a multiple of 64 bytes.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rftgym.sandbox.contract import Blob

ALIGNMENT = 64
PREFIX = struct.Struct("<I")
HEADER_BYTES = 8 << 20
ANSWER_HEADER_BYTES = 2 << 20  # what strangers write takes many times its size once it is parsed
MOST_BLOBS = 1 << 16


class Garbled(ValueError):
    """The bytes are not a message."""


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def pack(header: Mapping[str, Any], blobs: Sequence[Blob]) -> Iterator[bytes | memoryview]:
    """The pieces of a message, in order.

    Raises:
        TypeError: the header holds something that JSON cannot say, or a blob is no buffer.
        ValueError: the header is circular, or too large.
    """
    views = [memoryview(blob).cast("B") if memoryview(blob).nbytes else memoryview(b"") for blob in blobs]
    text = json.dumps({"header": header, "sizes": [view.nbytes for view in views]}).encode()
    if len(text) > HEADER_BYTES or len(views) > MOST_BLOBS:
        raise ValueError(f"a header of {len(text)} bytes with {len(views)} blobs is too large")
    yield PREFIX.pack(len(text)) + text
    at = PREFIX.size + len(text)
    for view in views:
        yield bytes(_aligned(at) - at)
        yield view
        at = _aligned(at) + view.nbytes


def unpack(message: memoryview, most: int = HEADER_BYTES) -> tuple[dict[str, Any], list[memoryview]]:
    """The header and the blobs, which are parts of ``message``.

    Args:
        most: bytes of the header.
    Raises:
        Garbled: it is no message; whoever sent it may have meant harm.
    """
    if len(message) < PREFIX.size:
        raise Garbled("no answer" if not len(message) else "the answer breaks off")
    (length,) = PREFIX.unpack(message[: PREFIX.size])
    if length > most or PREFIX.size + length > len(message):
        raise Garbled("the answer breaks off in its header")
    try:
        text = str(message[PREFIX.size : PREFIX.size + length], "utf-8")
        outer = json.loads(text)
        if (
            "\\ud" in text.lower()
        ):  # half of a surrogate pair is no text: it would fail wherever it is written
            json.dumps(outer, ensure_ascii=False).encode()
        header, sizes = outer["header"], outer["sizes"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Garbled(f"the answer's header cannot be read: {type(error).__name__}") from None
    if not isinstance(header, dict) or not isinstance(sizes, list) or len(sizes) > MOST_BLOBS:
        raise Garbled("the answer's header has the wrong shape")
    return header, _cut(message, PREFIX.size + length, sizes)


def _cut(message: memoryview, at: int, sizes: list[Any]) -> list[memoryview]:
    blobs = []
    for size in sizes:
        if type(size) is not int or size < 0:
            raise Garbled("the answer names an impossible size")
        start = _aligned(at)
        at = start + size
        if at > len(message):
            raise Garbled("the answer breaks off in its blobs")
        blobs.append(message[start:at])
    if at != len(message):
        raise Garbled("the answer is longer than it says")
    return blobs
