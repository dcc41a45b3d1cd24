"""Stage 2, plan: the candidate's wrapper runs on decoys, and what it would launch is written down. Nothing is computed.

This is the only stage in which the candidate's Python runs, in a sandboxed process of its own that holds no secret:
the tensors have the sizes of the real ones and other values. What comes out, the launch tape, is an answer and no
evidence: it is validated before anybody acts on it, and it can only name vetted kernels.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rftgym_triton_kernels.modules import module_of

if TYPE_CHECKING:
    from rftgym_triton_kernels.plan.recording import Recorder

MODULE = "answer"
LONGEST_MESSAGE_CHARS = 300


def preload() -> None:
    """Import everything that a plan needs and run a small one, before any candidate is near."""
    import torch
    import triton
    import triton.language
    from triton.language.extra import libdevice

    source = (
        "import torch, triton\nimport triton.language as tl\n\n@triton.jit\ndef k(x, N: tl.constexpr):\n    pass\n\n"
        "def f(x):\n    out = torch.empty_like(x.contiguous(), device='cuda').view(-1)\n    out.zero_()\n"
        "    k[(1,)](out, N=1)\n    return out.clone().float() if x.is_cuda else torch.full((1,), 2)\n"
    )
    spec = {"blob": 0, "dtype": "float16", "shape": [2, 2], "strides": [1, 2]}
    from rftgym_triton_kernels.plan.pretence import pretending
    from rftgym_triton_kernels.plan.recording import Recorder, decoys

    del torch, triton, libdevice
    with pretending("cuda:90"):
        module = module_of(source, MODULE)
        Recorder(0, frozenset({"k"})).play(module.f, decoys([{"tensor": spec}], (bytes(8),)))


def plan(header: dict[str, Any], blobs: Sequence[bytes]) -> tuple[dict[str, Any], tuple[bytes, ...]]:
    """Run the wrapper once a case and write its tapes down.

    Args:
        header: "source" of the answer; "name" of the wrapper; "kernels", names of the vetted ones; "target"; "config",
            which of an autotuner's configurations is taken (modulo their number); "cases", a list of {"arguments":
            [{"tensor": {"blob", "dtype", "shape", "strides"}} or {"value": ...}, ...]}.
        blobs: storages of the decoys.
    Returns:
        {"cases": [{"tape": ..., "constants": [blob, ...]} or {"error": {"kind", "message"}}], "configs": the largest
        number of configurations that an autotuner had}, and the contents of constants. The error's kind is "cheat" or
        "launch".
    """
    from rftgym_triton_kernels.plan.pretence import pretending
    from rftgym_triton_kernels.plan.recording import Recorder

    answer: dict[str, Any] = {"cases": [], "configs": 1}
    constants: list[bytes] = []
    kernels = frozenset(header["kernels"])
    with pretending(header["target"]):
        try:
            wrapper = _wrapper(header["source"], header["name"])
        except BaseException as error:  # noqa: BLE001  # whatever the candidate's module does when it is imported
            failed = {"error": {"kind": "launch", "message": f"importing the module: {_described(error)}"}}
            return {"cases": [failed] * len(header["cases"]), "configs": 1}, ()
        for case in header["cases"]:
            recorder = Recorder(header.get("config", 0), kernels)
            entry = _case(wrapper, recorder, case["arguments"], blobs)
            if "tape" in entry:
                places = range(len(constants), len(constants) + len(recorder.constants))
                entry["constants"] = list(places)
                constants.extend(recorder.constants)
            answer["cases"].append(entry)
            answer["configs"] = max(answer["configs"], recorder.configs)
    return answer, tuple(constants)


def _case(wrapper: Any, recorder: Recorder, arguments: Any, blobs: Sequence[bytes]) -> dict[str, Any]:
    """The tape of one case; the wrapper is called three times, since nothing may depend on an earlier call."""
    from rftgym_triton_kernels.plan.recording import Recorder, Stopped, altered, decoys

    try:
        values = decoys(arguments, blobs)
        tape = recorder.play(wrapper, values)
        for same_tensors in (True, False):
            other = Recorder(recorder.config, recorder.kernels)
            again = other.play(wrapper, altered(values) if same_tensors else decoys(arguments, blobs))
            if json.dumps(again) != json.dumps(tape) or other.constants != recorder.constants:
                raise Stopped("cheat", "a further call does something else than the first one did")
    except Stopped as stop:
        return {"error": {"kind": stop.kind, "message": stop.message}}
    except BaseException as error:  # noqa: BLE001  # whatever the candidate's wrapper does
        stopped = recorder.stopped
        if stopped is not None:
            return {"error": {"kind": stopped.kind, "message": stopped.message}}
        return {"error": {"kind": "launch", "message": _described(error)}}
    return {"tape": tape}


def _wrapper(source: str, name: str) -> Any:
    return getattr(module_of(source, MODULE), name)


def _described(error: BaseException) -> str:
    try:
        text = " ".join(str(error).split())
    except Exception:  # noqa: BLE001  # a candidate's exception may fail to print
        text = ""
    return f"{type(error).__name__}: {text}"[:LONGEST_MESSAGE_CHARS]
