"""The environment lock: what a run was made with, so that somebody else can make it again."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rftgym

if TYPE_CHECKING:
    from rftgym.plugins import Plugins

LAYOUT = 1
"""Of the run directory; a reader that finds a greater number should say so."""

DISTRIBUTIONS = (
    *("torch", "transformers", "trl", "peft", "accelerate", "datasets", "safetensors", "tokenizers", "gguf"),
    *(
        "triton",
        "bitsandbytes",
        "vllm",
        "flash-attn",
        "numpy",
        "gymnasium",
        "pluggy",
        "pydantic",
        "pyyaml",
        "httpx",
    ),
)
"""Those whose version can change a result; recorded where they are installed, as is every plugin's."""

VARIABLES = (
    *("CUDA_VISIBLE_DEVICES", "CUBLAS_WORKSPACE_CONFIG", "PYTORCH_CUDA_ALLOC_CONF"),
    *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "TRITON_INTERPRET"),
)
"""Environment variables that can change a result or its speed. A list of allowed ones: others may hold secrets."""


def environment_lock(plugins: Plugins) -> dict[str, Any]:
    """Versions, plugins and hardware, as JSON values.

    Imports nothing heavy: GPUs are described where torch is imported already.
    """
    return {
        "layout": LAYOUT,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": {"version": platform.python_version(), "implementation": platform.python_implementation()},
        "platform": {
            "system": platform.system(),
            "release": platform.release(),
            "machine": platform.machine(),
        },
        "cpu": {"model": _cpu_model(), "cores": os.cpu_count(), "usable_cores": _usable_cores()},
        "memory_bytes": _memory_bytes(),
        "gpus": _gpus(),
        "variables": {name: os.environ[name] for name in VARIABLES if name in os.environ},
        "git": _git(),
        "distributions": _versions(plugins),
        "plugins": [
            {"name": p.name, "distribution": p.distribution, "version": p.version, "error": p.error}
            for p in plugins.plugins
        ],
    }


def _versions(plugins: Plugins) -> dict[str, str]:
    found = {"rftgym": rftgym.__version__}
    for name in DISTRIBUTIONS:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found | {p.distribution: p.version for p in plugins.plugins if p.version}


def _gpus() -> list[dict[str, Any]] | None:
    """None where nobody has looked, because torch is not in use."""
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    if not torch.cuda.is_available():
        return []
    found = map(torch.cuda.get_device_properties, range(torch.cuda.device_count()))
    return [
        {"name": p.name, "memory_bytes": p.total_memory, "capability": f"{p.major}.{p.minor}"} for p in found
    ]


def _cpu_model() -> str:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as file:
            names = (line.partition(":")[2].strip() for line in file if line.startswith("model name"))
            return next(names, "") or platform.processor()
    except OSError:  # not Linux
        return platform.processor()


def _usable_cores() -> int | None:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _memory_bytes() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):  # names unknown to this system
        return None


def _git() -> dict[str, Any] | None:
    """Commit of the working directory's repository; None where there is none, or no git."""
    commit = _git_output("rev-parse", "HEAD")
    if commit is None:
        return None
    return {
        "commit": commit,
        "changed_files": bool(_git_output("status", "--porcelain", "--untracked-files=no")),
    }


def _git_output(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
