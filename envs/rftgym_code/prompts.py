"""What is said to the policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rftgym_code.verdict import Verdict

SYSTEM: Final = (
    "You write Python. Answer with one ```python block that holds the whole function or class, imports included. "
    "Return results, print nothing, and leave arguments unchanged unless you are told to change them."
)
EXAMPLES_SHOWN: Final = 3


def problem(data: Mapping[str, Any]) -> str:
    """The question. ``data`` has either the "stub" to complete or a "prompt" of its author."""
    if "stub" in data:
        return f"Complete this in Python:\n\n```python\n{data['stub']}```"
    return str(data["prompt"])


def answer(code: str) -> str:
    """An answer as it should look."""
    code = code.rstrip("\n")
    return f"```python\n{code}\n```"


def closing(verdict: Verdict) -> str:
    """What is said behind the last answer."""
    if verdict.success:
        return f"Right: all {verdict.total} hidden tests pass."
    return _found(verdict)


def repair(verdict: Verdict, left: int) -> str:
    """What is said where there are further attempts; never a hidden value."""
    return f"{_found(verdict)}\nSend the whole corrected code. Attempts left: {left}."


def _found(verdict: Verdict) -> str:
    counted = f" {verdict.passed} of {verdict.total} hidden tests pass." if verdict.runs else ""
    return f"Not right ({verdict.kind}): {verdict.message}.{counted}"
