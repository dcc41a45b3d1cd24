"""Which entry points the installed distributions declare, read straight from their metadata.

``importlib.metadata`` answers the same question, but importing it and letting it look at every installed distribution
takes several times as long as starting Python, and each ``rftgym --help`` would pay for it. Wherever a distribution
could hide in something other than a folder on the path (a zip file, an egg, an import hook), that module is asked.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import importlib.metadata


class Distribution:
    """An installed distribution: its ``name`` and ``version``, and what it ``requires``."""

    __slots__ = ("name", "requires", "version")

    def __init__(self, name: str, version: str, requires: list[str]) -> None:
        self.name = name
        self.version = version
        self.requires = requires


class EntryPoint:
    """One line of a distribution's entry-point table: as much of ``importlib.metadata.EntryPoint`` as is needed."""

    __slots__ = ("dist", "name", "value")

    def __init__(self, name: str, value: str, dist: Distribution) -> None:
        self.name = name
        self.value = value
        self.dist = dist

    def load(self) -> Any:
        """Import the module, and take the object in it where one is named."""
        module, _, attributes = self.value.partition("[")[0].partition(":")
        target: Any = importlib.import_module(module.strip())
        for name in attributes.split(".") if attributes.strip() else ():
            target = getattr(target, name.strip())
        return target


class _NotFoldersError(Exception):
    """Distributions may be in places that this module doesn't look at."""


def installed_entry_points(
    group: str, path: Iterable[str] | None = None
) -> list[EntryPoint] | list[importlib.metadata.EntryPoint]:
    """The entry points of a group; of two distributions of one name, the first on the path counts.

    Args:
        group: the section of ``entry_points.txt``.
        path: folders to look in, instead of ``sys.path``.
    """
    roots = list(sys.path if path is None else path)
    try:
        return list(_from_folders(group, roots))
    except _NotFoldersError:
        import importlib.metadata

        found = importlib.metadata.distributions(path=roots)
        first = {re.sub(r"[-_.]+", "-", each.name).lower(): each for each in reversed(list(found))}
        return [entry for each in first.values() for entry in each.entry_points if entry.group == group]


def _from_folders(group: str, roots: Iterable[str]) -> Iterator[EntryPoint]:
    if any(_finds_elsewhere(finder) for finder in sys.meta_path):
        raise _NotFoldersError
    seen: set[str] = set()
    for root in roots:
        for folder in _metadata_folders(root or "."):
            name = re.sub(r"[-_.]+", "_", folder.rpartition(".")[0].partition("-")[0]).lower()
            if name not in seen:
                seen.add(name)
                yield from _declared(group, f"{root or '.'}/{folder}")


def _finds_elsewhere(finder: object) -> bool:
    kind = finder if isinstance(finder, type) else type(finder)
    return hasattr(kind, "find_distributions") and kind.__name__ != "PathFinder"


def _metadata_folders(root: str) -> list[str]:
    try:
        names = os.listdir(root)  # noqa: PTH208  # pathlib takes as long to import as all of this takes to run
    except NotADirectoryError as error:
        raise _NotFoldersError from error
    except OSError:  # not there, or not readable: imports pass over it too
        return []
    if any(name.endswith(".egg") for name in names):
        raise _NotFoldersError
    return sorted(name for name in names if name.endswith((".dist-info", ".egg-info")))


def _declared(group: str, folder: str) -> Iterator[EntryPoint]:
    text = _read(f"{folder}/entry_points.txt")
    if group not in text:
        return
    headers = (_read(f"{folder}/METADATA") or _read(f"{folder}/PKG-INFO")).partition("\n\n")[0]
    distribution = Distribution(_header(headers, "Name"), _header(headers, "Version"), _requirements(headers))
    section = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            section = line.strip("[]").strip()
        elif section == group and "=" in line and not line.startswith(("#", ";")):
            name, _, value = line.partition("=")
            yield EntryPoint(name.strip(), value.strip(), distribution)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123  # as above
            return file.read()
    except OSError:  # most distributions declare no entry points
        return ""


def _header(headers: str, name: str) -> str:
    found = re.search(rf"^{name}:[ \t]*(.*)$", headers, re.MULTILINE)
    return found[1].strip() if found else ""


def _requirements(headers: str) -> list[str]:
    return re.findall(r"^Requires-Dist:[ \t]*(.+?)\s*$", headers, re.MULTILINE)
