"""A server of this machine's own: an OpenEnv application in a process that ends with us."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import re
import selectors
import subprocess
import sys
import tempfile
import threading
import weakref
from pathlib import Path
from typing import IO

from rftgym.errors import InfrastructureError, UsageError
from rftgym_openenv.wire import shown

START_SECONDS = 90.0
_APPLICATION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
_DISTRIBUTION = "openenv-"
_OWN = "openenv-core"


class LocalServer:
    """An application in a process of its own, started when it is first asked for.

    Args:
        application: "module:app".
    """

    def __init__(self, application: str) -> None:
        self.application = application
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._url = ""

    def url(self) -> str:
        """Of the running server; starts it where none runs.

        Raises:
            UsageError: the application cannot be served; says why.
            InfrastructureError: it does not start in time.
        """
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._process = None
                self._start()
            return self._url

    def stop(self) -> None:
        """End the process; it is started again when it is needed."""
        with self._lock:
            if self._process is not None:
                self._ending()
                self._process = None

    def _start(self) -> None:
        # A file and no pipe: nobody reads what a server complains of, and a pipe would fill up.
        complaints = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115  # the process keeps it
        process = subprocess.Popen(
            [sys.executable, "-m", "rftgym_openenv.hosting", self.application],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
        )
        self._ending = weakref.finalize(self, _end, process)
        with complaints:
            line = _first_line(process)
            if line is None or not line.startswith("http://"):
                self._ending()
                complaints.seek(0)
                reason = shown(complaints.read().strip().rpartition("\n")[2], 600)
                if line is None:
                    raise InfrastructureError(
                        f"{self.application} says nothing within {START_SECONDS:g} s: {reason}"
                    )
                raise UsageError(f"{self.application} cannot be served: {reason or 'it ended'}")
        self._process, self._url = process, line.strip()


def _first_line(process: subprocess.Popen[str]) -> str | None:
    """What it says first; "" where it ends before, None where it says nothing for too long."""
    output: IO[str] | None = process.stdout
    if output is None:
        return ""
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        return output.readline() if selector.select(START_SECONDS) else None


def _end(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()  # the end of its standard input is what it waits for
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def application_of(name: str) -> str:
    """The application that a name means: "module:app" itself, or that of an installed package of an environment.

    Raises:
        UsageError: there is no such package, or it holds no application.
    """
    if _APPLICATION.fullmatch(name):
        return name
    package = name.replace("-", "_")
    for candidate in (package, f"{package}_env"):
        if _has_server(candidate):
            return f"{candidate}.server.app:app"
    known = installed_names()
    hint = (
        f"installed are {', '.join(known)}" if known else "no package of an OpenEnv environment is installed"
    )
    raise UsageError(
        f"no OpenEnv environment {name!r}: {hint}. Name the address of a server, as in "
        "openenv:http://localhost:8000, or an application, as in openenv:my_env.server.app:app"
    )


def installed_names() -> list[str]:
    """Installed packages that hold an OpenEnv application, as their distributions are called without ``openenv-``."""
    names = {
        distribution.name.removeprefix(_DISTRIBUTION)
        for distribution in importlib.metadata.distributions()
        if distribution.name.startswith(_DISTRIBUTION) and distribution.name != _OWN
    }
    return sorted(name for name in names if _has_server(name.replace("-", "_")))


def _has_server(package: str) -> bool:
    """Whether a package has a module ``server.app``; found out without importing it."""
    if not package.isidentifier():
        return False
    found = importlib.util.find_spec(package)
    places = (found.submodule_search_locations if found is not None else None) or ()
    return any((Path(place) / "server" / "app.py").is_file() for place in places)
