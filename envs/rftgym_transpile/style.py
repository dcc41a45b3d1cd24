"""How idiomatic a right answer is: ruff's findings per line. Run only where the component is weighed."""

from __future__ import annotations

import json
import subprocess

from rftgym.errors import InfrastructureError, UsageError
from rftgym_transpile.toolchains import RUFF_CURE, find_ruff

RULES = "E4,E7,E9,F,W,B,C4,SIM,UP,RET,PERF,PIE,PLR1714,PLR1730,FURB,N8"
TIMEOUT_SECONDS = 10.0
WORST = 0.5
"""Findings a line from which on the style is worth nothing."""


def style_of(code: str) -> float:
    """1 for code without a finding, 0 from `WORST` findings a line on.

    The linter reads the code as text, never runs it, and takes no configuration from anywhere.

    Raises:
        UsageError: ruff is not installed.
        InfrastructureError: it failed.
    """
    ruff = find_ruff()
    if ruff is None:
        raise UsageError(f"the component 'style' needs ruff: {RUFF_CURE}")
    options = [
        "--isolated",
        "--no-cache",
        "--quiet",
        "--output-format=json",
        "--preview",
        f"--select={RULES}",
    ]
    command = [ruff, "check", *options, "--stdin-filename=answer.py", "-"]
    try:
        text = f"{code.rstrip()}\n".encode("utf-8", "backslashreplace")
        done = subprocess.run(command, input=text, capture_output=True, timeout=TIMEOUT_SECONDS, check=False)
        findings = len(json.loads(done.stdout or b"[]"))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise InfrastructureError(f"ruff failed: {error}") from error
    if done.returncode not in (0, 1):
        raise InfrastructureError(f"ruff failed: {done.stderr.decode(errors='replace')[:200]}")
    lines = sum(1 for line in code.splitlines() if line.strip()) or 1
    return max(0.0, 1 - findings / lines / WORST)
