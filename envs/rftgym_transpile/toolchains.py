"""Which toolchains this machine has: for ``rftgym doctor``, and for whoever needs one."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from rftgym.errors import UsageError
from rftgym.types import Check
from rftgym_transpile import jvm, node
from rftgym_transpile.programs import no_toolchain

GROUP = "transpile"
RUFF_CURE = "pip install ruff"


def find_ruff() -> str | None:
    """The linter of the component "style": next to the interpreter, or on ``PATH``."""
    beside = Path(sys.executable).parent / "ruff"
    return str(beside) if beside.is_file() else shutil.which("ruff")


def missing(language: str) -> UsageError:
    """The error for a language whose toolchain is not there."""
    return no_toolchain("Java", jvm.CURE) if language == "java" else no_toolchain("Node.js", node.CURE)


def available(language: str) -> bool:
    """Whether programs of a language can be run."""
    if language == "java":
        return jvm.find_java() is not None
    return language == "python" or node.find_node() is not None


def checks() -> list[Check]:
    """For ``rftgym doctor``."""
    home, java, program, ruff = jvm.find_java(), shutil.which("java"), node.find_node(), find_ruff()
    return [
        Check(
            GROUP,
            "jvm",
            java is not None,
            java or "not found; recorded outputs are used",
            "" if java else jvm.CURE,
        ),
        Check(
            GROUP,
            "javac",
            home is not None,
            f"{home}: Java is compiled and run in the sandbox"
            if home
            else "not found; bundled tasks use recorded outputs, your own need 'expected', Java cannot be a target",
            "" if home else jvm.CURE,
        ),
        Check(
            GROUP,
            "node",
            program is not None,
            program or "not found; the bundled tasks use recorded outputs, and JavaScript cannot be a target",
            "" if program else node.CURE,
        ),
        Check(
            GROUP, "ruff", ruff is not None, ruff or "not found; only for style", "" if ruff else RUFF_CURE
        ),
    ]
