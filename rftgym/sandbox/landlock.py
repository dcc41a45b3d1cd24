"""Landlock: a process lets go of the file system, the network and its neighbours; it needs no privileges for that.

Source: the kernel's own description of the interface, Documentation/userspace-api/landlock.rst.
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Iterable

from rftgym.sandbox import kernel

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
VERSION_FLAG, PATH_BENEATH = 1, 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
REFER, TRUNCATE, IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
FILE_RIGHTS = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
READ = READ_FILE | READ_DIR
ALL_V1 = (1 << 13) - 1
MAKE_CHAR, MAKE_BLOCK = 1 << 6, 1 << 11
SCRATCH = (ALL_V1 & ~(EXECUTE | MAKE_CHAR | MAKE_BLOCK)) | REFER | TRUNCATE
TCP, SCOPED = 3, 3  # bind and connect; abstract Unix sockets and signals


class _Rule(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("fd", ctypes.c_int32))


def version() -> int:
    """Of the interface that this kernel offers; 0 where there is none."""
    try:
        return kernel.syscall("landlock", CREATE_RULESET, None, 0, VERSION_FLAG)
    except OSError:
        return 0


def handled(abi: int) -> int:
    """The rights to files that this version of the interface can take away."""
    return (
        ALL_V1 | (REFER if abi >= 2 else 0) | (TRUNCATE if abi >= 3 else 0) | (IOCTL_DEV if abi >= 5 else 0)
    )


def restrict(abi: int, grants: Iterable[tuple[int, int]]) -> None:
    """Give up every right to files but these; and TCP, signals and abstract sockets where the kernel can do that.

    Args:
        grants: (file descriptor of a file or folder, rights to it and to everything beneath). ``no_new_privs`` must
            have been set.
    """
    rights = handled(abi)
    attributes = (ctypes.c_uint64 * 3)(rights, TCP if abi >= 4 else 0, SCOPED if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    ruleset = kernel.syscall("landlock_create_ruleset", CREATE_RULESET, attributes, size, 0)
    for fd, wanted in grants:
        allowed = wanted & rights
        if not stat.S_ISDIR(os.fstat(fd).st_mode):
            allowed &= FILE_RIGHTS
        rule = ctypes.byref(_Rule(allowed, fd))
        kernel.syscall("landlock_add_rule", ADD_RULE, ruleset, PATH_BENEATH, rule, 0)
    kernel.syscall("landlock_restrict_self", RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
