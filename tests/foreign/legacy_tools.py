"""A calculator to be called: a tool environment of the legacy API."""

from __future__ import annotations

from typing import Any

import verifiers as vf
from datasets import Dataset


def multiply(a: int, b: int) -> int:
    """Multiply two numbers.

    Args:
        a: the one
        b: the other
    """
    return a * b


def correct(completion: Any, answer: str) -> float:
    """The last message is the answer."""
    return float(completion[-1]["content"] == answer)


def load_environment(n: int = 20) -> vf.Environment:
    """The environment, as verifiers calls for it."""
    rows = [{"question": f"What is {i} * 37?", "answer": str(37 * i)} for i in range(n)]
    return vf.ToolEnv(
        dataset=Dataset.from_list(rows), tools=[multiply], rubric=vf.Rubric(funcs=[correct]), max_turns=4
    )
