"""``rftgym --help`` and ``rftgym list`` are instant: nothing heavy is imported, they cost little more than Python."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"torch", "transformers", "trl", "datasets", "triton"}
NEEDLESS = {
    "accelerate",
    "gymnasium",
    "numpy",
    "peft",
    "pydantic",
    "rich",
    "click",
    "yaml",
    "importlib.metadata",
}
RUN = (
    "import sys; from rftgym.cli import main; sys.exit(main(sys.argv[1:]))"  # what the installed script does
)
ROUNDS = 15
LIMIT = 5.0  # times the cost of `python -c pass`


@pytest.mark.parametrize(
    "arguments", [["--help"], [], ["list"], ["list", "env"], ["list", "--json"], ["--version"]]
)
def test_nothing_heavy_is_imported(arguments: list[str]) -> None:
    code = (
        "import contextlib, io, json, sys\n"
        "from rftgym.cli import main\n"
        "with contextlib.redirect_stdout(io.StringIO()): code = main(sys.argv[1:])\n"
        "print(json.dumps([code, sorted(sys.modules)]))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    exit_code, modules = json.loads(result.stdout)
    assert exit_code == 0
    assert not (HEAVY | NEEDLESS) & set(modules)


@pytest.mark.parametrize(
    "arguments",
    [["train", "--help"], ["eval", "--help"], ["list", "nonsense"], ["list", "--help"], ["trian"]],
)
def test_help_and_mistakes_import_nothing_heavy_either(arguments: list[str]) -> None:
    code = (
        "import json, sys\n"
        "from rftgym.cli import main\n"
        "main(sys.argv[1:])\n"
        "print('\\n' + json.dumps(sorted(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    assert not HEAVY & set(json.loads(result.stdout.splitlines()[-1]))


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """As where rftgym is installed: bytecode is kept (but not in the source tree)."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(tmp_path)}


def cpu_seconds(arguments: list[str], environment: dict[str, str]) -> float:
    """What one Python process costs."""
    silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    command = [sys.executable, *arguments]
    _, status, usage = os.wait4(os.posix_spawn(sys.executable, command, environment, file_actions=silent), 0)
    assert status == 0
    return usage.ru_utime + usage.ru_stime


@pytest.mark.parametrize("arguments", [["--help"], ["list"], ["list", "--json"]], ids=" ".join)
def test_costs_at_most_five_times_what_starting_python_costs(
    arguments: list[str], environment: dict[str, str]
) -> None:
    commands = {"python": ["-c", "pass"], "rftgym": ["-c", RUN, *arguments]}
    costs: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(ROUNDS):  # interleaved, and in CPU time, so that a busy machine slows both alike
        for name, command in commands.items():
            costs[name].append(cpu_seconds(command, environment))
    ratio = statistics.median(costs["rftgym"]) / statistics.median(costs["python"])
    assert ratio <= LIMIT, f"rftgym {' '.join(arguments)} costs {ratio:.2f} times what `python -c pass` costs"
