"""Writing that a kill at any moment cannot tear: files and directories appear by rename, lines by append.

Order matters to the disk as well as to the eye: data is flushed before the name that promises it appears, and
the directory that holds the name is flushed after.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from rftgym.errors import UsageError

TEMPORARY = ".tmp-"
"""Prefix of what is being written; nobody reads it, and :func:`sweep` removes what a killed process left of it."""
REPLACED = ".old-"
"""Prefix of a directory that is being replaced; :func:`sweep` restores it when its successor never came."""


def check_writable(root: Path, *, what: str, option: str) -> None:
    """Make a directory where it is missing, and see that something can be made in it.

    Args:
        what: is to be made; ``option``: of the command line that names another place.
    Raises:
        UsageError: nothing can be written there.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        reason = None if os.access(root, os.W_OK | os.X_OK) else "no permission to write"
    except OSError as error:
        reason = error.strerror or str(error)
    if reason is not None:
        raise UsageError(f"cannot make a {what} in {root}: {reason}; choose another place with {option} DIR")


@contextmanager
def writing(path: Path) -> Iterator[IO[bytes]]:
    """A file that gets its name when the block ends well: readers see the old one or the new one, never a part.

    That holds after a power cut too. When the block raises, the old file, if any, is untouched.

    Raises:
        OSError: the disk is full or the like.
    """
    temporary = _beside(path, TEMPORARY)
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    flush(path.parent)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file as a whole; see :func:`writing`."""
    with writing(path) as file:
        file.write(data)


def append_line(path: Path, line: bytes) -> None:
    """Append one line to a file of lines; when this returns, it is on the disk.

    What a killed writer left of its last line is cut first, so that the new line stands alone.

    Args:
        path: made when it is not there.
        line: without its line end; must not hold one.
    """
    if b"\n" in line:
        raise ValueError("a line holds no line end")
    fresh = not path.exists()
    with path.open("ab+") as file:
        file.truncate(_end_of_last_line(file.fileno()))
        file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())
    if fresh:
        flush(path.parent)


def read_lines(path: Path) -> list[bytes]:
    """The whole lines of a file, without line ends; [] when there is no file.

    A torn last line is left out, not cut: its writer may still be at it.
    """
    if not path.exists():
        return []
    return path.read_bytes().split(b"\n")[:-1]


@contextmanager
def staging(path: Path) -> Iterator[Path]:
    """A temporary directory beside ``path``, which vanishes when the block raises; the block gives it its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _beside(path, TEMPORARY)
    temporary.mkdir()
    try:
        yield temporary
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


@contextmanager
def new_directory(path: Path) -> Iterator[Path]:
    """Fill a temporary directory, which becomes ``path`` when the block ends well and vanishes when it doesn't.

    A directory of this name is replaced; killed in that moment, :func:`sweep` brings the old one back.
    """
    with staging(path) as temporary:
        yield temporary
        _sync_tree(temporary)
        old = None
        if (
            path.exists()
        ):  # POSIX renames a directory only onto an empty one, so the old one steps aside first
            old = _beside(path, REPLACED)
            path.rename(old)
        try:
            temporary.rename(path)
        except BaseException:
            if old is not None:
                old.rename(path)
            raise
    flush(path.parent)
    if old is not None:
        shutil.rmtree(old)


def name_directory(temporary: Path, names: Iterable[Path]) -> Path:
    """Give a filled directory the first name that is free.

    The rename itself decides what is free, so two processes never share a name.

    Raises:
        FileExistsError: every name is taken.
    """
    _sync_tree(temporary)
    for name in names:
        try:
            temporary.rename(name)
        except OSError:
            if not name.exists():
                raise
        else:
            flush(name.parent)
            return name
    raise FileExistsError(f"no free name for {temporary}")


def remove_directory(path: Path) -> None:
    """Remove a directory so that a half-removed one is never taken for a whole one."""
    if path.exists():
        trash = _beside(path, TEMPORARY)
        path.rename(trash)
        flush(path.parent)
        shutil.rmtree(trash)


def sweep(directory: Path) -> None:
    """Remove what a killed process left unfinished in a directory. Only its one writer may call this."""
    for item in sorted(directory.glob(f"{REPLACED}*")):
        original = item.with_name(item.name.removeprefix(REPLACED).rpartition("~")[0])
        if original.exists():
            shutil.rmtree(item)
        else:
            item.rename(original)
    for item in sorted(directory.glob(f"{TEMPORARY}*")):
        if item.is_dir():
            shutil.rmtree(item)
        else:
            item.unlink()


def claim(path: Path) -> IO[str]:
    """Become the one process that writes somewhere, until the file that is returned is closed or the process ends.

    Raises:
        UsageError: another process that lives has claimed it; says which.
    """
    file = path.open("a+", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        owner = file.read().strip()
        # a lock outlives its owner in the owner's children, and this process may have claimed it before
        if owner != str(os.getpid()) and _lives(owner):
            file.close()
            text = f"{path.parent} is being written by process {owner}; stop it or wait for its end"
            raise UsageError(text) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def _lives(process: str) -> bool:
    try:
        os.kill(int(process), 0)
    except PermissionError:
        return True
    except (ProcessLookupError, ValueError):
        return False
    return True


def flush(path: Path) -> None:
    """Wait until a file's bytes, or a directory's list of names, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _beside(path: Path, prefix: str) -> Path:
    return path.with_name(f"{prefix}{path.name}~{secrets.token_hex(4)}")


def _end_of_last_line(descriptor: int) -> int:
    """Bytes up to and with the last line end. Looks back block by block: files grow, torn ends are short."""
    end = os.fstat(descriptor).st_size
    while end > 0:
        start = max(0, end - 65_536)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _sync_tree(directory: Path) -> None:
    for item in [*directory.rglob("*"), directory]:
        if item.is_file() or item.is_dir():
            flush(item)
