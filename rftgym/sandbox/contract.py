"""What a sandbox is: jobs go in, outcomes come out. Nothing heavy is imported here."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Literal, Self

from rftgym.errors import UsageError

Status = Literal["ok", "error", "timeout", "memory", "crash", "output"]
Blob = bytes | bytearray | memoryview
MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What one job may use. Exceeding any of them ends the job, and only the job.

    Attributes:
        wall_seconds: from the start of the job's process to the end of its last one.
        cpu_seconds: of each process of the job; rounded up to whole seconds, as the kernel counts them.
        memory_bytes: address space that each process may add to what it began with; with ``allow_exec``, what each
            process may allocate in all.
        output_bytes: size of the whole answer, header and blobs.
        file_bytes: size of the largest file that may be written.
        processes: processes and threads at a time, the first one included.
        scratch_bytes: size of a private folder, which is the job's working directory, ``HOME`` and ``TMPDIR``; 0: there
            is none, and nothing can be written anywhere.
        allow_exec: the job may start programs.
        programs: with ``allow_exec``, the files or folders that may be executed, next to the system's libraries and
            programs; empty: everything the sandbox can read.
    """

    wall_seconds: float = 10.0
    cpu_seconds: float = 10.0
    memory_bytes: int = 1024 * MEBIBYTE
    output_bytes: int = 16 * MEBIBYTE
    file_bytes: int = 64 * MEBIBYTE
    processes: int = 32
    scratch_bytes: int = 0
    allow_exec: bool = False
    programs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("wall_seconds", "cpu_seconds", "memory_bytes", "output_bytes", "processes"):
            if not getattr(self, name) > 0:
                raise UsageError(f"Limits.{name} must be greater than 0, not {getattr(self, name)!r}")
        if self.file_bytes < 0 or self.scratch_bytes < 0:
            raise UsageError("Limits.file_bytes and Limits.scratch_bytes cannot be negative")


@dataclass(frozen=True, slots=True)
class Job:
    """One call of a function inside the sandbox.

    Attributes:
        function: "module:name"; called there as ``f(header, blobs)``, it returns ``(header, blobs)``. The blobs that
            it is given are writable memoryviews which start at multiples of 64 bytes.
        header: anything that JSON can say.
        blobs: raw bytes.
    """

    function: str
    header: Mapping[str, Any] = field(default_factory=dict)
    blobs: tuple[Blob, ...] = ()
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended. What a job says is an answer, never evidence: only ``status`` and ``seconds`` are observed.

    Attributes:
        status: "ok": it answered; "error": the function raised; "timeout", "memory", "output": it went over that
            limit; "crash": it died, or what it sent is no answer.
        header: what the function returned; for "error" ``{"traceback": ...}``; else empty.
        blobs: what the function returned.
        message: why it is not "ok", for people; for "error", "TypeOfError: text".
        seconds: wall time from the start of the job's process until nothing of it was left.
    """

    status: Status
    header: dict[str, Any] = field(default_factory=dict)
    blobs: tuple[bytes, ...] = ()
    message: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Layer:
    """One of the fences around a job, and whether this machine has it.

    Attributes:
        detail: what was found, or why there is none.
        cure: what would make it available; empty where it is.
    """

    name: str
    available: bool
    detail: str
    cure: str = ""


class Sandbox(ABC):
    """A place to run code nobody trusts; the extension point behind the hook ``rftgym_sandboxes``."""

    @abstractmethod
    def run(self, job: Job) -> Outcome:
        """Run one job to its end; several threads may call this at once.

        Raises:
            InfrastructureError: the sandbox itself failed; nothing is known about the job.
            UsageError: the job's header is not JSON.
        """

    @abstractmethod
    def close(self) -> None:
        """End everything; a second call does nothing."""

    @classmethod
    @abstractmethod
    def detect(cls) -> Sequence[Layer]:
        """The layers that this machine offers to this kind of sandbox."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
