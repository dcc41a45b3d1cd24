"""The battery: no cheat is paid, no wrong kernel succeeds, every right one does, and nothing is left behind."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from itertools import cycle, islice
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import rftgym
from rftgym.scoring import score
from rftgym_triton_kernels.problems import problem_of

ENV = "triton-kernels"
ANSWERS = 2000
GROWTH_BYTES = 64 << 20  # between the 1,000th and the last answer


def _battery() -> ModuleType:
    """The folder beside this file: tests are no package, so that it cannot be imported by name."""
    name = "triton_battery"
    if name not in sys.modules:
        spec = spec_from_file_location(name, Path(__file__).parent / name / "__init__.py")
        assert spec is not None and spec.loader is not None
        sys.modules[name] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


battery = _battery()
CHEATS, RIGHT, WRONG = (battery.answers(kind) for kind in battery.KINDS)
each_cheat = pytest.mark.parametrize("answer", CHEATS, ids=lambda answer: answer.name)
each_right = pytest.mark.parametrize("answer", RIGHT, ids=lambda answer: answer.name)
each_wrong = pytest.mark.parametrize("answer", WRONG, ids=lambda answer: answer.name)


@cache
def results(kind: str) -> dict[str, dict[str, Any]]:
    """What scoring in one go says of all answers of a kind, by name."""
    answers = battery.answers(kind)
    rows = score(ENV, [answer.row for answer in answers], tasks=battery.PROBLEMS)
    return {answer.name: row for answer, row in zip(answers, rows, strict=True)}


@cache
def environment() -> Any:
    """With the settings that scoring uses, and so with its judge."""
    made = rftgym.make(ENV)
    made.tasks = made.read_tasks(battery.PROBLEMS)
    return made


def judged(answer: Any) -> Any:
    """The verdict on an answer."""
    problem = problem_of(environment().tasks.by_id(answer.task))
    return environment().judge.judge(problem, answer.completion)


def said(kind: str, answer: Any) -> dict[str, Any]:
    """The result of one answer, without its text."""
    row = results(kind)[answer.name]
    return {key: row[key] for key in ("reward", "success", "components", "error")} | {"why": answer.why}


# ---- the battery itself


def test_the_battery_is_as_large_as_it_claims_to_be() -> None:
    assert len(CHEATS) >= 110 and len(RIGHT) >= 22 and len(WRONG) >= 36
    assert len({answer.family for answer in CHEATS}) == 8


@pytest.mark.parametrize("kind", battery.KINDS)
def test_names_are_unique_and_stages_are_known(kind: str) -> None:
    answers = battery.answers(kind)
    assert len({answer.name for answer in answers}) == len(answers)
    expected = {None} if kind == "right" else set(battery.STAGES)
    assert {answer.stage for answer in answers} <= expected
    assert all(answer.why for answer in answers)


# ---- one by one


@pytest.mark.slow
@each_cheat
def test_a_cheat_gets_no_more_than_its_form_is_worth(answer: Any) -> None:
    result = said("cheats", answer)
    assert result["error"] is None, result
    assert result["success"] is False and result["reward"] <= answer.limit, result


@pytest.mark.slow
@each_cheat
def test_a_cheat_is_caught_by_the_stage_that_must_catch_it(answer: Any) -> None:
    """Or by an earlier one. The judge remembers its verdicts, so that this judges nothing anew."""
    results("cheats")
    verdict = judged(answer)
    assert battery.STAGES.index(verdict.stage) <= battery.STAGES.index(answer.stage), verdict.message


@pytest.mark.slow
@each_wrong
def test_a_wrong_kernel_is_no_success(answer: Any) -> None:
    result = said("wrong", answer)
    assert result["error"] is None, result
    assert result["success"] is False and result["reward"] < 1.0, result


@pytest.mark.slow
@each_right
def test_a_right_kernel_is_paid_in_full(answer: Any) -> None:
    result = said("right", answer)
    assert result["error"] is None, result
    assert result["success"] is True and result["reward"] == 1.0, result


# ---- what is left behind

PROGRAM = """
import sys
from rftgym.scoring import score
score("triton-kernels", sys.argv[1], tasks=sys.argv[2], out=sys.argv[3])
"""
NAMES = ("left_by_a_kernel", "from_a_kernel", "softmax.cache")  # which cheats give to their files


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_cheats_leave_no_process_and_no_file(tmp_path: Path) -> None:
    mark = f"RFTGYM_BATTERY={uuid.uuid4()}"
    rows, out, temporary = tmp_path / "rows.jsonl", tmp_path / "out.jsonl", tmp_path / "temporary"
    temporary.mkdir()
    rows.write_text("".join(json.dumps(answer.row) + "\n" for answer in CHEATS), encoding="ascii")
    environment = {**os.environ, "TMPDIR": str(temporary), **dict([mark.split("=")])}
    command = [sys.executable, "-c", PROGRAM, str(rows), str(battery.PROBLEMS), str(out)]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=800)
    assert done.returncode == 0, done.stderr
    assert len(out.read_text(encoding="utf-8").splitlines()) == len(CHEATS)
    assert processes_with(mark.encode()) == []
    assert list(temporary.iterdir()) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.jsonl", "rows.jsonl", "temporary"]
    for folder in (Path("/"), Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"), Path.home()):
        assert not [name for name in NAMES if (folder / name).exists()], folder


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_memory_does_not_grow_over_thousands_of_answers() -> None:
    kept = [
        a
        for a in CHEATS + RIGHT + WRONG
        if a.task in ("relu", "vector_add") and a.family not in SLOW_FAMILIES
    ]
    fresh = ({**answer.row, "completion": unlike(answer, k)} for k, answer in enumerate(cycle(kept)))
    sizes = []
    for _ in range(4):
        score(ENV, list(islice(fresh, ANSWERS // 4)), tasks=battery.PROBLEMS)
        sizes.append(resident_bytes())
    assert sizes[-1] - sizes[1] < GROWTH_BYTES, sizes


SLOW_FAMILIES = ("process-and-result-channel", "aimed-at-the-tape")  # some run into their time limit


def unlike(answer: Any, number: int) -> str:
    """An answer that the judge has not met: the same, and a comment."""
    return str(battery.tagged(f"{answer.source}# {number}\n"))


def processes_with(mark: bytes) -> list[int]:
    """Processes of this machine that carry a mark in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if mark in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
    return found


def resident_bytes() -> int:
    """Memory of this process and of all that it started, after the garbage was collected."""
    gc.collect()
    return sum(_pages(process) for process in _family(os.getpid())) * os.sysconf("SC_PAGE_SIZE")


def _family(process: int) -> Iterator[int]:
    yield process
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):
            for child in children.read_text(encoding="ascii").split():
                yield from _family(int(child))


def _pages(process: int) -> int:
    with suppress(OSError):
        return int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return 0
