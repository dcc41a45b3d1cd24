"""Runs references in the default sandbox, outside a judge: for converters and checks of problems files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from rftgym.sandbox import Job, Limits, LocalSandbox
from rftgym_triton_kernels.cases import Evaluate

LIMITS: Final = Limits(wall_seconds=30.0, cpu_seconds=30.0)


@contextmanager
def sandboxed(limits: Limits = LIMITS) -> Iterator[Evaluate]:
    """A function that runs `rftgym_triton_kernels.reference.evaluate` in a sandbox, and answers nothing where it fails.

    Raises:
        RftgymError: there can be no sandbox on this machine.
    """
    sandbox = LocalSandbox(("rftgym_triton_kernels.reference:preload",), workers=1)

    def evaluate(header: dict[str, Any], blobs: Sequence[bytes]) -> tuple[Mapping[str, Any], Sequence[bytes]]:
        outcome = sandbox.run(Job("rftgym_triton_kernels.reference:evaluate", header, tuple(blobs), limits))
        if outcome.status == "ok":
            return outcome.header, outcome.blobs
        failed = {"ok": False, "message": f"{outcome.status}: {outcome.message}"}
        return {"cases": [failed] * len(header["cases"])}, ()

    try:
        yield evaluate
    finally:
        sandbox.close()
