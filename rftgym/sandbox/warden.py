"""The warden: it shuts itself in, forks the zygote inside, and watches over it.

``LocalSandbox`` starts the warden as a fresh interpreter with an empty environment. It enters namespaces of its own and
forks the zygote into them, process 1 there: when that dies, the kernel kills everything in it. The warden ends the
zygote when the process that started it all is gone, even if that was killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import time
import traceback
from pathlib import Path
from typing import Any

from rftgym.sandbox import child, erase, forkable, kernel, landlock, namespaces, seccomp
from rftgym.sandbox.zygote import MESSAGE_BYTES, Config, Zygote


def main(control_fd: int) -> None:
    """Be the warden. Returns when the zygote has ended."""
    control = socket.socket(fileno=control_fd)
    control.send(b"{}")  # the kernel tells the other end who sent it
    message, fds, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 1)
    config, parent = json.loads(message), fds[0]
    forkable.volunteer_for_the_killer()
    kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    fences, report = _shut_in(control, config)
    alive, witness = os.pipe()  # the zygote sees its end close when the warden dies
    pid = os.fork()
    if not pid:
        try:
            os.close(witness)
            Zygote(control, fences, config, report).live(alive, parent)
        except BaseException:  # noqa: BLE001 - the last frame of this process
            traceback.print_exc()
        os._exit(1)
    control.close()
    os.close(alive)
    _watch(pid, parent)
    if not fences.own_root and Path(config["folder"]).exists():
        erase.erase(Path(config["folder"]))


def _watch(zygote: int, parent: int) -> None:
    """Wait for the end of either; then see to it that nothing is left."""
    pidfd = os.pidfd_open(zygote)
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    poll.register(parent, select.POLLIN)
    poll.poll()
    with contextlib.suppress(ProcessLookupError):
        os.kill(zygote, signal.SIGKILL)
    end = time.monotonic() + 5
    while time.monotonic() < end:  # orphans without a process namespace have become our children
        try:
            if not os.waitpid(-1, os.WNOHANG)[0]:
                _kill_children()
                time.sleep(0.002)
        except ChildProcessError:
            break


def _kill_children() -> None:
    try:
        listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii")
    except OSError:  # a root of our own has no /proc, and a process namespace that needs no help
        return
    for each in listed.split():
        with contextlib.suppress(OSError):
            os.kill(int(each), signal.SIGKILL)


def _shut_in(control: socket.socket, config: Config) -> tuple[child.Fences, dict[str, list[Any]]]:
    """Enter the namespaces, and find out about the other fences.

    Returns:
        The fences, and for the report ``{name: [available, detail]}``.
    """
    left_off = set(config["without"])
    shelter = namespaces.Shelter(why_not="left off")
    paths = namespaces.readable_paths(config["readable"])
    if "namespaces" not in left_off:
        namespaces.enter(shelter, lambda: _write_maps(control, config))
    if shelter.entered:
        _build_root(shelter, config, paths)
    abi = 0 if "landlock" in left_off else landlock.version()
    filters = "seccomp" not in left_off and seccomp.available()
    fences = child.Fences(shelter.entered, shelter.own_root, abi, filters)
    mapped = config["user"] is not None or config["self"][0] != 0
    fences.countable = mapped if shelter.entered else config["user"] is not None
    fences.user = None if shelter.entered else config["user"]
    fences.grants = _grants(["/"] if shelter.own_root else paths) if abi else []
    entered = "own network, IPC, users and processes" if shelter.entered else shelter.why_not
    root = "read-only, libraries only" if shelter.own_root else shelter.why_not
    return fences, {
        "namespaces": [shelter.entered, entered],
        "own root": [shelter.own_root, root],
        "landlock": [abi > 0, f"version {abi}" if abi else "left off, or not in this kernel"],
        "seccomp": [filters, "filters system calls" if filters else "left off, or not in this kernel"],
        "separate user": [config["user"] is not None, _user(config["user"])],
    }


def _build_root(shelter: namespaces.Shelter, config: Config, paths: list[str]) -> None:
    become = namespaces.become_mapped_user if config["user"] is not None else lambda: None
    if "own root" in config["without"]:
        shelter.why_not = "left off"
        become()
        return
    try:
        namespaces.build_root(config["folder"], paths, become)
        shelter.own_root = True
    except OSError as error:
        shelter.why_not = str(error)
        become()


def _user(user: int | None) -> str:
    return "jobs run as the user who started them" if user is None else f"jobs run as user {user}"


def _write_maps(control: socket.socket, config: Config) -> bool:
    if config["user"] is None:
        return namespaces.map_own_user(*config["self"])
    control.send(json.dumps({"map": True}).encode())  # only whoever stayed outside may map another user
    return bool(json.loads(control.recv(MESSAGE_BYTES))["mapped"])


def _grants(paths: list[str]) -> list[tuple[int, bool]]:
    """Open what jobs may read. Links are followed; a path that cannot be opened is none that a job could read."""
    opened = []
    for path in dict.fromkeys(str(Path(each).resolve()) for each in [*paths, *namespaces.DEVICES]):
        with contextlib.suppress(OSError):
            fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
            opened.append((fd, path in namespaces.DEVICES))
    return opened
