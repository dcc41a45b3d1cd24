"""Removing a folder that somebody hostile has filled."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator
from pathlib import Path


def erase(folder: Path) -> None:
    """Remove a folder, however deep, wherever its links point and whatever its modes say.

    Folders within folders are moved up one by one, so that no path grows long and nothing recurses. What cannot be
    removed stays, and nothing is raised.
    """
    names = (folder / f".erase-{number}" for number in itertools.count())
    with contextlib.suppress(OSError):
        folder.chmod(0o700)
        while entries := list(os.scandir(folder)):
            before = {each.name for each in entries}
            for each in entries:
                with contextlib.suppress(OSError):
                    _empty(each, names)
            if {each.name for each in os.scandir(folder)} == before:
                return  # no progress
        folder.rmdir()


def _empty(entry: os.DirEntry[str], names: Iterator[Path]) -> None:
    path = Path(entry.path)
    if not entry.is_dir(follow_symlinks=False):
        path.unlink()
        return
    path.chmod(0o700)
    for below in list(os.scandir(path)):
        if below.is_dir(follow_symlinks=False):
            Path(below.path).chmod(0o700)  # else it cannot be moved: its ".." changes
            Path(below.path).rename(next(names))
        else:
            Path(below.path).unlink()
    path.rmdir()
