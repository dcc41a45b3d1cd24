"""The adapter ``verifiers:NAME``, against the released packages.

verifiers needs other versions of packages than the rest of the project does, so each release gets an environment of its
own: it sees this one's packages, and pip adds what differs. The tests proper, tests/foreign/suite_*.py, run there.
"""

# ruff: noqa: NPY002, TID251  # what is done to the global generators here is what foreign code does

from __future__ import annotations

import asyncio
import importlib.util
import os
import queue
import random
import re
import socket
import subprocess
import sys
import sysconfig
import time
import venv
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rftgym
from rftgym import Turn
from rftgym.errors import MissingPackageError
from rftgym_verifiers.draws import Draws
from rftgym_verifiers.loop import event_loop
from rftgym_verifiers.rows import tasks_of
from rftgym_verifiers.talk import Said
from rftgym_verifiers.tools import calls_in

ROOT = Path(__file__).resolve().parents[1]
FOREIGN = ROOT / "tests" / "foreign"
CURE = "pip must reach a package index; see tests/test_adapter_verifiers.py"


def without_verifiers() -> None:
    if importlib.util.find_spec("verifiers"):
        pytest.skip("verifiers is installed here: run it where it is not, as after `make setup`")


def test_a_missing_package_is_told_with_its_cure() -> None:
    without_verifiers()
    with pytest.raises(
        MissingPackageError, match=r"'verifiers:sums' needs.*pip install 'rftgym\[verifiers\]'"
    ):
        rftgym.make("verifiers:sums")
    with pytest.raises(MissingPackageError, match=r"pip install 'rftgym\[verifiers\]'"):
        rftgym.make("verifiers")


def test_the_family_is_listed_without_the_package() -> None:
    program = "import sys; from rftgym.plugins import discover; "
    program += "print(discover().find('env', 'verifiers:x').spec.kwargs)"
    program += "; assert not [m for m in sys.modules if m.startswith(('rftgym_verifiers.', 'verifiers'))]"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "{'name': 'x'}\n"), done.stderr


DRAWS: dict[str, Callable[[], object]] = {
    "random": random.random,
    "gauss": lambda: random.gauss(0, 1),
    "seed": lambda: random.seed(3),
    "rand": lambda: np.random.rand(),
    "normal": lambda: np.random.normal(),
    "numpy seed": lambda: np.random.seed(5),
}
"""What foreign code does with the global generators."""
NAMES = st.lists(st.sampled_from(sorted(DRAWS)), max_size=6)


def global_state() -> tuple[object, ...]:
    kind, keys, *rest = np.random.get_state()
    return random.getstate(), kind, np.asarray(keys).tobytes(), *rest


@given(before=NAMES, inside=NAMES, on=st.booleans())
def test_a_step_leaves_the_global_generators_as_they_were(
    before: list[str], inside: list[str], on: bool
) -> None:
    first = global_state()
    try:
        for name in before:
            DRAWS[name]()
        state, draws = global_state(), Draws("x", on=on)
        for _ in range(2):
            with draws.step():
                for name in inside:
                    DRAWS[name]()
        assert global_state() == state
        seeds_itself = {"seed", "numpy seed"} & {*inside}
        assert draws.needed or seeds_itself or not inside
    finally:
        random.setstate(first[0])  # type: ignore[arg-type]
        np.random.set_state((first[1], np.frombuffer(first[2], np.uint32), *first[3:]))  # type: ignore[arg-type]


@given(before=NAMES, inside=NAMES)
def test_seeded_steps_draw_the_same_whatever_was_drawn_before(before: list[str], inside: list[str]) -> None:
    drawn = []
    for names in ([], before):
        draws = Draws("episode", on=True)
        with Draws("around", on=True).step():
            for name in names:
                DRAWS[name]()
            for _ in range(2):
                with draws.step():
                    drawn.append([DRAWS[name]() for name in inside])
    assert drawn[:2] == drawn[2:]


ROWS = st.lists(
    st.fixed_dictionaries({"question": st.text(max_size=3), "example_id": st.integers()}), max_size=40
)


@given(rows=ROWS, held_out=st.none() | ROWS, seed=st.integers())
def test_ids_are_of_the_content_and_splits_are_apart(
    rows: list[dict[str, Any]], held_out: list[dict[str, Any]] | None, seed: int
) -> None:
    tasks = tasks_of("x", rows, held_out, "example_id")
    assert len({task.id for task in tasks}) == len(tasks)
    splits: dict[str, set[str]] = {}
    for task in tasks:
        splits.setdefault(task.data["question"], set()).add(task.split)
    assert all(len(each) == 1 for each in splits.values())
    shuffled = random.Random(seed).sample(rows, len(rows))
    again = tasks_of("x", [{**row, "example_id": 0} for row in shuffled], held_out, "example_id")
    assert {(task.id, task.split) for task in again} == {(task.id, task.split) for task in tasks}


@given(text=st.text(st.characters(), max_size=40) | st.sampled_from(["\ud800", "\udc00\ud800x"]))
def test_what_is_said_is_text(text: str) -> None:
    said = Said.of(Turn((), text)).text
    said.encode()
    assert said == text or any("\ud800" <= character <= "\udfff" for character in text)


@given(text=st.text('<>/tol_ca{}"name:ru[]e ,1', max_size=60))
def test_any_text_may_hold_calls_or_not(text: str) -> None:
    assert calls_in(text, "call") == (text, None)
    around = f'{text}<tool_call>{{"name": "f", "arguments": {{"a": 1}}}}</tool_call>'
    _, calls = calls_in(around, "call")
    assert calls is None or calls[-1] == {"id": "call-0", "name": "f", "arguments": '{"a": 1}'}
    assert calls is not None or "<tool_call>" in text


def answered(loop: asyncio.AbstractEventLoop, times: int) -> None:
    """Ask the loop for something from this thread, one after the other, with every answer waited for."""
    for number in range(times):
        heard: queue.SimpleQueue[int] = queue.SimpleQueue()
        loop.call_soon_threadsafe(heard.put, number)
        assert heard.get(timeout=20) == number


@pytest.mark.parametrize("watches_a_file", [False, True])
def test_the_loop_hears_every_thread(watches_a_file: bool) -> None:
    """Also while it goes to and fro between waiting on a lock and on files."""
    loop = event_loop()
    near, far = socket.socketpair()
    near.setblocking(False)

    async def echo() -> bytes:
        got = b""
        for _ in range(300):
            got += await loop.sock_recv(near, 1)
        return got

    reading = asyncio.run_coroutine_threadsafe(echo(), loop) if watches_a_file else None
    with near, far, ThreadPoolExecutor(4) as threads:
        asking = [threads.submit(answered, loop, 500) for _ in range(3)]
        if reading is not None:
            for _ in range(300):
                far.send(b"x")
                time.sleep(1e-4)
            assert reading.result(timeout=20) == 300 * b"x"
        for each in asking:
            each.result()


def test_the_loop_keeps_time_and_sleeps_meanwhile() -> None:
    async def naps() -> float:
        began = time.monotonic()
        for _ in range(10):
            await asyncio.sleep(0.02)
        return time.monotonic() - began

    busy = time.process_time()
    assert 0.2 <= asyncio.run_coroutine_threadsafe(naps(), event_loop()).result(timeout=20) < 5
    assert time.process_time() - busy < 0.15


def test_the_loop_runs_programs_and_gets_answers_from_other_threads() -> None:
    async def work() -> tuple[bytes, int]:
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "print(input())", stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        said, _ = await program.communicate(b"hello\n")
        return said, await asyncio.get_running_loop().run_in_executor(None, sum, (1, 2))

    assert asyncio.run_coroutine_threadsafe(work(), event_loop()).result(timeout=60) == (b"hello\n", 3)


@pytest.fixture(scope="session")
def python_with(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The interpreter of an environment that has a release of verifiers; made once a session."""
    made: dict[str, Path] = {}

    def python(release: str) -> Path:
        if release not in made:
            made[release] = environment(tmp_path_factory.mktemp(f"verifiers-{release}"), release)
        return made[release]

    return python


def environment(folder: Path, release: str) -> Path:
    """An environment below a folder, on top of this one. This one's .pth files are not read there."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(subprocess.check_output([python, "-c", asked], text=True).strip())
    paths = [ROOT, *(ROOT / each for each in ("envs", "trainers", "plugins")), sysconfig.get_path("purelib")]
    (site / "parent.pth").write_text("".join(f"{path}\n" for path in paths))
    pip = [
        str(python),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        f"verifiers=={release}",
    ]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"cannot install verifiers=={release} ({done.stderr.strip()[-200:]}): {CURE}")
    return python


def run(python: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(FOREIGN), "OMP_NUM_THREADS": "1", **settings}
    return subprocess.run(
        [python, *arguments], capture_output=True, text=True, check=False, env=environ, cwd=ROOT
    )


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("release", "suite"),
    [
        ("0.4.0", "suite_v1"),
        ("0.3.1", "suite_legacy"),
        pytest.param("0.3.1", "suite_v1", marks=pytest.mark.thorough),
        pytest.param("0.1.14", "suite_legacy", marks=pytest.mark.thorough),
    ],
)
def test_a_suite_passes_with_a_release(python_with: Callable[[str], Path], release: str, suite: str) -> None:
    pytest_ = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout=600")
    done = run(python_with(release), *pytest_, str(FOREIGN / f"{suite}.py"))
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert " passed" in done.stdout and "skipped" not in done.stdout


MARKED = re.compile(
    r"^<!-- (?:verifiers (?P<release>[\d.]+) )?(?:run|file: (?P<file>\S+)) -->\n"
    r"```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
"""A block of a page that is run, or written to a file; those without a release are run by tests/test_docs.py too."""


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("page", "release"), [("docs/port-from-verifiers.md", "0.3.1"), ("docs/adapters/verifiers.md", "0.4.0")]
)
def test_the_pages_are_true(
    python_with: Callable[[str], Path], page: str, release: str, tmp_path: Path
) -> None:
    python = python_with(release)
    found = list(MARKED.finditer((ROOT / page).read_text(encoding="utf-8")))
    assert sum(block["release"] == release for block in found) >= 2
    rftgym_ = python.parent / "rftgym"
    rftgym_.write_text(f"#!{python}\nfrom rftgym.cli import main\nmain()\n")
    rftgym_.chmod(0o755)
    path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    for block in found:
        if block["file"]:
            (tmp_path / block["file"]).write_text(block["text"], encoding="utf-8")
            continue
        command = {"bash": ["bash", "-euo", "pipefail", "-c"], "python": [str(python), "-c"]}[
            block["language"]
        ]
        done = subprocess.run(
            [*command, block["text"]],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={**os.environ, "PATH": path, "OMP_NUM_THREADS": "1"},
        )
        assert done.returncode == 0, f"{page}:\n{block['text']}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
