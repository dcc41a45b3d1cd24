"""What the judge found out about an answer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal[
    "right",
    "format",
    "syntax",
    "missing",
    "import",
    "inputs",
    "wrong",
    "exception",
    "timeout",
    "memory",
    "output",
    "crash",
]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on an answer.

    Attributes:
        kind: "right", or the first thing that was found wrong: "format": no code; "syntax": it does not parse or
            compile; "missing": it defines no such entry; "import": it fails before anything is called; "inputs":
            the entry does not take the arguments; "wrong": another result, or another exception, than the
            source's; "exception": it raises where the source does not; "timeout", "memory", "output", "crash": a limit.
        message: for people; never holds an expected value.
        parses: the code parses, or compiles.
        ran: share of the tests in which the code came to an end of its own, be it wrong.
        passed: tests that agreed with the source.
        tests: all of them.
        constant: tests that the best answer without any logic (one result for all, or an argument) would pass.
    """

    kind: Kind
    message: str = ""
    parses: bool = False
    ran: float = 0.0
    passed: int = 0
    tests: int = 0
    constant: int = 0

    @property
    def success(self) -> bool:
        """Whether the answer does what the source does, in all tests."""
        return self.kind == "right"

    @property
    def share(self) -> float:
        """Share of tests passed beyond those that an answer without logic passes; 0 to 1."""
        if self.tests == self.constant:
            return float(self.success)
        return max(0.0, (self.passed - self.constant) / (self.tests - self.constant))

    def as_json(self) -> dict[str, Any]:
        """Its fields and what follows from them, as JSON values."""
        return {**asdict(self), "success": self.success, "share": self.share}
