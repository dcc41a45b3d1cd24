"""JavaScript programs, run by Node.js in the sandbox. The harness lies next to this module."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from rftgym.sandbox import Job, Limits, commands
from rftgym_transpile.programs import RESULTS, Program, Ran, Workshop, no_toolchain, written

CURE = "apt-get install nodejs (18 or later)"
HARNESS = Path(__file__).parent / "harness" / "harness.js"
MEBIBYTE = 1 << 20
START_SECONDS = 10.0
FLAGS = ("--max-old-space-size=256", "--stack-size=3000", "--single-threaded-gc", "--v8-pool-size=1")


def find_node() -> str | None:
    """The program; None where there is none."""
    return shutil.which("node") or shutil.which("nodejs")


@functools.cache
def _harness() -> bytes:
    return HARNESS.read_bytes()


class Node:
    """Runs JavaScript programs; thread-safe. Starts its sandbox when first used.

    Args:
        settings: of `rftgym_transpile.programs.Workshop`.
    Raises:
        UsageError: Node.js is not installed.
    """

    def __init__(self, **settings: Any) -> None:
        program = find_node()
        if program is None:
            raise no_toolchain("Node.js", CURE)
        self._program = program
        self._workshop = Workshop(**settings)

    def run(self, programs: Sequence[Program]) -> list[Ran]:
        """What becomes of each program. One that ends the process costs itself only.

        Raises:
            InfrastructureError: Node.js cannot be run at all.
        """
        return self._workshop.run_all(programs, self._job)

    def close(self) -> None:
        """End the sandbox; a second call does nothing."""
        self._workshop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _job(self, programs: Sequence[Program], seconds: float) -> Job:
        seconds += START_SECONDS + len(programs)
        limits = Limits(wall_seconds=seconds, cpu_seconds=seconds, memory_bytes=1024 * MEBIBYTE, processes=64)
        return commands.command(
            [self._program, *FLAGS, "harness.js"],
            files={"harness.js": _harness(), "programs.json": written(programs)},
            outputs=[RESULTS],
            limits=limits,
        )
