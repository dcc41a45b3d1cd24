"""What code does to the process around it while it runs: random state, variables, folder, output, network, files."""

from __future__ import annotations

import contextlib
import io
import os
import random
import socket
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from rftgym.conformance.findings import Finding, finding
from rftgym.conformance.raised import shown_path

_RESOLVES = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyname_ex"})
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_NOBODYS = ("/dev/", "/proc/", "/sys/")
"""What is written there is no file that stays."""


class NetworkRefusedError(OSError):
    """Raised in the place of a connection while a constructor is watched."""


@dataclass(frozen=True, slots=True)
class ProcessState:
    """What belongs to the whole process and should be after a call as it was before."""

    generators: dict[str, Any]
    variables: dict[str, str]
    folder: str

    @classmethod
    def now(cls) -> ProcessState:
        """The state at this moment; torch's generator only where torch is imported already."""
        return cls(_generators(), dict(os.environ), str(Path.cwd()))

    def restore(self) -> None:
        """Bring it back, so that one breach is told once and the checker's own process is not changed by it."""
        random.setstate(self.generators["random"])
        np.random.set_state(self.generators["numpy"])  # noqa: NPY002  # somebody drew from it: put back what was there
        if "torch" in self.generators:
            sys.modules["torch"].set_rng_state(self.generators["torch"])
        os.chdir(self.folder)
        for name in set(os.environ) - set(self.variables):
            del os.environ[name]
        os.environ.update(self.variables)


def _generators() -> dict[str, Any]:
    states: dict[str, Any] = {
        "random": random.getstate(),
        "numpy": np.random.get_state(),  # noqa: NPY002  # looked at, not drawn from
    }
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_rng_state"):
        states["torch"] = torch.get_rng_state()
    return states


def changed_generators(before: ProcessState) -> list[str]:
    """Names of the process's generators that are no longer as they were."""
    now = _generators()
    return [name for name, state in before.generators.items() if _comparable(state) != _comparable(now[name])]


def _comparable(state: Any) -> Any:
    if isinstance(state, tuple):
        return tuple(_comparable(each) for each in state)
    return state.tolist() if hasattr(state, "tolist") else state


@dataclass
class Watch:
    """What happened while a stretch of code ran; ask :meth:`findings` afterwards.

    Args:
        files: of the environment's author, so that a line of theirs can be named.
        constructor: connections are refused, and files that are written told.
    """

    files: frozenset[str] = frozenset()
    constructor: bool = False
    connected: list[tuple[str, str]] = field(default_factory=list)
    written: list[tuple[str, str]] = field(default_factory=list)
    printed: str = ""
    before: ProcessState = field(default_factory=ProcessState.now)
    after: ProcessState | None = None
    generators: list[str] = field(default_factory=list)

    def findings(self, stage: str) -> Iterator[Finding]:
        """What was done to the process, in the stage that is named."""
        if self.generators:
            names = " and ".join(self.generators)
            yield finding(
                "global-random-state", f"the process's global generator of {names} has changed", stage
            )
        for what, line in self.connected[:1]:
            yield finding("network-in-constructor", f"opens a network connection: {what}", _at(stage, line))
        for path, line in [each for each in self.written if not _nobodys(each[0])][:1]:
            yield finding("writes-in-constructor", f"writes {path!r}", _at(stage, line))
        if self.printed.strip():
            yield finding("prints-to-stdout", f"prints {self.printed[:60]!r}", stage)
        if self.after is not None:
            yield from self._of_process(self.after, stage)

    def _of_process(self, after: ProcessState, stage: str) -> Iterator[Finding]:
        if after.variables != self.before.variables:
            names = sorted(
                name
                for name in {*after.variables, *self.before.variables}
                if after.variables.get(name) != self.before.variables.get(name)
            )
            yield finding(
                "environment-variables-changed", f"os.environ has changed: {', '.join(names)}", stage
            )
        if after.folder != self.before.folder:
            yield finding("working-directory-changed", f"the working directory is now {after.folder}", stage)

    def saw(self, event: str, args: tuple[Any, ...]) -> None:
        """An audit event: where it is a connection, refuse it.

        Raises:
            NetworkRefusedError: in a constructor.
        """
        if event == "open":
            self._saw_open(*args)
            return
        if event == "socket.connect" and getattr(args[0], "family", None) == getattr(socket, "AF_UNIX", None):
            return
        what = f"{event.removeprefix('socket.')} {args[1] if event == 'socket.connect' else args[0]!r}"
        self.connected.append((what, self._line()))
        raise NetworkRefusedError(f"refused while the environment is made: {what}")

    def _saw_open(self, path: object, mode: object, flags: int) -> None:
        """Only note it: what is called here would be watched in turn, and may hold a lock that is wanted here."""
        if isinstance(path, str) and (flags & _WRITES or (isinstance(mode, str) and set(mode) & set("wax+"))):
            line = self._line()
            if line:  # what a library keeps for itself is not the author's doing
                self.written.append((path, line))

    def _line(self) -> str:
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and frame.f_code.co_filename not in self.files:
            frame = frame.f_back
        return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else ""


_watching: list[Watch] = []
_EVENTS = frozenset({"open", "socket.connect", "socket.sendto", *_RESOLVES})


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if _watching and event in _EVENTS:
        _watching[-1].saw(event, args)


_installed: list[bool] = []


@contextlib.contextmanager
def watching(files: frozenset[str] = frozenset(), *, constructor: bool = False) -> Iterator[Watch]:
    """Watch what runs inside; the process is as before afterwards."""
    if constructor and not _installed:
        sys.addaudithook(_audit)  # for good: Python has no way to take one out again
        _installed.append(True)
    watch, said = Watch(files, constructor), io.StringIO()
    if constructor:
        _watching.append(watch)
    try:
        with contextlib.redirect_stdout(said):
            yield watch
    finally:
        if constructor:
            _watching.remove(watch)
        watch.printed = said.getvalue()
        watch.generators = changed_generators(watch.before)
        watch.after = ProcessState(watch.before.generators, dict(os.environ), _folder())
        watch.before.restore()


def _nobodys(path: str) -> bool:
    """Whether two workers that write it at once do no harm."""
    if path.endswith((".pyc", ".lock")) or "__pycache__" in path:
        return True
    if not Path(path).is_absolute():  # in the working folder, wherever that is
        return False
    return os.path.realpath(path).startswith((*_NOBODYS, os.path.realpath(tempfile.gettempdir())))


def _folder() -> str:
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        return "one that is no longer there"


def _at(stage: str, line: str) -> str:
    if not line:
        return stage
    file, _, number = line.rpartition(":")
    return f"{shown_path(file)}:{number} ({stage})"
