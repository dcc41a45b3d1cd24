"""The warm process from which every sandboxed one is forked."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rftgym import registry
from rftgym.errors import InfrastructureError
from rftgym.sandbox import Job, Limits, Outcome, Sandbox

PACKAGE = "rftgym_sql"
MIB = 1 << 20
ANSWER_LIMITS = {
    "sqlite": Limits(
        wall_seconds=8, cpu_seconds=1, memory_bytes=192 * MIB, output_bytes=16 * MIB, processes=1
    ),
    "duckdb": Limits(
        wall_seconds=10, cpu_seconds=2, memory_bytes=768 * MIB, output_bytes=16 * MIB, processes=1
    ),
}
TASK_LIMITS = Limits(
    wall_seconds=60, cpu_seconds=60, memory_bytes=1024 * MIB, output_bytes=64 * MIB, processes=1
)
"""For the task's own query, which is the author's."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Which process it is."""

    engine: str = "sqlite"
    workers: int | None = None
    sandbox: str = "local"
    allow_unsafe: bool = False


class Processes:
    """Runs jobs of this package; thread-safe. Starts the warm process when first used."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self._lock = threading.Lock()
        self._sandbox: Sandbox | None = None

    def answer(self, header: Mapping[str, Any]) -> Outcome:
        """Run an answer's query."""
        return self._started().run(
            Job(f"{PACKAGE}.jobs:answer", header, (), ANSWER_LIMITS[self.setting.engine])
        )

    def told(self, function: str, header: Mapping[str, Any]) -> dict[str, Any]:
        """What a job about a task itself says.

        Raises:
            InfrastructureError: it came to no end.
        """
        outcome = self._started().run(Job(f"{PACKAGE}.jobs:{function}", header, (), TASK_LIMITS))
        if outcome.status != "ok":
            raise InfrastructureError(f"the sql judge's job {function!r} failed: {outcome.message}")
        return outcome.header

    def close(self) -> None:
        """End the warm process; a new one is started when it is needed."""
        with self._lock:
            if self._sandbox is not None:
                self._sandbox.close()
            self._sandbox = None

    def _started(self) -> Sandbox:
        with self._lock:
            if self._sandbox is None:
                engine = (f"{PACKAGE}.duck:warm_up",) if self.setting.engine == "duckdb" else ()
                self._sandbox = registry.make_sandbox(
                    self.setting.sandbox,
                    preload=(f"{PACKAGE}.jobs", *engine),
                    workers=self.setting.workers,
                    allow_unsafe=self.setting.allow_unsafe,
                )
            return self._sandbox
