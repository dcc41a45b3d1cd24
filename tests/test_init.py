"""``rftgym init``: what it writes works as it is, is named throughout, and comes whole or not at all."""

from __future__ import annotations

import ast
import json
import os
import shlex
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import rftgym
from rftgym.cli import init, main
from rftgym.errors import UsageError
from rftgym.plugins import Plugins
from rftgym.registry import make, make_reward, trainer_class
from rftgym.scaffold import KINDS, example, scaffold
from rftgym.scaffold.names import Name, check_identifier
from rftgym.specs import EnvSpec
from rftgym.testing import check_env

ROOT = Path(__file__).resolve().parents[1]
TRACES = (
    "example",
    "sort-digits",
    "SortDigits",
    "no-shouting",
    "no_shouting",
    "best-of-group",
    "BestOfGroup",
)
TRACES = (*TRACES, "prompt-parrot", "PromptParrot")
kebab = st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,8}){0,2}", fullmatch=True)


def written(folder: Path) -> dict[str, str]:
    return {str(f.relative_to(folder)): f.read_text() for f in folder.rglob("*") if f.is_file()}


def accepted(kind: str, text: str) -> Name | None:
    """The name, if it is one that can be taken."""
    try:
        name = Name(text)
        check_identifier(name, KINDS[kind], example.identifiers(KINDS[kind]))
    except UsageError:
        return None
    return name


class TestPackage:
    @pytest.mark.parametrize("kind", KINDS)
    def test_holds_what_the_kind_needs_and_nothing_of_the_others(self, kind: str, tmp_path: Path) -> None:
        made = scaffold(kind, "word-chain", tmp_path)
        files = written(tmp_path / "rftgym-word-chain")
        module = KINDS[kind].module
        assert set(files) == {
            "pyproject.toml",
            "README.md",
            ".github/workflows/ci.yml",
            "rftgym_word_chain/__init__.py",
            f"rftgym_word_chain/{module}",
            "rftgym_word_chain/py.typed",
            f"tests/test_{module}",
        }
        assert set(made.files) == set(files)
        hooks = [n.name for n in ast.parse(files["rftgym_word_chain/__init__.py"]).body if hasattr(n, "name")]
        assert hooks == [KINDS[kind].hook]
        other = [id for each in KINDS.values() if each.name != kind for id in (each.id, each.module)]
        assert not [id for id in other if any(id in text for text in files.values())]
        assert f"`{made.id}`" in files["README.md"]

    @given(kind=st.sampled_from(list(KINDS)), text=kebab)
    def test_is_named_throughout_and_can_be_read(self, kind: str, text: str) -> None:
        """Whatever the name: no trace of the example's, code that compiles, one entry point, the class it names."""
        name = accepted(kind, text)
        if name is None:
            return
        files = example.package(KINDS[kind], name)
        plain = example.package(KINDS[kind], Name("qqqq"))
        rest = "\n".join([*plain, *plain.values()]).replace("qqqq", "").replace("Qqqq", "")
        assert not [trace for trace in TRACES if trace in rest]
        trees = {path: ast.parse(text) for path, text in files.items() if path.endswith(".py")}
        project = tomllib.loads(files["pyproject.toml"])["project"]
        assert project["name"] == f"rftgym-{text}"
        assert project["entry-points"] == {"rftgym": {text: name.module}}
        code = trees[f"{name.module}/{KINDS[kind].module}"]
        defined = [node.name for node in code.body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
        assert defined.count(name.identifier(KINDS[kind])) == 1
        assert len(defined) == len(set(defined))
        assert f":{name.identifier(KINDS[kind])}" in files[f"{name.module}/__init__.py"]

    def test_the_environment_is_short_enough_to_be_read_at_once(self, tmp_path: Path) -> None:
        scaffold("env", "word-chain", tmp_path)
        lines = (tmp_path / "rftgym-word-chain/rftgym_word_chain/env.py").read_text().splitlines()
        assert len(lines) <= 60

    def test_gymnasium_s_name_is_as_its_own_as_the_id(self) -> None:
        """ "wordle-env" would be the class WordleEnv too, and Gymnasium knows rftgym/Wordle-v0."""
        module = example.package(KINDS["env"], Name("wordle-env"))["rftgym_wordle_env/__init__.py"]
        assert '"rftgym/WordleEnv-v0"' in module and "rftgym_wordle_env.env:WordleEnv" in module

    def test_it_requires_this_rftgym(self) -> None:
        project = tomllib.loads((example.folder() / "pyproject.toml").read_text())["project"]
        (requirement,) = map(Requirement, project["dependencies"])
        assert requirement.name == "rftgym" and requirement.specifier.contains(rftgym.__version__)

    def test_code_and_tests_are_formatted_as_ours_are(self, tmp_path: Path) -> None:
        for kind in KINDS:
            scaffold(kind, f"one-{kind}", tmp_path)
        for what in (["check"], ["format", "--check"]):
            command = [sys.executable, "-m", "ruff", *what, "--config", str(ROOT / "pyproject.toml"), "."]
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr


class TestCIFile:
    """GitHub's schema and actionlint, asked by hand, say nothing against it; here is what may change with us."""

    @pytest.mark.parametrize("kind", KINDS)
    def test_its_steps_are_those_of_its_kind(self, kind: str) -> None:
        file = yaml.safe_load(example.package(KINDS[kind], Name("one"))[".github/workflows/ci.yml"])
        (job,) = file["jobs"].values()
        assert file[True] == [
            "push",
            "pull_request",
        ]  # YAML 1.1 reads a bare `on` so, and GitHub does not mind
        assert all(("uses" in step) != ("run" in step) for step in job["steps"])
        commands = [step["run"] for step in job["steps"] if "run" in step]
        own = {
            "env": ["rftgym check one", "rftgym audit one"],
            "reward": ["rftgym check one"],
        }
        assert commands == ["pip install -e '.[dev]'", "pytest", *own.get(kind, [])]

    def test_its_pythons_are_those_that_the_package_takes(self) -> None:
        project = tomllib.loads((example.folder() / "pyproject.toml").read_text())["project"]
        file = yaml.safe_load((example.folder() / ".github/workflows/ci.yml").read_text())
        versions = file["jobs"]["test"]["strategy"]["matrix"]["python"]
        takes = SpecifierSet(project["requires-python"])
        assert all(isinstance(version, str) and takes.contains(version) for version in versions)
        assert not takes.contains("3.10") and versions[0] == "3.11"


class TestSingleFile:
    def test_environment(self, tmp_path: Path) -> None:
        made = scaffold("env", "my-env", tmp_path, single_file=True)
        assert written(tmp_path).keys() == {"my_env.py"}
        assert made.id == f"{tmp_path}/my_env.py:MyEnv"
        env = make(made.id)
        check_env(made.id)
        env.reset(seed=0)
        solution = env.demonstrate(env.trajectory.task, 0)
        assert solution is not None and env.step(solution[-1].content)[4]["score"].success

    def test_reward(self, tmp_path: Path) -> None:
        made = scaffold("reward", "calm-words", tmp_path, single_file=True)
        assert made.id.endswith("/calm_words.py:calm_words")
        assert make_reward(made.id, 0.5).weight == 0.5

    def test_trainer(self, tmp_path: Path) -> None:
        made = scaffold("trainer", "my-trainer", tmp_path, single_file=True)
        trainer = trainer_class(made.id)
        assert trainer.__name__ == "MyTrainer" and trainer.Config.__name__ == "MyTrainerSettings"

    def test_policy_is_used_from_the_command_line(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        made = scaffold("policy", "my-policy", tmp_path, single_file=True)
        assert main(["eval", "--env", "wordle", "--model", made.id, "-n", "4", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["n"] == 4


class TestRefusals:
    @pytest.mark.parametrize(
        ("kind", "name", "said"),
        [
            ("env", "Sudoku", "kebab case"),
            ("env", "two--dashes", "kebab case"),
            ("env", "2048", "begins with a letter"),
            ("env", "../up", "kebab case"),
            ("env", "x" * 41, "40 characters"),
            ("env", "", "kebab case"),
            ("env", "a\x1b[31m", "kebab case"),
            ("env", "class", "keyword of Python"),
            ("env", "rftgym-sudoku", "say sudoku"),
            ("trainer", "none", "keyword of Python"),
            ("env", "wordle", "rftgym 0.1.0 registers it (plugin wordle)"),
            ("policy", "openai", "rftgym 0.1.0 registers it"),
            ("env", "grpo", "plugin 'grpo' is there already, in rftgym 0.1.0"),
            ("env", "triton-kernels", "registers it"),
            ("reward", "float", "uses 'float' for something else"),
            ("reward", "sorted", "uses 'sorted' for something else"),
            ("reward", "completion", "uses 'completion' for something else"),
            ("trainer", "trainer", "uses 'Trainer' for something else"),
            ("trainer", "optimizer", "uses 'OptimizerSettings' for something else"),
            ("trainer", "learner", "uses 'Learner' for something else"),
            ("policy", "policy", "uses 'Policy' for something else"),
            ("model", "word-chain", "there are env, reward, trainer, policy"),
        ],
    )
    def test_a_name_that_cannot_be(self, kind: str, name: str, said: str, tmp_path: Path) -> None:
        with pytest.raises(UsageError) as caught:
            scaffold(kind, name, tmp_path)
        assert said in str(caught.value)
        assert "\x1b" not in str(caught.value)
        assert not list(tmp_path.iterdir())

    def test_an_id_of_another_plugin_names_its_distribution(self, tmp_path: Path) -> None:
        plugins = Plugins()
        plugins.register(EnvSpec("sudoku", "nowhere:Sudoku"), distribution="rftgym-puzzles")
        with pytest.raises(UsageError, match="env 'sudoku' is there already: rftgym-puzzles"):
            scaffold("env", "sudoku", tmp_path, plugins=plugins)
        assert (
            scaffold("reward", "sudoku", tmp_path, plugins=plugins).id == "sudoku"
        )  # of another kind: no clash

    def test_a_family_s_name_is_taken_too(self, tmp_path: Path) -> None:
        plugins = Plugins()
        plugins.register(EnvSpec("games", "nowhere:Games", scheme="board"))
        with pytest.raises(UsageError, match="env 'board' is there already"):
            scaffold("env", "board", tmp_path, plugins=plugins)

    @pytest.mark.parametrize("name", ["random", "json", "numpy"])
    def test_a_file_that_would_hide_a_module(self, name: str, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match=name):
            scaffold("env", name, tmp_path, single_file=True)
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("single_file", [False, True])
    def test_what_is_there_stays_as_it_is(self, single_file: bool, tmp_path: Path) -> None:
        path = tmp_path / ("word_chain.py" if single_file else "rftgym-word-chain")
        path.symlink_to(tmp_path / "nowhere")  # even a link that leads nowhere
        with pytest.raises(UsageError, match="is there already: remove it, or choose another name or --dir"):
            scaffold("env", "word-chain", tmp_path, single_file=single_file)
        assert [each.name for each in tmp_path.iterdir()] == [path.name] and path.is_symlink()

    @pytest.mark.parametrize("single_file", [False, True])
    def test_a_place_that_cannot_be_written_to(self, single_file: bool, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        with pytest.raises(UsageError, match="cannot write"):
            scaffold("env", "word-chain", tmp_path / "file", single_file=single_file)
        assert [each.name for each in tmp_path.iterdir()] == ["file"]

    def test_nothing_half_written(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write, calls = Path.write_text, []

        def full(path: Path, *arguments: object, **options: object) -> int:
            calls.append(path)
            if len(calls) == 4:
                raise OSError(28, "No space left on device")
            return write(path, *arguments, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(Path, "write_text", full)
        with pytest.raises(UsageError, match="No space left on device"):
            scaffold("env", "word-chain", tmp_path)
        assert len(calls) == 4 and not list(tmp_path.iterdir())


class TestCommandLine:
    def test_says_what_to_do_next(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["init", "env", "word-chain", "--dir", str(tmp_path / "a b")]) == 0
        lines = capsys.readouterr().out.splitlines()
        next_ones = [shlex.split(line) for line in lines[lines.index("Next:") + 1 :]]
        assert next_ones == [
            ["pip", "install", "-e", str(tmp_path / "a b" / "rftgym-word-chain")],
            ["rftgym", "check", "word-chain"],
            ["rftgym", "audit", "word-chain"],
            ["rftgym", "train", "--env", "word-chain", "--steps", "2"],
        ]

    def test_json(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert main(["init", "reward", "calm-words", "--single-file", "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["id"] == "./calm_words.py:calm_words"
        assert found["path"] == "calm_words.py" and found["files"] == ["calm_words.py"]
        assert found["commands"][0] == "rftgym check ./calm_words.py:calm_words"

    @pytest.mark.parametrize("arguments", [["env"], ["game", "x"], ["env", "wordle"], ["env", "X"]])
    def test_bad_usage_exits_2(self, arguments: list[str], tmp_path: Path) -> None:
        assert main(["init", *arguments, *(["--dir", str(tmp_path)] if len(arguments) > 1 else [])]) == 2
        assert not list(tmp_path.iterdir())

    def test_offers_every_kind(self) -> None:
        assert tuple(KINDS) == init.KINDS


# ------------------------------------------------------------------------------------------------- really installed

PIP = ("--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check")
USES: Mapping[str, tuple[str, ...]] = {
    "env": ("eval", "--env", "word-chain", "--model", "tiny-mixed", "-n", "4", "--max-tokens", "8"),
    "reward": ("eval", "--env", "wordle", "--reward", "word-chain=0.2", "-n", "4"),
    "trainer": ("train", "--env", "wordle", "--trainer", "word-chain", "--steps", "1", "-n", "4"),
    "policy": ("eval", "--env", "wordle", "--model", "word-chain", "-n", "4"),
}


def run(*arguments: str, site: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    paths = [str(site), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_installs_passes_its_own_tests_and_is_used(kind: str, tmp_path: Path) -> None:
    site = tmp_path / "site"
    package = scaffold(kind, "word-chain", tmp_path).path
    done = run("-m", "pip", "install", *PIP, "--target", str(site), str(package), site=site, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    options = ("-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "-c", os.devnull)
    tests = str(package / "tests")
    done = run("-m", "pytest", *options, "--import-mode=importlib", tests, site=site, cwd=tmp_path)
    assert done.returncode == 0 and " passed" in done.stdout, done.stdout + done.stderr
    done = run("-m", "rftgym", *USES[kind], "--json", site=site, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["n"] == 4 if "n" in found else found["steps"] == 1


@pytest.fixture(scope="module")
def wheel_venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment with the wheel in it, made from the sdist.

    It sees this one's dependencies, and not this checkout.
    """
    folder = tmp_path_factory.mktemp("wheel")
    build = ["-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run([sys.executable, *build], check=True, capture_output=True, text=True)
    (sdist,), (wheel,) = folder.glob("rftgym-*.tar.gz"), folder.glob("rftgym-*.whl")
    with tarfile.open(sdist) as archive:  # an editable install of the unpacked sdist finds the example here
        assert any(
            name.endswith("/plugins/rftgym-example/.github/workflows/ci.yml") for name in archive.getnames()
        )
    home = folder / "venv"
    venv.create(home, with_pip=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    # .pth files in a folder that a .pth file adds are not read: this checkout's editable rftgym stays unseen.
    dependencies = home / "lib" / version / "site-packages" / "dependencies.pth"
    dependencies.write_text(sysconfig.get_path("purelib") + "\n")
    subprocess.run([home / "bin" / "pip", "install", *PIP, str(wheel)], check=True, capture_output=True)
    return home


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_from_the_wheel_to_a_trained_model_in_five_commands(wheel_venv: Path, tmp_path: Path) -> None:
    def shell(command: str) -> str:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        environment["PATH"] = os.pathsep.join([str(wheel_venv / "bin"), environment["PATH"]])
        words = shlex.split(command)
        words[1:2] = [words[1], *PIP] if words[:2] == ["pip", "install"] else words[1:2]
        done = subprocess.run(
            words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    where = shell("python -c 'import rftgym; print(rftgym.__file__)'")
    assert where.startswith(str(wheel_venv))
    shell("rftgym init env sudoku")
    shell("pip install ./rftgym-sudoku")
    rows = {row["id"]: row for row in json.loads(shell("rftgym list env --json"))}
    assert rows["sudoku"]["distribution"] == "rftgym-sudoku" and rows["sudoku"]["loaded"]
    shell("rftgym check sudoku")
    shell("rftgym audit sudoku --max-gap 0.1")
    result = json.loads(shell("rftgym train --env sudoku --steps 2 --json"))
    assert result["steps"] == 2
    shell("pip uninstall -y rftgym-sudoku")
    assert "sudoku" not in {row["id"] for row in json.loads(shell("rftgym list env --json"))}
    assert "rftgym_sudoku" not in shell("pip list")


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["env", "reward"])  # of the others, installing and testing are above
def test_the_steps_of_its_ci_file_run_one_after_the_other(
    kind: str, wheel_venv: Path, tmp_path: Path
) -> None:
    """As on GitHub: each in a shell of its own, in the package's folder. pip fetches what builds it from an index."""
    package = scaffold(kind, f"ci-{kind}", tmp_path).path
    (job,) = yaml.safe_load((package / ".github/workflows/ci.yml").read_text())["jobs"].values()
    steps = [step["run"] for step in job["steps"] if "run" in step]
    assert steps[:2] == ["pip install -e '.[dev]'", "pytest"]
    command = wheel_venv / "bin" / "pytest"  # pip writes it where pytest is not there already
    command.write_text(f"#!{wheel_venv}/bin/python\nimport sys, pytest\nsys.exit(pytest.main())\n")
    command.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["PATH"] = os.pathsep.join([str(wheel_venv / "bin"), environment["PATH"]])
    environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    try:
        for step in steps:
            done = subprocess.run(
                ["bash", "-e", "-c", step],
                cwd=package,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{step}\n{done.stdout}\n{done.stderr}"
    finally:
        uninstall = [str(wheel_venv / "bin" / "pip"), "uninstall", "-y", package.name]
        subprocess.run(uninstall, check=True, capture_output=True)
