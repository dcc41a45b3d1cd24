"""What the judge says of an answer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal[
    "format", "echo", "syntax", "import", "missing", "timeout", "memory", "output", "crash", "raised", "changed",
    "wrong", "passed",
]  # fmt: skip
"""format: no code. echo: nothing but what the prompt says. syntax: does not compile. import: raises when it is
executed. missing: does not define what was asked for. timeout, memory, output, crash: some test ran into that limit, or
ended the process. raised: some test raised an exception where a value was expected, or another one. changed: some
argument was changed that should stay. wrong: some result is not the expected one. passed: everything is right."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge says of an answer.

    Attributes:
        kind: of the first thing that is wrong, or "passed".
        message: about it, one line, without any hidden value.
        defined: the code defines the entry, by its text.
        runs: the module executes and defines the entry.
        passed: hidden tests that pass.
        total: hidden tests.
        share: the share of hidden tests that pass, above what an answer without thought passes: 0 to 1.
        success: every hidden test passes, and every example of the prompt.
    """

    kind: Kind
    message: str
    defined: bool = False
    runs: bool = False
    passed: int = 0
    total: int = 0
    share: float = 0.0
    success: bool = False

    def as_json(self) -> dict[str, Any]:
        """JSON values."""
        return asdict(self)
