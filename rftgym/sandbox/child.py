"""What becomes of a fork of the zygote: it shuts itself in, runs one function, answers and is gone."""

from __future__ import annotations

import gc
import importlib
import math
import mmap
import os
import resource
import signal
import socket
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from rftgym.sandbox import kernel, landlock, seccomp, wire
from rftgym.sandbox.namespaces import SCRATCH, SYSTEM

CONFINED = b"confined"  # said to the parent before anything untrusted runs
EXIT_UNCONFINED = 121
MESSAGE_CHARACTERS, TRACEBACK_CHARACTERS = 2000, 4000
OPEN_FILES = 256
SCRATCH_INODES = 16384
DEVICE = landlock.READ_FILE | landlock.WRITE_FILE | landlock.IOCTL_DEV


@dataclass(slots=True)
class Fences:
    """What is put around every job, worked out once.

    Attributes:
        namespaces: jobs get a process namespace and a user namespace of their own.
        own_root: the file system in sight is the zygote's own.
        landlock_abi: 0: none.
        filtering: system calls are filtered.
        grants: (open file descriptor, is it a device).
        address_space: bytes that the zygote itself uses.
        countable: the kernel counts the processes of a job; it doesn't among others of the same user, nor root's.
            There, a job may start threads, and processes only if it may execute programs.
        user: to become, where there is no user namespace; None: stay.
        filters: system-call filters by what they depend on.
    """

    namespaces: bool = False
    own_root: bool = False
    landlock_abi: int = 0
    filtering: bool = False
    grants: list[tuple[int, bool]] = field(default_factory=list)
    address_space: int = 0
    countable: bool = False
    user: int | None = None
    filters: dict[tuple[bool, seccomp.New], bytes] = field(default_factory=dict)

    def filter(self, limits: Mapping[str, Any]) -> bytes:
        """The system-call filter for such a job. Filters that name no process are kept."""
        allow_exec: bool = limits["allow_exec"]
        new: seccomp.New = "processes" if self.countable or allow_exec else "threads"
        if limits["processes"] == 1:
            new = "nothing"
        if (allow_exec, new) in self.filters:
            return self.filters[allow_exec, new]
        pid = None if self.namespaces else os.getpid()
        program = seccomp.for_job(own_root=self.own_root, allow_exec=allow_exec, new=new, only_pid=pid)
        if pid is None:
            self.filters[allow_exec, new] = program
        return program


@dataclass(frozen=True, slots=True)
class Order:
    """What the zygote was told about a job. ``limits`` are those of :class:`rftgym.sandbox.Limits`."""

    function: str
    limits: Mapping[str, Any]
    size: int
    scratch: str = ""  # made by the zygote where the job cannot mount one of its own


def serve(order: Order, fences: Fences, job_fd: int, answer_fd: int, line_fd: int) -> NoReturn:
    """Run a job in this process, which ends here whatever happens."""
    code = EXIT_UNCONFINED
    try:
        try:
            job = mmap.mmap(job_fd, order.size, flags=mmap.MAP_PRIVATE)
            confine(order, fences, keep={answer_fd, line_fd})
            line = socket.socket(fileno=line_fd)
            line.send(CONFINED)
            line.close()
        except BaseException:  # noqa: BLE001 - it is told, and this process ends
            _say(answer_fd, "error", {}, (), traceback.format_exc()[-MESSAGE_CHARACTERS:])
        else:
            code = 1
            _run(order.function, memoryview(job), answer_fd)
            code = 0
    finally:  # nothing may get back into the zygote's loop, whatever was raised
        os._exit(code)


def confine(order: Order, fences: Fences, keep: set[int]) -> None:
    """Put every fence up, from the widest to the tightest. There is no way back.

    Raises:
        OSError: one of them could not be put up.
    """
    limits = order.limits
    os.setsid()
    os.dup2(0, 2)  # /dev/null; the zygote's own complaints go where its starter reads them
    _enter_scratch(order, fences)
    _limit(limits, fences)
    if fences.namespaces:
        kernel.unshare(kernel.CLONE_NEWUSER)
    elif fences.user is not None:
        os.setgroups([])
        os.setresgid(fences.user, fences.user, fences.user)
        os.setresuid(fences.user, fences.user, fences.user)
    kernel.drop_capabilities()  # with no_new_privs, which the zygote has set, none of them can come back
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    if fences.landlock_abi:
        landlock.restrict(fences.landlock_abi, _grants(order, fences))
    kernel.close_all_but(keep)
    if fences.filtering:
        seccomp.install(fences.filter(limits))
    # Last, because the fences themselves need a little memory.
    if not limits["allow_exec"]:
        most = fences.address_space + order.size + limits["memory_bytes"]
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _enter_scratch(order: Order, fences: Fences) -> None:
    size = order.limits["scratch_bytes"]
    folder = order.scratch
    if size and fences.own_root:
        folder = SCRATCH
        kernel.unshare(
            kernel.CLONE_NEWNS
        )  # nobody else sees what is mounted now, and it goes with the process
        options = f"mode=700,size={size},nr_inodes={SCRATCH_INODES}"
        kernel.mount("tmpfs", folder, "tmpfs", kernel.MS_NOSUID | kernel.MS_NODEV, options)
    os.chdir(folder or "/")
    os.environ["HOME"] = os.environ["TMPDIR"] = folder or "/nonexistent"
    tempfile.tempdir = folder or None  # whatever was found while things were imported


def _limit(limits: Mapping[str, Any], fences: Fences) -> None:
    seconds = math.ceil(limits["cpu_seconds"])
    values = {
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_FSIZE: limits["file_bytes"],
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
    }
    if limits["allow_exec"]:
        values[resource.RLIMIT_DATA] = fences.address_space + limits["memory_bytes"]
    if fences.countable:
        values[resource.RLIMIT_NPROC] = limits["processes"]
    for which, value in values.items():
        hard = resource.getrlimit(which)[1]
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (most, most))


def _grants(order: Order, fences: Fences) -> list[tuple[int, int]]:
    """What Landlock leaves: reading what is in sight, and the scratch folder."""
    allow_exec, programs = order.limits["allow_exec"], order.limits["programs"]
    everything = landlock.EXECUTE if allow_exec and not programs else 0
    grants = []
    for fd, device in fences.grants:
        rights = DEVICE if device else landlock.READ | everything
        grants.append((fd, rights))
    if allow_exec and programs:
        for program in (*programs, *filter(os.path.exists, SYSTEM)):
            grants.append((os.open(program, os.O_PATH | os.O_CLOEXEC), landlock.READ | landlock.EXECUTE))
    if order.limits["scratch_bytes"]:
        grants.append((os.open(".", os.O_PATH | os.O_CLOEXEC), landlock.SCRATCH))
    return grants


def _run(function: str, job: memoryview, answer_fd: int) -> None:
    """From here on nothing is to be trusted: what is sent may be anything, and may be sent by anybody."""
    gc.enable()
    try:
        header, blobs = wire.unpack(job)
        module, _, name = function.partition(":")
        call: Any = importlib.import_module(module)
        for part in name.split("."):
            call = getattr(call, part)
        said, given = call(header, blobs)
        _say(answer_fd, "ok", said, given, "")
    except BaseException as error:  # noqa: BLE001 - whatever it raises is the job's own answer
        out = isinstance(error, MemoryError) or "allocate memory" in str(error)
        trace = traceback.format_exc()[-TRACEBACK_CHARACTERS:]
        message = f"{type(error).__name__}: {error}"[:MESSAGE_CHARACTERS]
        _say(answer_fd, "memory" if out else "error", {"traceback": trace}, (), message)


def _say(fd: int, status: str, header: Mapping[str, Any], blobs: Sequence[Any], message: str) -> None:
    outer = {"status": status, "message": message, "answer": dict(header)}
    with os.fdopen(fd, "wb", closefd=False) as pipe:
        for piece in wire.pack(outer, blobs):
            pipe.write(piece)
