"""Namespaces, and a root of our own: what the zygote shuts itself in before it runs anything.

It is done once, and every job inherits it: a network without interfaces, no IPC with anybody, process numbers that name
nobody outside, and a file system that holds the interpreter's and the system's libraries, read-only, and nothing else.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rftgym.sandbox import kernel

ALL = (
    kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS | kernel.CLONE_NEWPID | kernel.CLONE_NEWIPC
    | kernel.CLONE_NEWUTS | kernel.CLONE_NEWNET
)  # fmt: skip
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SYSTEM_FILES = (
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/alternatives",
    "/etc/localtime",
)
HARDWARE = ("/sys/devices/system/cpu", "/sys/devices/system/node")
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
SCRATCH = "/scratch"
NEVER_VISIBLE = frozenset(
    {"/", "/home", "/root", "/proc", "/sys", "/dev", "/etc", "/var", "/run", "/tmp"}  # noqa: S108 - a name only
)


@dataclass(slots=True)
class Shelter:
    """What the namespaces gave.

    Attributes:
        entered: the process is in namespaces of its own.
        own_root: and sees a file system of its own.
        why_not: what the kernel said to the first thing it refused.
    """

    entered: bool = False
    own_root: bool = False
    why_not: str = ""


def readable_paths(more: Iterable[str]) -> list[str]:
    """What jobs may read: the system's libraries and ``more``, each as an absolute path that exists."""
    wanted = [*SYSTEM, *SYSTEM_FILES, *HARDWARE, *more]
    paths = dict.fromkeys(str(Path(os.path.abspath(each))) for each in wanted)  # noqa: PTH100 - links are kept as links
    return [path for path in paths if path not in NEVER_VISIBLE and Path(path).exists()]


def enter(shelter: Shelter, write_maps: Callable[[], bool]) -> None:
    """Leave every namespace that is shared with others.

    Args:
        write_maps: says who this user is outside, and may ask a more powerful process to do so; False: refused.
    """
    try:
        kernel.unshare(ALL)
    except OSError as error:
        shelter.why_not = str(error.strerror)
        return
    try:
        mapped = write_maps()
    except OSError as error:
        shelter.why_not = f"the user cannot be mapped: {error.strerror}"
        return
    shelter.entered = mapped
    shelter.why_not = "" if mapped else "the user cannot be mapped"


def map_own_user(user: int, group: int) -> bool:
    """The one map that everybody may write: user and group 0 inside are oneself outside."""
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1", encoding="ascii")
    return True


def become_mapped_user() -> None:
    """Turn into user 0 of the namespace, which is an unprivileged one outside."""
    os.setgroups([])
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)


def build_root(folder: str, paths: list[str], become: Callable[[], None]) -> None:
    """Replace the root by a small read-only one, which shows ``paths`` where they were before.

    Folders are opened as the user who started it and mounted as the one it becomes: a folder that others can't enter
    may hold the interpreter. ``/proc`` is there too, as long as nobody takes it away.

    Args:
        folder: an empty one; the new root is mounted there, so that nothing is left to remove.
    """
    kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("tmpfs", folder, "tmpfs", kernel.MS_NOSUID, "mode=755,uid=0,gid=0,size=1m,nr_inodes=4096")
    os.chdir(folder)
    places, links = view([*paths, "/proc", *DEVICES])
    sources = {path: os.open(path, os.O_PATH | os.O_CLOEXEC) for path in places}
    become()
    try:
        for path, fd in sources.items():
            _show(path, fd, writable=path == "/proc" or path in DEVICES)
        for link, target in links.items():
            _make_link(link, target)
        Path(SCRATCH[1:]).mkdir()
    finally:
        for fd in sources.values():
            os.close(fd)
    kernel.make_read_only(".", recursive=False)
    kernel.pivot_root_here()


def view(paths: Iterable[str]) -> tuple[list[str], dict[Path, Path]]:
    """What a root needs so that ``paths`` are found in it, and nothing else is.

    Returns:
        The places to mount, none within another; and the links to make, by where they lead.
    """
    paths = list(paths)
    return _outermost(paths), {link: target for path in paths for link, target in _links(path)}


def _outermost(paths: Iterable[str]) -> list[str]:
    """Without links, which are made anew, and without what lies in a folder that is shown anyway."""
    kept: list[str] = []
    for path in sorted(dict.fromkeys(str(Path(path).resolve()) for path in paths), key=len):
        if path not in NEVER_VISIBLE - {"/proc"} and not any(path.startswith(f"{each}/") for each in kept):
            kept.append(path)
    return kept


def _show(path: str, fd: int, writable: bool) -> None:
    target = Path(path[1:])
    if stat.S_ISDIR(os.fstat(fd).st_mode):
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    kernel.mount(f"/proc/self/fd/{fd}", str(target), None, kernel.MS_BIND | kernel.MS_REC)
    if not writable:
        kernel.make_read_only(str(target))


def _links(path: str) -> Iterator[tuple[Path, Path]]:
    """The symbolic links that a path leads through (``/bin``, a virtual environment), and where they end."""
    real = Path("/")
    for part in Path(path).parts[1:]:
        if (real / part).is_symlink():
            yield real / part, (real / part).resolve()
        real = (real / part).resolve()


def _make_link(link: Path, target: Path) -> None:
    here = link.relative_to("/")
    if not here.exists() and not here.is_symlink():
        here.parent.mkdir(parents=True, exist_ok=True)
        here.symlink_to(target)
