"""What the replay's process said: hostile until it is read, then results that can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from rftgym_triton_kernels.compare import Wanted, mismatch
from rftgym_triton_kernels.prepared import Prepared, case_verdict
from rftgym_triton_kernels.problems import Problem
from rftgym_triton_kernels.shortcuts import decoded
from rftgym_triton_kernels.tape import Copy, Tape
from rftgym_triton_kernels.verdict import CaseVerdict


def share_read(tape: Tape, said: Any) -> float:
    """The smallest share of an input that kernels read, themselves or by way of a copy; what does not say, read all."""
    seen = said.get("seen") if isinstance(said, dict) else None
    if (
        not isinstance(seen, list)
        or len(seen) != len(tape.buffers)
        or not all(isinstance(s, float) for s in seen)
    ):
        return 1.0
    shares = dict(enumerate(seen))
    for operation in reversed(tape.ops):
        if isinstance(operation, Copy) and operation.source.numel:
            source, target = operation.source.buffer, operation.to.buffer
            shares[source] = max(shares[source], shares[target])
    inputs = [place for place, buffer in enumerate(tape.buffers) if buffer.input is not None and buffer.bytes]
    return min((shares[place] for place in inputs), default=1.0)


def content_of(result: Any, blobs: Sequence[bytes], key: str = "blob") -> bytes:
    """The blob that a record of a child names; nothing where it names none."""
    number = result.get(key) if isinstance(result, dict) else None
    return blobs[number] if type(number) is int and 0 <= number < len(blobs) else b""


def _listed(said: dict[str, Any], tape: Tape) -> bool:
    results = said.get("results")
    return isinstance(results, list) and len(results) == len(tape.results)


def results_of(
    tapes: Sequence[Tape | CaseVerdict], replayed: Sequence[Sequence[Any]]
) -> list[list[list[NDArray[Any]]]]:
    """What came out, by case and drawing; empty for a case that did not run through."""
    everything: list[list[list[NDArray[Any]]]] = []
    for tape, drawings in zip(tapes, replayed, strict=True):
        ran = isinstance(tape, Tape) and all(
            isinstance(said, dict) and said.get("ok") is True and _listed(said, tape) for said, _ in drawings
        )
        if not ran or not isinstance(tape, Tape):
            everything.append([])
            continue
        everything.append(
            [
                [
                    decoded(content_of(result, blobs), view.dtype, view.shape)
                    for view, result in zip(tape.results, said["results"], strict=True)
                ]
                for said, blobs in drawings
            ]
        )
    return everything


def misfit(prepared: Prepared, index: int, tape: Tape) -> CaseVerdict | None:
    """A case whose results have the wrong number, dtype or shape need not be run."""
    wanted = prepared.replicas[index][0].wanted
    words = None
    if len(tape.results) != len(wanted):
        words = f"{len(tape.results)} results are returned, {len(wanted)} are wanted"
    for view, want in zip(tape.results, wanted, strict=False):
        if words is None and view.dtype != want.dtype:
            words = f"the result has dtype {view.dtype}, {want.dtype} is wanted"
        if words is None and tuple(view.shape) != want.shape:
            words = f"the result has shape {view.shape}, {list(want.shape)} is wanted"
    return None if words is None else case_verdict(prepared, index, "validate", "wrong", words)


def difference(
    problem: Problem, tape: Tape, wanted: Sequence[Wanted], said: Any, blobs: Sequence[bytes]
) -> tuple[str, str] | None:
    """Kind and message of what is wrong with one replica of a case; None where it is right."""
    if not isinstance(said, dict) or said.get("ok") is not True:
        error = said.get("error") if isinstance(said, dict) else None
        error = error if isinstance(error, dict) else {}
        kind = str(error.get("kind", "exception"))[:40]
        message = str(error.get("message", "no result"))[:400]
        return ("launch" if kind == "wrong" else kind), message
    results = said.get("results")
    if not isinstance(results, list) or len(results) != len(tape.results):
        return "exception", "results are missing"
    if len(results) != len(wanted):
        return "wrong", f"{len(results)} results are returned, {len(wanted)} are wanted"
    for view, result, want in zip(tape.results, results, wanted, strict=True):
        number = result.get("blob") if isinstance(result, dict) else None
        if type(number) is not int or not 0 <= number < len(blobs):
            return "exception", "a result has no content"
        found = mismatch(blobs[number], view.dtype, view.shape, want, problem.tolerance(want.dtype))
        if found is not None:
            return "wrong", found
    return None
