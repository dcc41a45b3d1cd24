"""What is shipped: the entry-point table, the wheel's contents, the pins, and the Makefile's set-up."""

from __future__ import annotations

import ast
import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("envs", "trainers", "plugins")
GENERATED = {"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}


@pytest.fixture(scope="module")
def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def plugin_folders() -> dict[str, Path]:
    return {
        folder.name: folder for room in ROOMS for folder in (ROOT / room).glob("rftgym_*") if folder.is_dir()
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """The wheel, built from the work tree with the installed build backend: nothing is downloaded."""
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    (path,) = out.glob("rftgym-*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


@pytest.fixture(scope="module")
def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}


class TestDeclarations:
    def test_entry_points_are_the_plugin_folders(self, pyproject: dict[str, Any]) -> None:
        declared = pyproject["project"]["entry-points"]["rftgym"]
        assert sorted(declared.values()) == sorted(plugin_folders())
        assert all(
            name == module.removeprefix("rftgym_").replace("_", "-") for name, module in declared.items()
        )

    def test_every_plugin_folder_is_a_package(self) -> None:
        for folder in plugin_folders().values():
            assert (folder / "__init__.py").is_file(), f"{folder} has no __init__.py"

    def test_every_environment_has_a_readme(self) -> None:
        missing = [
            str(f)
            for f in plugin_folders().values()
            if f.parent.name == "envs" and not (f / "README.md").is_file()
        ]
        assert not missing

    def test_import_contracts_cover_every_plugin(self, pyproject: dict[str, Any]) -> None:
        linter = pyproject["tool"]["importlinter"]
        contracts = {contract["id"]: contract for contract in linter["contracts"]}
        folders = sorted(plugin_folders())
        assert sorted(linter["root_packages"]) == ["rftgym", *folders]
        assert sorted(contracts["framework"]["forbidden_modules"]) == folders
        assert sorted(contracts["plugins"]["modules"]) == folders

    def test_every_import_is_declared(self, pyproject: dict[str, Any]) -> None:
        """What the code imports it requires itself, and does not leave to the requirements of others."""
        project = pyproject["project"]
        extras = project["optional-dependencies"]
        development = {"bench", "dev", "docs"}
        optional = [text for extra in extras.keys() - development for text in extras[extra]]
        texts = [*project["dependencies"], *optional]
        declared = {canonicalize_name(Requirement(text).name) for text in texts}
        ours = {"rftgym", *plugin_folders()}
        owners = importlib.metadata.packages_distributions()
        roots = [ROOT / "rftgym", *plugin_folders().values()]
        for path in (path for root in roots for path in root.rglob("*.py")):
            for module in _imported(path) - ours - sys.stdlib_module_names:
                distributions = {canonicalize_name(name) for name in owners.get(module, [module])}
                assert distributions & declared, f"{path.relative_to(ROOT)} imports {module}: declare it"

    def test_version_is_said_once_more_in_the_package_and_agrees(self, pyproject: dict[str, Any]) -> None:
        import rftgym

        assert rftgym.__version__ == pyproject["project"]["version"]

    def test_public_names_resolve(self) -> None:
        import rftgym

        for name in rftgym.__all__:
            assert getattr(rftgym, name) is not None


def _imported(path: Path) -> set[str]:
    """The top-level names that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


class TestWheel:
    def test_carries_every_file_of_the_packages_and_nothing_else(self, wheel: zipfile.ZipFile) -> None:
        shipped = {name for name in wheel.namelist() if not name.startswith("rftgym-")}
        example = ROOT / "plugins" / "rftgym-example"
        roots = {"rftgym": ROOT / "rftgym", "rftgym/scaffold/example": example, **plugin_folders()}
        on_disk = {
            f"{name}/{path.relative_to(root).as_posix()}"
            for name, root in roots.items()
            for path in root.rglob("*")
            if path.is_file() and path.suffix != ".pyc" and not GENERATED & set(path.parts)
        }
        assert shipped == on_disk

    @pytest.mark.parametrize(
        "pattern",
        [
            r"rftgym/py\.typed",
            r"rftgym_wordle/data/answers\.txt",
            r"rftgym_wordle/data/guesses\.txt",
            r"rftgym_wordle/data/LICENSE\.md",
            r"rftgym_tiny/weights/.*\.safetensors",
            r"rftgym_tiny/weights/tokenizer\.json",
            r"rftgym_tiny/mixed/.*\.safetensors",
            r"rftgym_tiny/README\.md",
            r"rftgym_chess/data/.*\.jsonl",
            r"rftgym_code/data/.*\.jsonl",
            r"rftgym_transpile/data/tasks\.jsonl\.gz",
            r"rftgym_transpile/harness/.*\.java",
            r"rftgym_transpile/harness/harness\.js",
            r"rftgym/scaffold/example/\.github/workflows/ci\.yml",
            r"rftgym-[^/]*/licenses/LICENSE",
        ],
    )
    def test_carries_data(self, wheel: zipfile.ZipFile, pattern: str) -> None:
        found = [name for name in wheel.namelist() if re.fullmatch(pattern, name)]
        assert found, f"no {pattern} in the wheel"
        assert all(wheel.getinfo(name).file_size or name.endswith("py.typed") for name in found)

    def test_weights_of_a_bundled_model_stay_small(self, wheel: zipfile.ZipFile) -> None:
        sizes = [info.file_size for info in wheel.infolist() if info.filename.endswith(".safetensors")]
        assert sizes and max(sizes) <= 8_000_000

    def test_metadata(self, wheel: zipfile.ZipFile, pyproject: dict[str, Any]) -> None:
        (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = Parser().parsestr(wheel.read(name).decode())
        assert metadata["Requires-Python"] == ">=3.11"
        assert metadata["License-Expression"] == "Apache-2.0"
        plain = [
            requirement
            for requirement in metadata.get_all("Requires-Dist", [])
            if "extra ==" not in requirement
        ]
        assert len(plain) == len(pyproject["project"]["dependencies"])
        entries = wheel.read(name.replace("METADATA", "entry_points.txt")).decode()
        assert "[console_scripts]\nrftgym = rftgym.cli:main" in entries


class TestConstraints:
    def test_pins_hold_on_any_index(self, pins: dict[str, str]) -> None:
        assert not [name for name, version in pins.items() if "+" in version]
        assert not [name for name in pins if name.startswith(("nvidia-", "cuda-"))]

    def test_everything_that_dev_brings_in_is_pinned_within_its_bounds(
        self, pins: dict[str, str], pyproject: dict[str, Any]
    ) -> None:
        """Walks the requirements of what is installed, from pyproject's own on, as pip does."""
        project = pyproject["project"]
        extras = project["optional-dependencies"]
        (own,) = (Requirement(text) for text in extras["dev"] if text.startswith("rftgym["))
        with_dev = [text for extra in ("dev", *own.extras) for text in extras[extra]]
        texts = [*project["dependencies"], *with_dev]
        queue = [Requirement(text) for text in texts]
        seen: set[tuple[str, str]] = set()
        while queue:
            requirement = queue.pop()
            name = canonicalize_name(requirement.name)
            if name == "rftgym" or (name, str(requirement)) in seen:
                continue
            seen.add((name, str(requirement)))
            assert name in pins, f"constraints.txt does not pin {name}: make constraints"
            assert requirement.specifier.contains(pins[name]), (
                f"{name}=={pins[name]} is outside {requirement}"
            )
            queue.extend(_required_by(name, requirement.extras))
        assert len(seen) > len(pins)  # every pin was reached by some requirement, most by several
        assert {name for name, _ in seen} == set(pins)


def _required_by(name: str, extras: set[str]) -> list[Requirement]:
    """What an installed distribution requires here, with these extras."""
    found = [Requirement(text) for text in importlib.metadata.requires(name) or []]
    return [
        requirement
        for requirement in found
        if requirement.marker is None
        or any(requirement.marker.evaluate({"extra": extra}) for extra in ["", *extras])
    ]


FAKE_PYTHON = """#!/bin/bash
# Answers what the Makefile asks of a Python: its version, `-m venv DIR`, and then, as DIR/bin/python, `-m pip install`.
echo "$*" >> "$LOG"
case "$1 $2" in
  "-c "*) exec "$REAL_PYTHON" -c "import sys; sys.version_info = ($VERSION, 0, 'final', 0); exec(sys.argv[1])" "$2" ;;
  "-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  "-m pip") exit "${PIP_EXIT:-0}" ;;
esac
"""


class TestMakefile:
    """The logic of the set-up, with a stand-in for Python and pip; CI runs the set-up itself."""

    @pytest.fixture
    def venv(self, tmp_path: Path) -> Path:
        return tmp_path / "venv"

    def make(
        self, venv: Path, *, version: str = "3, 11", pip_exit: int = 0
    ) -> subprocess.CompletedProcess[str]:
        python, log = venv.parent / "fake-python", venv.parent / "log"
        python.write_text(FAKE_PYTHON)
        python.chmod(0o755)
        log.write_text("")
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
            "LOG": str(log),
            "VERSION": version,
            "PIP_EXIT": str(pip_exit),
            "REAL_PYTHON": sys.executable,
        }
        command = ["make", "-C", str(ROOT), "setup", f"PYTHON={python}", f"VENV={venv}"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def log(self, venv: Path) -> str:
        return (venv.parent / "log").read_text()

    def test_installs_with_the_pins_and_then_has_nothing_to_do(self, venv: Path) -> None:
        assert self.make(venv).returncode == 0
        assert "-m pip install -e .[dev] -c constraints.txt" in self.log(venv)
        assert self.make(venv).returncode == 0
        assert self.log(venv) == ""

    def test_an_old_python_is_refused_in_one_line_and_nothing_is_made(self, venv: Path) -> None:
        result = self.make(venv, version="3, 9")
        assert result.returncode != 0
        assert "needs Python 3.11 or newer" in result.stderr and "is 3.9" in result.stderr
        assert "make PYTHON=" in result.stderr
        assert not venv.exists()

    def test_a_setup_that_was_cut_off_is_begun_again_from_nothing(self, venv: Path) -> None:
        assert self.make(venv, pip_exit=1).returncode != 0
        (venv / "half").write_text("left by the first try")
        assert self.make(venv).returncode == 0
        assert not (venv / "half").exists()

    def test_an_environment_made_by_hand_is_completed_and_kept(self, venv: Path) -> None:
        venv.mkdir()
        (venv / "mine").write_text("made by the user")
        assert self.make(venv).returncode == 0
        assert (venv / "mine").exists()
        assert "-m pip install" in self.log(venv)

    def test_changed_pins_are_installed_in_place(self, venv: Path) -> None:
        assert self.make(venv).returncode == 0
        (venv / "kept").write_text("")
        os.utime(venv / ".rftgym-ready", (0, 0))  # older than pyproject.toml and constraints.txt
        assert self.make(venv).returncode == 0
        assert "-m pip install" in self.log(venv)
        assert (venv / "kept").exists()

    def test_a_failed_reinstall_is_not_trusted(self, venv: Path) -> None:
        assert self.make(venv).returncode == 0
        os.utime(venv / ".rftgym-ready", (0, 0))
        assert self.make(venv, pip_exit=1).returncode != 0
        assert self.make(venv).returncode == 0
        assert "-m pip install" in self.log(venv)
