"""What the policy is told: the rules, facts about the installed Triton, the problem, and what the judge found."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import metadata
from typing import Any

from rftgym_triton_kernels.verdict import Verdict

TAG = "kernel"
"""An answer stands between <kernel> and </kernel>."""

RULES = (
    "You write Triton kernels. Answer with one Python module between <kernel> and </kernel>: its imports, at least one "
    "@triton.jit kernel at module level, and a wrapper with the name and the signature of the problem, which allocates "
    "the result, launches the kernel and returns the result. Inputs are tensors on the GPU and may be empty or "
    "non-contiguous. torch may allocate, view and copy; every number of the result is computed by a kernel."
)
EXAMPLE = """<kernel>
import torch
import triton
import triton.language as tl

@triton.jit
def negate_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    m = i < n
    x = tl.load(x_ptr + i, mask=m)
    tl.store(out_ptr + i, -x, mask=m)

def negate(x):
    x = x.contiguous()
    out = torch.empty_like(x)
    n = x.numel()
    if n > 0:
        negate_kernel[(triton.cdiv(n, 1024),)](x, out, n, BLOCK=1024)
    return out
</kernel>"""
FACTS = (
    (None, "tl.arange takes powers of two."),
    (None, "A global that a kernel uses is a tl.constexpr."),
    ((3, 9), "tl.make_block_ptr does not exist: use pointers or tl.make_tensor_descriptor."),
)
"""(first Triton version for which it holds, or None for all; the sentence)."""


@lru_cache(maxsize=1)
def triton_version() -> tuple[int, int]:
    """Major and minor version of the installed Triton; (0, 0) where there is none."""
    try:
        major, minor, *_ = metadata.version("triton").split(".")
    except metadata.PackageNotFoundError:
        return (0, 0)
    return int(major), int(minor)


def system(version: tuple[int, int], *, example: bool = False) -> str:
    """The system message for a version of Triton, optionally with a worked example."""
    facts = [text for since, text in FACTS if since is None or version >= since]
    lines = [RULES, f"Triton {version[0]}.{version[1]}: {' '.join(facts)}"]
    if example:
        lines.append(f"An answer for negate(x), as an example:\n{EXAMPLE}")
    return "\n".join(lines)


def problem(data: Mapping[str, Any]) -> str:
    """The user message that poses a problem (its row's fields)."""
    lines = [f"Write {data['signature']}"]
    if data.get("doc"):
        lines.append(data["doc"])
    lines.append(f"In PyTorch:\n{data['reference'].strip()}")
    return "\n".join(lines)


def closing(verdict: Verdict) -> str:
    """The last words of an episode: what the judge found."""
    return "Right: all cases passed." if verdict.success else _found(verdict)


def repair(verdict: Verdict, left: int) -> str:
    """The user message after an answer that failed."""
    tries = "1 attempt" if left == 1 else f"{left} attempts"
    return f"{_found(verdict)}\nYou have {tries} left. Answer with the whole module again."


def _found(verdict: Verdict) -> str:
    """The judge's message: the compiler's error or the first failing case; never a value."""
    opening = {
        "format": "That is no answer that can be judged",
        "cheat": "Refused",
        "shortcut": "That is not the whole task",
        "memory": "It leaves its memory",
        "compile": "It does not compile",
        "launch": "It fails",
        "limit": "It takes too much",
        "wrong": "A result is wrong",
        "passed": "Right",
    }[verdict.kind]
    return f"{opening}: {verdict.message}"
