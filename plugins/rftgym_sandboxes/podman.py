"""The local sandbox inside a podman container. It needs no image: the container shows the machine's own libraries."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import resource
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from rftgym.errors import RftgymError
from rftgym.sandbox import Launch
from rftgym.sandbox.namespaces import view
from rftgym_sandboxes.outer import CAPABILITIES, FOLDER, OuterSandbox

CONTROL = 3  # podman passes descriptors on from this number, without gaps
WITH_CONTROL = f"import os, sys; os.dup2(int(sys.argv[1]), {CONTROL}); os.execv(sys.argv[2], sys.argv[2:])"
MOST = 4096  # open files, and processes
OWN_PLACES = ("/proc", "/sys", "/dev")  # podman mounts these itself
OPTIONS = (
    "run", "--rm", "--pull=never", "--network=none", "--log-driver=none", "--no-hosts", "--workdir=/",
    "--read-only", "--read-only-tmpfs=false", f"--preserve-fds={CONTROL - 2}", "--cap-drop=all",
    # Those of podman would forbid the sandbox's own namespaces; each job gets a far tighter filter.
    "--security-opt=seccomp=unconfined", "--security-opt=unmask=ALL", "--security-opt=label=disable",
)  # fmt: skip


class PodmanSandbox(OuterSandbox):
    """Runs the warden, the zygote and all jobs inside a podman container; root only.

    Args:
        settings: as of :class:`rftgym.sandbox.LocalSandbox`.
    Raises:
        RftgymError: there is no podman, it cannot start containers here, this isn't root, or as of ``LocalSandbox``.
    """

    outer = "podman"
    provides = "container: own files, network, IPC, processes and control group, also for the zygote"
    cure = "apt-get install podman runc, and start rftgym as root; podman info tells what is missing"

    def around(self, launch: Launch) -> Launch:
        program = shutil.which("podman")
        if program is None:
            raise RftgymError(f"the sandbox 'podman' needs the program podman: {self.cure}")
        if os.geteuid() != 0:
            raise RftgymError(
                "the sandbox 'podman' has to be started by root; the sandbox 'bubblewrap' hasn't"
            )
        inside = ["/usr/bin/env", "-i", *_assignments(launch.environment), *launch.command[:-1], str(CONTROL)]
        command = [sys.executable, "-I", "-c", WITH_CONTROL, str(launch.control), program, *OPTIONS]
        command += [*_capabilities(), *_ulimits(), *_files(launch), *inside]
        return dataclasses.replace(
            launch, command=tuple(command), environment=dict(os.environ), folder=FOLDER
        )


def _assignments(environment: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in environment.items()]


def _capabilities() -> list[str]:
    return [f"--cap-add={name}" for name in CAPABILITIES]


def _ulimits() -> list[str]:
    """None above those in force: podman would raise them, which not even every root may do."""
    options = []
    for name, which in (("nofile", resource.RLIMIT_NOFILE), ("nproc", resource.RLIMIT_NPROC)):
        hard = resource.getrlimit(which)[1]
        most = MOST if hard == resource.RLIM_INFINITY else min(hard, MOST)
        options.append(f"--ulimit={name}={most}:{most}")
    return options


def _files(launch: Launch) -> list[str]:
    places, links = view(launch.visible)
    places = [place for place in places if not place.startswith(OWN_PLACES)]
    options = [f"--volume={place}:{place}:ro" for place in places]
    root = _root(places, {link: to for link, to in links.items() if not link.is_relative_to("/sys")})
    return [*options, f"--tmpfs={FOLDER}:rw,mode=755,notmpcopyup", "--rootfs", str(root)]


def _root(places: list[str], links: Mapping[Path, Path]) -> Path:
    """A folder of links and of empty folders to mount on; kept, for the next container that shows the same."""
    links = {
        link: target
        for link, target in links.items()
        if not any(link.is_relative_to(place) for place in places)
    }
    key = hashlib.blake2b(repr((sorted(places), sorted(links.items()))).encode(), digest_size=10).hexdigest()
    base = os.environ.get("RFTGYM_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "rftgym")
    root = Path(base).expanduser() / "podman" / key
    for link, target in links.items():
        here = root / link.relative_to("/")
        here.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(
            FileExistsError
        ):  # an earlier container made it, or one that starts right now
            here.symlink_to(target)
    root.mkdir(parents=True, exist_ok=True)
    return root
