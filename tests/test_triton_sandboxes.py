"""The kernel judge in other sandboxes than its own: chosen by id, with the same verdicts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import rftgym
from rftgym.errors import UnknownIdError
from rftgym.sandbox import Limits
from rftgym.scoring import score
from rftgym_sandboxes.podman import PodmanSandbox
from rftgym_triton_kernels.processes import Processes

# Podman is tried where it is there and works.
KINDS = ["local", "bubblewrap", *(["podman"] if PodmanSandbox.detect()[0].available else [])]
PROBLEM = {
    "name": "double",
    "signature": "double(x)",
    "doc": "Twice each element.",
    "reference": "def double(x):\n    return 2 * x\n",
    "cases": [[{"shape": [300]}], [{"shape": [33, 17], "t": True}]],
}
ANSWER = """<kernel>
import torch
import triton
import triton.language as tl


@triton.jit
def double_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n)
    tl.store(out_ptr + i, x + x, mask=i < n)


def double(x):
    x = x.contiguous()
    out = torch.empty_like(x)
    double_kernel[(triton.cdiv(x.numel(), 256),)](x, out, x.numel(), BLOCK=256)
    return out
</kernel>"""


@pytest.mark.parametrize("kind", KINDS)
def test_verdicts_are_the_same_in_every_sandbox(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "problems.jsonl"
    file.write_text(json.dumps(PROBLEM) + "\n", encoding="utf-8")
    plain = rftgym.make("triton-kernels")
    env = rftgym.make("triton-kernels", sandbox=kind, workers=1, tasks=type(plain).read_tasks(file))
    answers = [ANSWER, ANSWER.replace("x + x", "x * x - 7.0"), ANSWER.replace("x + x", "x + nowhere")]
    try:
        rows = score(env, [{"task": "double", "completion": each} for each in answers])
    finally:
        env.judge.close()
    assert [(row["error"], row["reward"]) for row in rows] == [
        (None, pytest.approx(1.0)),
        (None, pytest.approx(0.1)),
        (None, pytest.approx(0.05)),
    ]


def test_an_unknown_sandbox_is_told_with_what_was_meant() -> None:
    with pytest.raises(UnknownIdError, match="did you mean 'bubblewrap'"):
        Processes(1, sandbox="bublewrap").with_torch("plan:run", {}, (), Limits())
