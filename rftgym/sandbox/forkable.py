"""Making a process fit to be forked from, again and again and quickly."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
from collections.abc import Iterator
from pathlib import Path

HUGE_PAGE = 2 << 20
MADV_HUGEPAGE, MADV_COLLAPSE = 14, 25


def settle() -> None:
    """Get ready: what exists now is left alone by the collector and lies in few, large pages.

    A fork copies a table entry per page and the exit of the child visits each one again. With torch and triton loaded
    there are 35,000 small pages; as huge pages they cost a third of the time.

    Raises:
        RuntimeError: the process isn't fit to be forked from.
    """
    check()
    gc.collect()
    gc.freeze()
    gc.disable()
    libc = ctypes.CDLL(None)
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for start, size in _private_memory():  # a refusal costs time only: an older kernel, memory in pieces
        libc.madvise(start, size, MADV_HUGEPAGE)
        for page in range(start, start + size, HUGE_PAGE):
            libc.madvise(page, HUGE_PAGE, MADV_COLLAPSE)


def check() -> None:
    """A fork takes one thread along, and shares with its parent what is mapped as shared.

    Raises:
        RuntimeError: there are other threads, or such memory.
    """
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads != 1:
        raise RuntimeError(
            f"preloading left {threads - 1} threads behind, which a fork would lose: start them in the job"
        )
    for _, _, modes, name in _mappings():
        if modes[1] == "w" and modes[3] == "s":
            raise RuntimeError(f"preloading mapped memory that jobs would share: {name}")


def address_space() -> int:
    """Bytes of address space that this process uses."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * os.sysconf("SC_PAGE_SIZE")


def volunteer_for_the_killer() -> None:
    """If the machine runs out of memory, it is a job that goes."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _mappings() -> Iterator[tuple[int, int, str, str]]:
    for line in Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines():
        addresses, modes, _, _, _, *name = line.split(maxsplit=5)
        start, _, end = addresses.partition("-")
        yield int(start, 16), int(end, 16), modes, name[0] if name else ""


def _private_memory() -> Iterator[tuple[int, int]]:
    """The parts of anonymous memory that are whole huge pages: start and size."""
    for start, end, modes, name in _mappings():
        first, last = -(-start // HUGE_PAGE) * HUGE_PAGE, end // HUGE_PAGE * HUGE_PAGE
        if modes == "rw-p" and name in ("", "[heap]") and last > first:
            yield first, last - first
