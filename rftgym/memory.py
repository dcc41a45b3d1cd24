"""How much memory a stretch of work took at its peak."""

from __future__ import annotations

import re
import sys
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


def available_bytes() -> int | None:
    """What this process may still take of the machine's memory, its control group's limit included; None if unknown."""
    try:
        found = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text(encoding="utf-8"))
    except OSError:
        return None
    if found is None:
        return None
    free = [int(found[1]) * 1024]
    group = Path("/sys/fs/cgroup")
    try:  # version 2; where the files are missing or say "max" there is no limit
        limit, used = (int((group / name).read_text("ascii")) for name in ("memory.max", "memory.current"))
        reclaimable = re.search(r"^inactive_file (\d+)", (group / "memory.stat").read_text("ascii"), re.M)
        free.append(limit - used + (int(reclaimable[1]) if reclaimable else 0))
    except (OSError, ValueError):
        pass
    return max(0, min(free))


def _cuda() -> Any:
    """``torch.cuda`` where this process uses a GPU; does not import torch."""
    torch = sys.modules.get("torch")
    return torch.cuda if torch is not None and torch.cuda.is_initialized() else None
