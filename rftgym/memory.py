"""How much memory a stretch of work took at its peak."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def forget_peak() -> None:
    """Start the peak anew, where the system can do that (Linux; see proc_pid_clear_refs(5))."""
    cuda = _cuda()
    if cuda is not None:
        for device in range(cuda.device_count()):
            cuda.reset_peak_memory_stats(device)
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return  # then the peak is that of the process's whole life, which is still an upper bound


def peak_bytes() -> int | None:
    """The GPU's where one is in use, else the process's; None where the system does not say."""
    cuda = _cuda()
    if cuda is not None:
        return sum(int(cuda.max_memory_allocated(device)) for device in range(cuda.device_count()))
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8"))
        if found:
            return int(found[1]) * 1024
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    except (OSError, ImportError):
        return None


def available_bytes(root: Path = Path("/")) -> int | None:
    """What this process may still take of the machine's memory, its control groups' limits included; None if unknown.

    Args:
        root: of the file system where ``proc`` and ``sys`` are.
    """
    try:
        found = re.search(r"MemAvailable:\s+(\d+) kB", (root / "proc/meminfo").read_text(encoding="utf-8"))
    except OSError:
        return None
    if found is None:
        return None
    limits = (_left_in(group) for group in _control_groups(root))
    return max(0, min([int(found[1]) * 1024, *(left for left in limits if left is not None)]))


def _control_groups(root: Path) -> Iterator[Path]:
    """That of this process, and those around it (version 2; see cgroups(7))."""
    top = root / "sys/fs/cgroup"
    try:
        own = re.search(r"^0::/(.*)$", (root / "proc/self/cgroup").read_text(encoding="utf-8"), re.M)
    except OSError:
        own = None
    yield top
    for part in Path(own[1]).parts if own else ():
        top = top / part
        yield top


def _left_in(group: Path) -> int | None:
    """None where the files are missing or say "max": then there is no limit."""
    try:
        limit, used = (int((group / name).read_text("ascii")) for name in ("memory.max", "memory.current"))
        reclaimable = re.search(r"^inactive_file (\d+)", (group / "memory.stat").read_text("ascii"), re.M)
    except (OSError, ValueError):
        return None
    return limit - used + (int(reclaimable[1]) if reclaimable else 0)


def _cuda() -> Any:
    """``torch.cuda`` where this process uses a GPU; does not import torch."""
    torch = sys.modules.get("torch")
    return torch.cuda if torch is not None and torch.cuda.is_initialized() else None
