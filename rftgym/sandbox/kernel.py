"""The system calls that Python's own library lacks. Each one raises ``OSError`` when the kernel refuses."""

from __future__ import annotations

import ctypes
import os
import platform
from typing import Any

MACHINE = platform.machine()
X86 = MACHINE == "x86_64"

CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWTIME = 0x10000000, 0x20000000, 0x40000000, 0x80
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 8, 4096, 16384, 1 << 18
MNT_DETACH = 2
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = (
    1,
    4,
    22,
    36,
    38,
)
AT_RECURSIVE, MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID = 0x8000, 1, 2

SYS_PIVOT_ROOT = 155 if X86 else 41
SYS_CAPSET = 126 if X86 else 91
SYS_CLOSE_RANGE, SYS_MOUNT_SETATTR = 436, 442  # from 424 on, numbers are the same on every architecture

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result


def syscall(what: str, number: int, *arguments: Any) -> int:
    """Call by number. Integers are passed as longs."""
    longs = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    return _checked(_libc.syscall(ctypes.c_long(number), *longs), what)


def unshare(flags: int) -> None:
    """Leave some of the namespaces that this process shares with others."""
    _checked(_libc.unshare(flags), "unshare")


def setns(fd: int, kind: int) -> None:
    """Enter the namespace that ``fd`` stands for."""
    _checked(_libc.setns(fd, kind), "setns")


def prctl(option: int, *arguments: Any) -> int:
    """One of the many switches of a process."""
    longs = [ctypes.c_ulong(each) if isinstance(each, int) else each for each in arguments]
    longs += [ctypes.c_ulong(0)] * (4 - len(longs))
    return _checked(_libc.prctl(option, *longs), "prctl")


def mount(source: str, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    """Mount, bind or change a mount."""
    encoded = [each.encode() if each is not None else None for each in (source, target, kind)]
    text = data.encode() if data is not None else None
    _checked(_libc.mount(*encoded, ctypes.c_ulong(flags), text), f"mount {target}")


def unmount(target: str) -> None:
    """Take a mount out of sight; it goes when nobody uses it any more."""
    _checked(_libc.umount2(target.encode(), MNT_DETACH), f"umount {target}")


def pivot_root_here() -> None:
    """Make the working directory, which must be a mount, the root, and let go of the old root."""
    syscall("pivot_root", SYS_PIVOT_ROOT, ctypes.c_char_p(b"."), ctypes.c_char_p(b"."))
    unmount(".")
    os.chdir("/")


def make_read_only(target: str, recursive: bool = True) -> None:
    """Nothing can be written through this mount, and no file gives privileges there."""
    attributes = (ctypes.c_uint64 * 4)(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, 0, 0, 0)
    path, flags = ctypes.c_char_p(target.encode()), AT_RECURSIVE if recursive else 0
    syscall(
        f"mount_setattr {target}", SYS_MOUNT_SETATTR, -100, path, flags, attributes, ctypes.sizeof(attributes)
    )


def drop_capabilities() -> None:
    """All of them. With ``no_new_privs`` set, none can come back."""
    header, none = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    syscall("capset", SYS_CAPSET, header, none)


def close_all_but(keep: set[int]) -> None:
    """Close every file descriptor from 3 on that isn't kept."""
    low = 3
    for high in [*sorted(fd for fd in keep if fd >= 3), 1 << 31]:
        if high > low:
            syscall("close_range", SYS_CLOSE_RANGE, low, high - 1, 0)
        low = high + 1
