"""The two warm processes from which every sandboxed one is forked: one knows torch, one knows Triton's compiler."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rftgym import registry
from rftgym.sandbox import Job, Limits, Outcome, Sandbox, commands

PACKAGE = "rftgym_triton_kernels"
GIB = 1 << 30
PLAN_LIMITS = Limits(wall_seconds=5, cpu_seconds=4, memory_bytes=2 * GIB, processes=16)
REFERENCE_LIMITS = Limits(
    wall_seconds=60, cpu_seconds=60, memory_bytes=4 * GIB, output_bytes=GIB // 2, processes=16
)
COMPILE_LIMITS = Limits(wall_seconds=20, cpu_seconds=15, memory_bytes=2 * GIB, processes=16)
PTXAS_LIMITS = Limits(wall_seconds=20, cpu_seconds=15, memory_bytes=2 * GIB, processes=16)
REPLAY_LIMITS = Limits(
    wall_seconds=15, cpu_seconds=12, memory_bytes=2 * GIB, output_bytes=GIB // 2, processes=16
)
TORCH = (f"{PACKAGE}.plan:preload", f"{PACKAGE}.reference:preload")
TRITON = (f"{PACKAGE}.compiling:preload", f"{PACKAGE}.replay:preload")


class Processes:
    """Runs jobs in processes of their own; thread-safe. Starts the warm ones when first used.

    Args:
        workers: jobs at a time, of each of the two kinds; None = as many as processors.
        sandbox: id of an installed one, as `rftgym list sandbox` shows them.
        allow_unsafe: go on where the machine has too few layers of isolation.
    """

    def __init__(
        self, workers: int | None = None, *, sandbox: str = "local", allow_unsafe: bool = False
    ) -> None:
        self.workers = workers or os.cpu_count() or 1
        self._kind = sandbox
        self._allow_unsafe = allow_unsafe
        self._lock = threading.Lock()
        self._sandboxes: tuple[Sandbox, Sandbox] | None = None

    def with_torch(
        self, function: str, header: Mapping[str, Any], blobs: Sequence[bytes], limits: Limits
    ) -> Outcome:
        """Run "module:function" of this package where torch is: planning, references."""
        return self._started()[0].run(Job(f"{PACKAGE}.{function}", header, tuple(blobs), limits))

    def with_triton(
        self, function: str, header: Mapping[str, Any], blobs: Sequence[bytes], limits: Limits
    ) -> Outcome:
        """Run "module:function" of this package where the compiler is: compiling, replaying."""
        return self._started()[1].run(Job(f"{PACKAGE}.{function}", header, tuple(blobs), limits))

    def program(self, argv: Sequence[str], files: Mapping[str, bytes], limits: Limits) -> Outcome:
        """Run a program on files; `rftgym.sandbox.commands.finished` reads the outcome."""
        return self._started()[1].run(commands.command(argv, files=files, limits=limits))

    def close(self) -> None:
        """End the warm processes; new ones are started when they are needed."""
        with self._lock:
            for sandbox in self._sandboxes or ():
                sandbox.close()
            self._sandboxes = None

    def _started(self) -> tuple[Sandbox, Sandbox]:
        with self._lock:
            if self._sandboxes is None:
                with ThreadPoolExecutor(2) as pool:
                    first, second = pool.map(self._sandbox, (TORCH, TRITON))
                self._sandboxes = first, second
            return self._sandboxes

    def _sandbox(self, preload: tuple[str, ...]) -> Sandbox:
        return registry.make_sandbox(
            self._kind, preload=preload, workers=self.workers, allow_unsafe=self._allow_unsafe
        )
