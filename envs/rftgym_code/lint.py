"""What ruff says of an answer. The answer is text to it, and it runs in the sandbox all the same."""

from __future__ import annotations

import functools
import json
import shutil
import sys
import threading
from pathlib import Path
from typing import Any, Final

from rftgym.errors import InfrastructureError
from rftgym.sandbox import Limits, Sandbox, commands

RULES: Final = "E4,E7,E9,F,B,C4,SIM,RET,PIE,UP,PERF"
LIMITS: Final = Limits(wall_seconds=10, cpu_seconds=8, memory_bytes=1 << 30)
MOST_FINDINGS: Final = 50
MISSING: Final = "ruff is not installed; pip install ruff, or give the reward 'lint' no weight"


class Linter:
    """Runs ruff on answers; thread-safe. The last answers are remembered.

    Args:
        workers: answers at a time; None = as many as processors.
        sandbox: id of an installed one.
        allow_unsafe: go on where the machine cannot isolate untrusted code.
    """

    def __init__(
        self, workers: int | None = None, *, sandbox: str = "local", allow_unsafe: bool = False
    ) -> None:
        self._kind = sandbox
        self._settings: dict[str, Any] = {"workers": workers, "allow_unsafe": allow_unsafe}
        self._lock = threading.Lock()
        self._sandbox: Sandbox | None = None

    def lint(self, code: str) -> dict[str, Any]:
        """What ruff finds.

        Returns:
            {"findings": codes of rules}, or {"missing": why there are none}.
        Raises:
            InfrastructureError: ruff could not be run.
        """
        program = ruff()
        if program is None:
            return {"missing": MISSING}
        argv = [
            program,
            "check",
            "--isolated",
            "--no-cache",
            "--ignore-noqa",
            "--quiet",
            "--output-format=json",
            f"--select={RULES}",
        ]
        files = {"answer.py": code.encode("utf-8", "replace")}
        job = commands.command([*argv, "answer.py"], files=files, limits=LIMITS, captured_bytes=1 << 20)
        outcome = self._started().run(job)
        if outcome.status in ("timeout", "memory"):
            return {"findings": [outcome.status] * MOST_FINDINGS}
        result = commands.finished(outcome)
        if result.exit_code not in (0, 1):
            raise InfrastructureError(f"ruff failed: {result.stderr.decode(errors='replace')[:500]}")
        try:
            found = [str(each["code"]) for each in json.loads(result.stdout)]
        except ValueError:  # so much of it that it was cut
            found = ["many"] * MOST_FINDINGS
        return {"findings": found[:MOST_FINDINGS]}

    def close(self) -> None:
        """End the sandbox; a new one is started when it is needed."""
        with self._lock:
            if self._sandbox is not None:
                self._sandbox.close()
                self._sandbox = None

    def _started(self) -> Sandbox:
        from rftgym.registry import make_sandbox

        with self._lock:
            if self._sandbox is None:
                self._sandbox = make_sandbox(self._kind, **self._settings)
            return self._sandbox


def ruff() -> str | None:
    """Where ruff is: next to this interpreter, or on the path."""
    beside = Path(sys.executable).with_name("ruff")
    return str(beside) if beside.is_file() else shutil.which("ruff")


@functools.lru_cache(maxsize=8)
def shared_linter(workers: int | None, sandbox: str, allow_unsafe: bool, process: int) -> Linter:
    """The linter that all environments of a process share which have the same settings."""
    return Linter(workers, sandbox=sandbox, allow_unsafe=allow_unsafe)
