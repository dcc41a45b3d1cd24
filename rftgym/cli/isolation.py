"""What the kernel offers for running code nobody trusts. The probes ask the kernel itself."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

LANDLOCK_CREATE_RULESET = 444  # the number is the same on every architecture (Linux 5.13)
LANDLOCK_CREATE_RULESET_VERSION = 1


class Probe(NamedTuple):
    """Whether the kernel does it, and what it said."""

    ok: bool
    text: str


UNSHARE = """
import ctypes, os, sys
c = ctypes.CDLL(None, use_errno=True)
sys.exit(os.strerror(ctypes.get_errno()) if c.unshare(0x10000000) else 0)  # CLONE_NEWUSER
"""


def user_namespaces() -> Probe:
    """Try to make one."""
    done = subprocess.run([sys.executable, "-S", "-c", UNSHARE], capture_output=True, text=True, check=False)
    return Probe(not done.returncode, f"refused: {done.stderr.strip()}" if done.returncode else "can be made")


def seccomp() -> Probe:
    """System-call filters: the kernel lists the actions that it knows."""
    file = Path("/proc/sys/kernel/seccomp/actions_avail")
    try:
        actions = file.read_text(encoding="utf-8").split()
    except OSError:
        return Probe(False, "the kernel has no system-call filters")
    return Probe(
        "errno" in actions, "filters system calls" if "errno" in actions else f"only {' '.join(actions)}"
    )


def landlock() -> Probe:
    """The version of the kernel's interface, or why there is none."""
    if sys.platform != "linux":
        return Probe(False, f"Linux only; this is {sys.platform}")
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), LANDLOCK_CREATE_RULESET_VERSION)
    return Probe(version > 0, f"version {version}" if version > 0 else "not in this kernel, or switched off")


PROBES: dict[str, tuple[Callable[[], Probe], str]] = {
    "user namespaces": (
        user_namespaces,
        "sysctl -w kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0",
    ),
    "seccomp": (seccomp, "a kernel with CONFIG_SECCOMP_FILTER"),
    "landlock": (landlock, "a kernel of 5.13 or newer, booted with landlock in lsm="),
}
