"""What can go wrong while a tape is replayed: a failure is data, with the kernel and the line that caused it."""

from __future__ import annotations

import time
from typing import Literal

__all__ = ["Deadline", "Fault", "FaultKind"]

FaultKind = Literal[
    "out-of-bounds", "misaligned", "race", "input-changed", "exception", "unsupported", "timeout"
]


class Fault(Exception):
    """A replay stopped: by the kernel's mistake, by a limit, or by something which isn't supported.

    Args:
        kind: What happened.
        message: One line for the kernel's author, never with a value out of a tensor.
        kernel: Name of the kernel that ran, where there was one.
        line: Line of the kernels' source, counted from 1, where it is known.
    """

    def __init__(self, kind: FaultKind, message: str, kernel: str = "", line: int | None = None):
        super().__init__(message)
        self.kind, self.message, self.kernel, self.line = kind, message, kernel, line
        self.location = (
            ""  # the operation's reference into its module's table, until it is turned into a line
        )

    def as_json(self) -> dict[str, object]:
        """The error as it travels in a result's header."""
        return {"kind": self.kind, "message": self.message, "kernel": self.kernel, "line": self.line}


class Deadline:
    """A moment after which a replay has taken too long."""

    def __init__(self, seconds: float):
        self._end = time.monotonic() + seconds
        self._seconds = seconds

    def check(self) -> None:
        """Do nothing while there is time.

        Raises:
            Fault: The time is over.
        """
        if time.monotonic() > self._end:
            raise Fault("timeout", f"the replay took longer than its {self._seconds:g} s")
