"""Replays launch tapes on numpy memory: what a GPU would do, checked, and without one.

Vetted kernels are compiled by Triton's own frontend to its intermediate representation, and that is executed here
for all programs of a launch at once: the cost follows the operations, not the programs. The body of a kernel is never
executed as Python, and torch is not needed.

What this is not: programs run in step or one after the other, never at the same time; products of float32 are exact,
where a GPU may round their factors to tf32; and of kernels whose programs wait for each other no races are found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rftgym_triton_kernels.replay.faults import Deadline, Fault
from rftgym_triton_kernels.replay.program import Library
from rftgym_triton_kernels.replay.tape import play

__all__ = ["preload", "replay"]

Blob = bytes | memoryview
_BUGS = (
    ArithmeticError,
    AttributeError,
    IndexError,
    KeyError,
    MemoryError,
    RecursionError,
    TypeError,
    ValueError,
)


def replay(header: Mapping[str, Any], blobs: Sequence[Blob]) -> tuple[dict[str, Any], tuple[bytes, ...]]:
    """Run every case's tape; the door through which a sandbox calls.

    Args:
        header: `source` of the kernels' module, `cases` with a `tape` and the `inputs` (a blob's index for the storage
            of each tensor argument), and `budget_seconds` for all of them together. A launch which has been compiled
            already may name its intermediate representation: `"lowered"` is the blob's index.
        blobs: Storage bytes, and the texts.
    Returns:
        A header with one entry a case, `{"ok": true, "results": [{"blob", "dtype", "shape"}, ...], "seen": [share of
        each buffer's bytes that kernels loaded; 1.0 where the case has no `"watch": true`]}` or
        `{"ok": false, "error": {"kind", "message", "kernel", "line"}}`; and the results' bytes, contiguous.
    """
    deadline = Deadline(header["budget_seconds"])
    out: list[bytes] = []
    library = Library(header["source"], blobs)
    with np.errstate(all="ignore"):
        cases = [_case(case, blobs, library, deadline, out) for case in header["cases"]]
    return {"cases": cases}, tuple(out)


def _case(
    case: Mapping[str, Any], blobs: Sequence[Blob], library: Library, deadline: Deadline, out: list[bytes]
) -> dict[str, Any]:
    try:
        inputs = [blobs[index] for index in case["inputs"]]
        arrays, seen = play(case["tape"], inputs, library, deadline, watch=case.get("watch", False))
    except Fault as fault:
        return {"ok": False, "error": fault.as_json()}
    except _BUGS as error:  # without the text: it might quote data
        return {
            "ok": False,
            "error": Fault("exception", f"the replay failed: {type(error).__name__}").as_json(),
        }
    results = []
    for view, array in zip(case["tape"]["results"], arrays, strict=True):
        results.append({"blob": len(out), "dtype": view["dtype"], "shape": list(view["shape"])})
        out.append(array.tobytes())
    return {"ok": True, "results": results, "seen": seen}


_WARM_UP = """
import triton
import triton.language as tl
from triton.language.extra import libdevice


@triton.jit
def warm_up(x_ptr, y_ptr, n, BLOCK: tl.constexpr):
    pid = tl.program_id(0)
    if pid > n:
        return
    offsets = pid * BLOCK + tl.arange(0, BLOCK)
    mask = offsets < n
    x = tl.load(x_ptr + offsets, mask=mask, other=0.0).to(tl.float32)
    total = tl.zeros((BLOCK,), tl.float32)
    for step in range(0, tl.cdiv(n, BLOCK)):
        total += tl.where(x > 0, tl.exp(-tl.abs(x)), tl.sigmoid(x)) * step
    x = libdevice.tanh(x) / tl.sum(total, axis=0) + tl.max(x, axis=0)
    square = tl.reshape(x, (16, 16))
    square = tl.dot(square, tl.trans(square)) + square[:, None, :].reshape(16, 16)
    tl.store(y_ptr + offsets, tl.reshape(square, (BLOCK,)), mask=mask)
"""


def preload() -> None:
    """Import what a replay needs and run one, so that the first replay in a forked child is as fast as the rest.

    Raises:
        RuntimeError: The warm-up fails, as it does where Triton isn't installed for this machine.
    """
    view = {"buffer": 0, "dtype": "float32", "shape": [64], "strides": [1], "offset": 0}
    target = {**view, "buffer": 1}
    arguments = [
        ["x_ptr", {"view": view}],
        ["y_ptr", {"view": target}],
        ["n", {"int": 64}],
        ["BLOCK", {"constexpr": 256}],
    ]
    launch = {"op": "launch", "kernel": "warm_up", "grid": [1, 1, 1], "arguments": arguments, "options": {}}
    buffers = [
        {"bytes": 256, "dtype": "float32", "input": 0},
        {"bytes": 256, "dtype": "float32", "input": None},
    ]
    tape = {"buffers": buffers, "ops": [launch], "results": [target]}
    header = {"source": _WARM_UP, "cases": [{"tape": tape, "inputs": [0]}], "budget_seconds": 60.0}
    answer, _ = replay(header, [np.ones(64, np.float32).tobytes()])
    if not answer["cases"][0]["ok"]:
        raise RuntimeError(f"the replay doesn't work here: {answer['cases'][0]['error']['message']}")
