"""The local sandbox inside bubblewrap: a second wall, and one that stands where only ``bwrap`` may make namespaces."""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path

from rftgym.errors import RftgymError
from rftgym.sandbox import Launch
from rftgym.sandbox.namespaces import view
from rftgym_sandboxes.outer import CAPABILITIES, FOLDER, OuterSandbox


class BubblewrapSandbox(OuterSandbox):
    """Runs the warden, the zygote and all jobs inside ``bwrap``.

    Around the fences of :class:`rftgym.sandbox.LocalSandbox`, each of which is put up inside all the same, there is a
    file system which shows what jobs may read, read-only, and no network, processes or IPC of others. An intruder who
    gets out of a job and takes the zygote over has still got nowhere.

    Args:
        settings: as of :class:`rftgym.sandbox.LocalSandbox`.
    Raises:
        RftgymError: there is no ``bwrap``, it isn't allowed to do its work here, or as of ``LocalSandbox``.
    """

    outer = "bubblewrap"
    provides = "bwrap: own files, network, IPC and processes, also for the zygote"
    cure = "apt-get install bubblewrap, and what is said for namespaces"

    def around(self, launch: Launch) -> Launch:
        program = shutil.which("bwrap")
        if program is None:
            raise RftgymError("the sandbox 'bubblewrap' needs the program bwrap: apt-get install bubblewrap")
        launch = dataclasses.replace(launch, folder=FOLDER)
        command = [program, *_namespaces(), *_files(launch), "--chdir", "/", "--", *launch.command]
        return dataclasses.replace(launch, command=tuple(command))


def _namespaces() -> list[str]:
    """Not ``--die-with-parent``: that is the end of the starting thread, and the warden watches the process itself."""
    options = [
        "--unshare-pid",
        "--as-pid-1",
        "--unshare-net",
        "--unshare-ipc",
        "--unshare-uts",
        "--unshare-cgroup-try",
    ]
    if os.geteuid() != 0:
        return [*options, "--unshare-user"]
    # Root needs no user namespace here; in one, jobs could not become another user any more.
    return [*options, "--cap-drop", "ALL", *(word for name in CAPABILITIES for word in ("--cap-add", name))]


def _files(launch: Launch) -> list[str]:
    places, links = view(launch.visible)
    links = {link: target for link, target in links.items() if not _within(link, places)}
    above = {each for path in [*map(Path, places), *links, launch.folder] for each in path.parents}
    options = []
    for folder in sorted(above - {Path("/")}):  # those that bwrap makes unasked can be entered by nobody else
        options += ["--dir", str(folder)]
    for place in places:
        options += ["--ro-bind", place, place]
    for link, target in links.items():
        options += ["--symlink", str(target), str(link)]
    return [*options, "--proc", "/proc", "--dev", "/dev", "--tmpfs", str(launch.folder)]


def _within(path: Path, places: list[str]) -> bool:
    return any(path.is_relative_to(place) for place in places)
