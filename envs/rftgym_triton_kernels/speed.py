"""Stage 7, speed: on a GPU, a right answer's launches are timed against PyTorch. No candidate Python shares the clock.

``python -m rftgym_triton_kernels.speed REQUEST.json`` is the timing process: it holds vetted kernels, a validated tape,
the inputs of one case and the reference, replays the tape's launches on the device, and prints the medians as JSON. A
fresh process for every measurement, so nothing that an earlier answer left behind can change its clock.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rftgym.errors import InfrastructureError
from rftgym_triton_kernels.modules import module_of

if TYPE_CHECKING:
    import torch

TIMEOUT_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Times:
    """Medians in milliseconds, the second-level cache flushed before every run (``triton.testing.do_bench``).

    Attributes:
        kernel_ms: the tape: its launches, copies and fills; buffers are there already.
        eager_ms: the reference as it is.
        compiled_ms: the reference under ``torch.compile``; None where that fails.
    """

    kernel_ms: float
    eager_ms: float
    compiled_ms: float | None

    @property
    def speedup(self) -> float:
        """Eager time over the kernel's."""
        return self.eager_ms / self.kernel_ms


def measure(
    source: str,
    tape: Mapping[str, Any],
    inputs: Sequence[bytes],
    *,
    reference: str,
    name: str,
    arguments: Sequence[Mapping[str, Any]],
) -> Times:
    """Time one case in a process of its own.

    Args:
        source: vetted kernels.
        tape: valid.
        inputs: contents of the tape's input buffers: of the case's tensors, then of constants.
        reference: source that defines the function.
        name: of the function.
        arguments: of the case, as `cases.pack` gives them; blobs number ``inputs``.
    Raises:
        InfrastructureError: there is no GPU, or the process fails.
    """
    request = {
        "source": source,
        "tape": tape,
        "inputs": [base64.b64encode(each).decode() for each in inputs],
        "reference": reference,
        "name": name,
        "arguments": list(arguments),
    }
    with tempfile.TemporaryDirectory(prefix="rftgym-speed-") as folder:
        file = Path(folder, "request.json")
        file.write_text(json.dumps(request), encoding="utf-8")
        command = [sys.executable, "-m", "rftgym_triton_kernels.speed", str(file)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise InfrastructureError(f"timing took longer than {TIMEOUT_SECONDS} s") from error
    if done.returncode:
        raise InfrastructureError(
            f"timing failed: {done.stderr.strip().splitlines()[-1:] or done.returncode}"
        )
    return Times(**json.loads(done.stdout.splitlines()[-1]))


# ---- in the timing process


class Replay:
    """A tape on a device: buffers are made once, and every call runs its operations anew.

    Args:
        source: vetted kernels.
        tape: valid.
        inputs: contents of the tape's input buffers.
        device: "cuda", or "cpu" under Triton's interpreter.
    """

    def __init__(self, source: str, tape: Mapping[str, Any], inputs: Sequence[bytes], device: str) -> None:
        self.kernels = module_of(source, "kernels")
        self.tape = tape
        self.buffers = [self._buffer(each, inputs, device) for each in tape["buffers"]]
        self.steps = [self._step(operation) for operation in tape["ops"]]

    def __call__(self) -> None:
        """Run the tape once."""
        for step in self.steps:
            step()

    def results(self) -> list[torch.Tensor]:
        """The returned views."""
        return [self._view(view) for view in self.tape["results"]]

    def _buffer(self, buffer: Mapping[str, Any], inputs: Sequence[bytes], device: str) -> torch.Tensor:
        import torch

        if not buffer["bytes"]:
            return torch.empty(0, dtype=torch.uint8, device=device)
        if buffer["input"] is None:
            return torch.full((buffer["bytes"],), 0xFF, dtype=torch.uint8, device=device)
        return torch.frombuffer(bytearray(inputs[buffer["input"]]), dtype=torch.uint8).to(device)

    def _view(self, view: Mapping[str, Any]) -> torch.Tensor:
        import torch

        dtype: torch.dtype = getattr(torch, view["dtype"])
        flat = self.buffers[view["buffer"]]
        whole: torch.Tensor = flat[: flat.numel() // dtype.itemsize * dtype.itemsize].view(dtype)
        return whole.as_strided(view["shape"], view["strides"], view["offset"])

    def _step(self, operation: Mapping[str, Any]) -> Callable[[], object]:
        if operation["op"] == "fill":
            target = self._view(operation["to"])
            return lambda: target.fill_(operation["value"])
        if operation["op"] == "copy":
            source, target = self._view(operation["from"]), self._view(operation["to"])
            return lambda: target.copy_(source)
        if not all(operation["grid"]):
            return lambda: None
        launcher = getattr(self.kernels, operation["kernel"])[tuple(operation["grid"])]
        arguments = {name: self._argument(argument) for name, argument in operation["arguments"]}
        options = {key: value for key, value in operation["options"].items() if value is not None}
        return lambda: launcher(**arguments, **options)

    def _argument(self, argument: Mapping[str, Any]) -> Any:
        import triton.language as tl

        ((kind, value),) = argument.items()
        if kind == "view":
            return self._view(value)
        if kind == "none":
            return None
        if isinstance(value, dict):
            name = str(value["dtype"])
            longer = {"fp16": "float16", "fp32": "float32", "fp64": "float64", "bf16": "bfloat16"}
            return getattr(tl, longer.get(name, name))
        return value


def timed(request: Mapping[str, Any]) -> Times:
    """The medians of one request, on the first CUDA device.

    Raises:
        RuntimeError: there is none.
    """
    import torch
    from triton.testing import do_bench

    from rftgym_triton_kernels.reference import function_of

    if not torch.cuda.is_available():
        raise RuntimeError("there is no CUDA device to time on")
    inputs = [base64.b64decode(each) for each in request["inputs"]]
    replay = Replay(request["source"], request["tape"], inputs, "cuda")
    function = function_of(request["reference"], request["name"])
    arguments = [_argument(each, inputs) for each in request["arguments"]]
    eager = do_bench(lambda: function(*arguments), return_mode="median")
    try:
        fused: Callable[..., Any] = torch.compile(function)
        compiled = float(do_bench(lambda: fused(*arguments), return_mode="median"))
    except Exception:  # noqa: BLE001  # a reference that torch.compile cannot take is no fault of the answer
        compiled = None
    return Times(float(do_bench(replay, return_mode="median")), float(eager), compiled)


def _argument(entry: Mapping[str, Any], inputs: Sequence[bytes]) -> Any:
    import torch

    if "tensor" not in entry:
        return entry["value"]
    meta = entry["tensor"]
    dtype = getattr(torch, meta["dtype"])
    content = bytearray(inputs[meta["blob"]])
    flat = torch.frombuffer(content, dtype=dtype) if content else torch.empty(0, dtype=dtype)
    return flat.as_strided(meta["shape"], meta["strides"]).to("cuda")


if __name__ == "__main__":
    sys.stdout.write(
        json.dumps(asdict(timed(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))) + "\n"
    )
