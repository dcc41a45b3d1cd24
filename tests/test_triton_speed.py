"""Stage 7 of the kernel judge: the timing process, as far as a machine without a GPU can tell."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from rftgym.errors import InfrastructureError
from rftgym_triton_kernels.speed import Times, measure

SOURCE = """import triton
import triton.language as tl

@triton.jit
def k(x, out, n, N: tl.constexpr):
    i = tl.program_id(0) * N + tl.arange(0, N)
    tl.store(out + i, tl.load(x + i, mask=i < n) * 2, mask=i < n)
"""


def view(buffer: int) -> dict[str, object]:
    return {"buffer": buffer, "dtype": "float32", "shape": [3, 2], "strides": [2, 1], "offset": 0}


ARGUMENTS = [["x", {"view": view(1)}], ["out", {"view": view(2)}], ["n", {"int": 6}], ["N", {"constexpr": 4}]]
TAPE = {
    "buffers": [{"bytes": 24, "dtype": "float32", "input": each} for each in (0, None, None)],
    "ops": [
        {"op": "copy", "from": view(0), "to": view(1)},
        {"op": "fill", "to": view(2), "value": 7.0},
        {
            "op": "launch",
            "kernel": "k",
            "grid": [2, 1, 1],
            "arguments": ARGUMENTS,
            "options": {"num_warps": 4},
        },
        {"op": "launch", "kernel": "k", "grid": [0, 1, 1], "arguments": ARGUMENTS, "options": {}},
    ],
    "results": [view(2)],
}
PROGRAM = """
import json, struct, sys
from rftgym_triton_kernels.speed import Replay
source, tape = json.load(sys.stdin)
replay = Replay(source, tape, [struct.pack("6f", *range(6))], "cpu")
replay(); replay()
print(json.dumps(replay.results()[0].tolist()))
"""


def test_a_tape_runs_on_a_device_as_it_was_recorded():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps([SOURCE, TAPE]),
        env={**os.environ, "TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [[0, 2], [4, 6], [8, 10]]


def test_speed_is_eager_time_over_the_kernels():
    assert Times(2.0, 5.0, None).speedup == 2.5


def timing() -> Times:
    reference = "def double(x):\n    return x * 2\n"
    tensor = {"blob": 0, "dtype": "float32", "shape": [3, 2], "strides": [2, 1]}
    return measure(
        SOURCE, TAPE, [bytes(24)], reference=reference, name="double", arguments=[{"tensor": tensor}]
    )


def test_without_a_gpu_timing_is_a_fault_of_the_machine():
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU: the other test measures")
    with pytest.raises(InfrastructureError, match="no CUDA device"):
        timing()


@pytest.mark.gpu
def test_a_gpu_times_all_three():
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    found = timing()
    assert found.kernel_ms > 0 and found.eager_ms > 0
