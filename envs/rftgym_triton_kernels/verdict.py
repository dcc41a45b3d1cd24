"""What the judge says of an answer."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Stage = Literal["extract", "plan", "validate", "compile", "replay", "compare", "passed"]
Kind = Literal["format", "cheat", "shortcut", "compile", "launch", "memory", "wrong", "limit", "passed"]
"""format: not an answer. cheat: something other than a kernel does the work, or an attack. shortcut: the result is
wrong because less is done than was asked for: a constant, a copy of an input, a part of the inputs, a lower precision.
compile: the compiler refuses the kernel. launch: the wrapper fails, or the kernel does while it runs. memory: the
kernel leaves its buffers. wrong: it runs, and a case has a wrong result. limit: time or memory ran out."""
WORTHLESS = ("cheat", "shortcut", "memory")
"""Kinds that leave an answer nothing but its formatting."""


class Refused(Exception):
    """An answer, or a part of it, goes no further.

    Attributes:
        stage: that found the reason.
        kind: of the reason.
        message: one line for the author, without any value of the secret inputs.
    """

    def __init__(self, stage: Stage, kind: Kind, message: str) -> None:
        super().__init__(message)
        self.stage: Stage = stage
        self.kind: Kind = kind
        self.message = message


@dataclass(slots=True)
class CaseVerdict:
    """One case.

    Attributes:
        arguments: what was passed, in words.
        discriminating: a trivial answer does not pass it.
        passed: the result is right.
        kind: of the failure; None where it passed.
        message: about the failure.
        stage: where it failed, or "passed".
    """

    arguments: str
    discriminating: bool
    passed: bool = False
    kind: str | None = None
    message: str = ""
    stage: Stage = "passed"


@dataclass(slots=True)
class Verdict:
    """What the judge says of an answer.

    Attributes:
        stage: where the answer ended: the stage that refused it, or "passed".
        kind: of the first failure, or "passed".
        message: about it, one line.
        formatting: share (0 to 1) of the formal demands that are met.
        compiled: share (0 to 1) of the distinct launches that compile for the target; 0 where there is none.
        executed: share (0 to 1) of the discriminating cases that ran through, with whatever result.
        correct: share (0 to 1) of the discriminating cases that passed; 0 where the answer is refused.
        success: every case passed.
        cases: one by one; empty where the answer did not get so far.
        kernels: by kernel: registers, spills (bytes), shared memory (bytes), the worst of its launches.
        seconds: by stage.
    """

    stage: Stage
    kind: Kind
    message: str
    formatting: float = 0.0
    compiled: float = 0.0
    executed: float = 0.0
    correct: float = 0.0
    success: bool = False
    cases: list[CaseVerdict] = field(default_factory=list)
    kernels: dict[str, dict[str, int]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def cheat(self) -> bool:
        """Whether something other than a kernel did the work, or tried to get at the judge."""
        return self.kind == "cheat"

    def as_json(self) -> dict[str, Any]:
        """JSON values, without the times (which differ from run to run)."""
        record = asdict(self)
        del record["seconds"]
        return record
