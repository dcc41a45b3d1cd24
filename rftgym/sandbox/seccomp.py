"""System-call filters: what a job may ask of the kernel.

The filter denies by name what no computation needs, and everything that is newer than the last call it knows of. It is
classic BPF, put together here; numbers are for x86_64 and aarch64, the two machines that are known.
"""

from __future__ import annotations

import ctypes
import errno
import struct
from typing import Literal, TypeAlias

from rftgym.sandbox import kernel

ALLOW, KILL, FAIL = 0x7FFF0000, 0x80000000, 0x00050000
LOAD, EQUAL, GREATER, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x25, 0x35, 0x45, 0x06
NUMBER_AT, ARCHITECTURE_AT, ARGUMENTS_AT = 0, 4, 16
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32 = 0x40000000
LAST_KNOWN = 462
NAMESPACES = (
    kernel.CLONE_NEWNS | kernel.CLONE_NEWCGROUP | kernel.CLONE_NEWUTS | kernel.CLONE_NEWIPC
    | kernel.CLONE_NEWUSER | kernel.CLONE_NEWPID | kernel.CLONE_NEWNET
)  # fmt: skip
CLONE_THREAD = 0x00010000
MAP_SHARED, MAP_ANONYMOUS = 1, 32

# name -> number on x86_64, on aarch64; None where a machine has no such call
NEVER: dict[str, tuple[int | None, int | None]] = {
    # the network; a pair of connected sockets (socketpair) is harmless
    "socket": (41, 198), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201),
    "accept": (43, 202), "accept4": (288, 242),
    # other processes
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "process_madvise": (440, 440), "process_mrelease": (448, 448), "kcmp": (312, 272),
    "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424),
    "setsid": (112, 157), "setpgid": (109, 154), "migrate_pages": (256, 238), "move_pages": (279, 239),
    "sched_setscheduler": (144, 119), "sched_setattr": (314, 274), "sched_setparam": (142, 118),
    # mounts and namespaces
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "move_mount": (429, 429), "open_tree": (428, 428), "fsopen": (430, 430), "fsconfig": (431, 431),
    "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442), "statmount": (457, 457),
    "listmount": (458, 458), "unshare": (272, 97), "setns": (308, 268),
    "swapon": (167, 224), "swapoff": (168, 225), "quotactl": (179, 60), "quotactl_fd": (443, 443),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262), "fanotify_mark": (301, 263), "mknod": (133, None), "mknodat": (259, 33),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    # the machine
    "reboot": (169, 142), "sethostname": (170, 161), "setdomainname": (171, 162),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "acct": (163, 89), "syslog": (103, 116),
    "vhangup": (153, 58), "settimeofday": (164, 170), "clock_settime": (227, 112),
    "clock_adjtime": (305, 266), "adjtimex": (159, 171), "iopl": (172, None), "ioperm": (173, None),
    "modify_ldt": (154, None), "personality": (135, 92), "uselib": (134, None), "nfsservctl": (180, 42),
    "lookup_dcookie": (212, 18), "_sysctl": (156, None), "sysfs": (139, None), "ustat": (136, None),
    # large and often attacked parts of the kernel
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "seccomp": (317, 277),
    "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "io_setup": (206, 0), "io_submit": (209, 2),
    "lsm_get_self_attr": (459, 459), "lsm_set_self_attr": (460, 460), "lsm_list_modules": (461, 461),
    # memory that no limit counts, or that outlives a process
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "shmdt": (67, 197),
    "msgget": (68, 186), "msgsnd": (69, 189), "msgrcv": (70, 188), "msgctl": (71, 187),
    "semget": (64, 190), "semop": (65, 193), "semctl": (66, 191), "semtimedop": (220, 192),
    "mq_open": (240, 180), "mq_unlink": (241, 181), "memfd_create": (319, 279), "memfd_secret": (447, 447),
    # identities
    "setuid": (105, 146), "setgid": (106, 144), "setreuid": (113, 145), "setregid": (114, 143),
    "setresuid": (117, 147), "setresgid": (119, 149), "setgroups": (116, 159),
    "setfsuid": (122, 151), "setfsgid": (123, 152), "capset": (126, 91),
}  # fmt: skip
# What the zygote, and its child before it is shut in, still have to do.
ZYGOTE = (
    "mount", "unshare", "setns", "setsid", "pidfd_open", "capset", "setresuid", "setresgid", "setgroups",
)  # fmt: skip
# Landlock watches over reading and writing, not over these; where the root is a read-only one of our own, it does.
NEVER_ON_SHARED_FILES: dict[str, tuple[int | None, int | None]] = {
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, None), "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54),
    "utime": (132, None), "utimes": (235, None), "utimensat": (280, 88), "futimesat": (261, None),
    "truncate": (76, 45), "inotify_init": (253, None), "inotify_init1": (294, 26),
}  # fmt: skip
EXECUTION: dict[str, tuple[int | None, int | None]] = {"execve": (59, 221), "execveat": (322, 281)}
FORKS: dict[str, tuple[int | None, int | None]] = {"fork": (57, None), "vfork": (58, None)}
SIGNALS: dict[str, tuple[int, int]] = {
    "kill": (62, 129), "tkill": (200, 130), "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
}  # fmt: skip
CLONE, CLONE3, PRLIMIT64, MMAP = (56, 220), (435, 435), (302, 261), (9, 222)

New: TypeAlias = Literal["nothing", "threads", "processes"]
_Instruction = tuple[int, int, int, int]


def available() -> bool:
    """Whether this kernel filters system calls, and this machine's are known."""
    if kernel.MACHINE not in ARCHITECTURES:
        return False
    try:  # a filter that cannot be read is refused with EFAULT by a kernel that has filters, else with EINVAL
        kernel.prctl(kernel.PR_SET_SECCOMP, 2, None)
    except OSError as error:
        return error.errno == errno.EFAULT
    return False


def _fail(code: int) -> _Instruction:
    return (RETURN, 0, 0, FAIL | code)


class _Program:
    """Instructions, growing; the number of the call is in the accumulator between two rules."""

    def __init__(self) -> None:
        self.column = 0 if kernel.MACHINE == "x86_64" else 1
        self.code: list[_Instruction] = [
            (LOAD, 0, 0, ARCHITECTURE_AT),
            (EQUAL, 1, 0, ARCHITECTURES[kernel.MACHINE]),
            (RETURN, 0, 0, KILL),
            (LOAD, 0, 0, NUMBER_AT),
            (GREATER, 0, 1, LAST_KNOWN),  # this covers the x32 calls too
            _fail(errno.ENOSYS),
        ]

    def deny(self, calls: dict[str, tuple[int | None, int | None]], code: int = errno.EPERM) -> None:
        numbers = [number for pair in calls.values() if (number := pair[self.column]) is not None]
        for number in sorted(numbers):
            self.code += [(EQUAL, 0, 1, number), _fail(code)]

    def examine(self, call: tuple[int, int], argument: int, rule: list[_Instruction]) -> None:
        """Apply ``rule`` to the low half of an argument; what falls through its end is allowed."""
        body = [(LOAD, 0, 0, ARGUMENTS_AT + 8 * argument), *rule, (RETURN, 0, 0, ALLOW)]
        self.code += [(EQUAL, 0, len(body), call[self.column]), *body]

    def assemble(self) -> bytes:
        return b"".join(
            struct.pack("<HBBI", *instruction) for instruction in [*self.code, (RETURN, 0, 0, ALLOW)]
        )


def for_everything() -> bytes:
    """The filter for the zygote and everything below it: what neither it nor any job needs."""
    program = _Program()
    program.deny({name: numbers for name, numbers in NEVER.items() if name not in ZYGOTE})
    # Its flags lie in memory, where no filter looks; the C library falls back to clone.
    program.deny({"clone3": CLONE3}, errno.ENOSYS)
    program.examine(CLONE, 0, [(ANY_BIT, 0, 1, NAMESPACES), _fail(errno.EPERM)])
    program.examine(PRLIMIT64, 0, [(EQUAL, 1, 0, 0), _fail(errno.EPERM)])
    return program.assemble()


def for_job(*, own_root: bool, allow_exec: bool, new: New, only_pid: int | None) -> bytes:
    """The filter that a job adds to the zygote's.

    Args:
        own_root: the file system in sight is read-only and nobody else's.
        new: what it may start.
        only_pid: signals go to this process alone; None where a process namespace sees to that.
    """
    program = _Program()
    program.deny({name: NEVER[name] for name in ZYGOTE})
    if not own_root:
        program.deny(NEVER_ON_SHARED_FILES)
    if not allow_exec:
        program.deny(EXECUTION)
    if new != "processes":
        program.deny({**FORKS, "clone": CLONE} if new == "nothing" else FORKS, errno.EAGAIN)
        program.examine(CLONE, 0, [(ANY_BIT, 1, 0, CLONE_THREAD), _fail(errno.EAGAIN)])
    if allow_exec:  # shared memory without a file isn't counted by the limit that programs are given
        shared = [(ANY_BIT, 0, 2, MAP_SHARED), (ANY_BIT, 0, 1, MAP_ANONYMOUS), _fail(errno.ENOMEM)]
        program.examine(MMAP, 3, shared)
    if only_pid is not None:
        for x86, arm in SIGNALS.values():
            program.examine((x86, arm), 0, [(EQUAL, 1, 0, only_pid), _fail(errno.EPERM)])
    return program.assemble()


class _Header(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def install(program: bytes) -> None:
    """Put a filter on this process and all its descendants, for good; ``no_new_privs`` must have been set."""
    header = _Header(len(program) // 8, program)
    kernel.prctl(kernel.PR_SET_SECCOMP, 2, ctypes.byref(header))
