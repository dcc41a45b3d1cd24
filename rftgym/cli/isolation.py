"""What this machine offers for running code nobody trusts. The sandbox itself is asked: it puts up what it can."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

from rftgym.sandbox import Layer, LocalSandbox

SECONDS = 20
# program -> (arguments of a trial run, how to get it, what to do where the trial fails)
TOOLS = {
    "bubblewrap": (
        ["bwrap", "--ro-bind", "/", "/", "--unshare-all", "true"],
        "apt-get install bubblewrap",
        "allow unprivileged user namespaces, or run outside of a container that forbids them",
    ),
    "docker": (
        ["docker", "info"],
        "https://docs.docker.com/engine/install/",
        "start its daemon, join its group",
    ),
    "podman": (["podman", "info"], "apt-get install podman", "podman info tells what is missing"),
}


def layers() -> Iterator[Layer]:
    """The fences of the default sandbox, and the tools that can put another one around it."""
    yield from LocalSandbox.detect()
    for name, (trial, get, mend) in TOOLS.items():
        yield _tool(name, trial, get, mend)


def _tool(name: str, trial: list[str], get: str, mend: str) -> Layer:
    path = shutil.which(trial[0])
    if path is None:
        return Layer(name, False, "not installed; only to put another wall around the sandbox", get)
    try:
        done = subprocess.run(
            [path, *trial[1:]],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Layer(name, False, f"installed, but: {error}", mend)
    said = (done.stderr.strip() or "it fails").splitlines()[-1]
    return Layer(
        name,
        not done.returncode,
        f"installed, but: {said}" if done.returncode else path,
        mend if done.returncode else "",
    )
