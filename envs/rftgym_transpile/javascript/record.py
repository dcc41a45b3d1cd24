"""Write what Node.js makes of the programs: ``python -m rftgym_transpile.javascript.record``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rftgym.errors import UsageError
from rftgym_transpile.javascript.programs import PAIRS
from rftgym_transpile.node import Node
from rftgym_transpile.programs import Program

TASKS = Path(__file__).parent / "tasks.jsonl"


def recorded() -> list[dict[str, Any]]:
    """The tasks, with the results of this machine's Node.js.

    Raises:
        UsageError: a program does not run to its end, or Node.js is not installed.
    """
    with Node() as node:
        found = node.run([Program(pair.javascript, pair.entry, pair.inputs) for pair in PAIRS])
    rows = []
    for pair, ran in zip(PAIRS, found, strict=True):
        if ran.status != "ok":
            raise UsageError(f"{pair.id}: {ran.status}: {ran.message}")
        rows.append(
            {
                "id": pair.id,
                "split": pair.split,
                "difficulty": pair.difficulty,
                "category": pair.category,
                "entry": pair.entry,
                "javascript": pair.javascript.strip("\n"),
                "solution": pair.python.strip("\n"),
                "inputs": list(ran.inputs),
                "expected": list(ran.expected),
            }
        )
    return rows


if __name__ == "__main__":
    TASKS.write_text("".join(json.dumps(row) + "\n" for row in recorded()), encoding="utf-8")
