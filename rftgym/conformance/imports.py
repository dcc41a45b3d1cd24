"""What importing a plugin's module drags along, seen in a fresh process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence

from rftgym.conformance.findings import Finding, finding

HEAVY = (
    "torch", "transformers", "trl", "datasets", "triton", "peft", "accelerate", "numpy", "scipy", "pandas", "sympy",
    "sklearn", "matplotlib", "tensorflow", "jax", "nltk", "gymnasium", "duckdb", "pyarrow", "requests", "httpx",
    "pydantic", "reasoning_gym", "textarena", "verifiers", "openenv", "inspect_ai",
)  # fmt: skip
PROGRAM = """
import json, sys
paths, module, heavy = json.loads(sys.argv[1])
sys.path[:0] = paths
import rftgym.plugins
before = set(sys.modules)
__import__(module)
print(json.dumps([name for name in heavy if name in sys.modules and name not in before]))
"""
SECONDS = 60


def check_import(module: str, paths: Sequence[str] = ()) -> Iterator[Finding]:
    """Whether a plugin's module imports what takes long."""
    order = json.dumps([list(paths), module, list(HEAVY)])
    try:
        done = _imported(order)
    except subprocess.TimeoutExpired:
        yield finding("heavy-plugin-import", f"importing it takes more than {SECONDS} s", f"module {module}")
        return
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        yield finding("plugin-broken", f"it cannot be imported alone: {said[-1] if said else ''}", module)
        return
    heavy = json.loads(done.stdout.splitlines()[-1])
    if heavy:
        yield finding("heavy-plugin-import", f"importing it imports {', '.join(heavy)}", f"module {module}")


def _imported(order: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, order],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SECONDS,
        check=False,
    )
