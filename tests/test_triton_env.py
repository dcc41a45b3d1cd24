"""The kernel environments through their public doors: rewards by stage, repair, settings, what is said to a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import rftgym
from rftgym.errors import UsageError
from rftgym.scoring import score
from rftgym_triton_kernels.judge import Judge, JudgeSettings
from rftgym_triton_kernels.problems import ProblemRow, problems
from rftgym_triton_kernels.rewards import FLOOR, FORMATTING, RUNNING

HEAD = "import torch\nimport triton\nimport triton.language as tl\n\n"
KERNEL = """@triton.jit
def double_kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    m = i < n
    x = tl.load(x_ptr + i, mask=m)
    tl.store(out_ptr + i, x + x, mask=m)

"""
WRAPPER = """def double(x):
    x = x.contiguous()
    out = torch.empty_like(x)
    n = x.numel()
    if n > 0:
        double_kernel[(triton.cdiv(n, 256),)](x, out, n, BLOCK=256)
    return out
"""
DOUBLE = {
    "name": "double",
    "signature": "double(x)",
    "doc": "Twice each element.",
    "reference": "def double(x):\n    return 2 * x\n",
    "cases": [
        [{"shape": [1000]}],
        [{"shape": [33, 17], "t": True}],
        [{"shape": [300], "dtype": "float16"}],
        [{"shape": [5], "dtype": "bfloat16"}],
        [{"shape": [0]}],
    ],
}


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("kernels") / "problems.jsonl"
    file.write_text(json.dumps(DOUBLE) + "\n", encoding="utf-8")
    return file


def answer(kernel: str = KERNEL, wrapper: str = WRAPPER, head: str = HEAD) -> str:
    return f"<kernel>\n{head}{kernel}{wrapper}</kernel>"


def scored(tasks: Path, *completions: str) -> list[dict[str, Any]]:
    return score(
        "triton-kernels", [{"task": "double", "completion": each} for each in completions], tasks=tasks
    )


STAGES = {
    "nothing": ("I cannot.", 0.0),
    "no Python": ("<kernel>def(</kernel>", FORMATTING * 2 / 7),
    "no kernel": (answer(kernel=""), FORMATTING * 6 / 7),
    "no wrapper": (answer(wrapper=""), FORMATTING * 5 / 7),
    "compiler error": (answer(KERNEL.replace("x + x", "x + nowhere")), FORMATTING),
    "torch does the work": (answer(wrapper=WRAPPER.replace("return out", "return out + x")), FORMATTING),
    "leaves its memory": (answer(KERNEL.replace(", mask=m", "")), FORMATTING),
    "zeros": (answer(KERNEL.replace("x + x", "x * 0.0")), FORMATTING),
    "wrong": (answer(KERNEL.replace("x + x", "x * x - 7.0")), FORMATTING + RUNNING),
    "right but for float16": (answer(KERNEL.replace("x + x", "tl.where(BLOCK == 256, x + x, x)").replace(
        "tl.store", "if x_ptr.dtype.element_ty == tl.float16:\n        x = x * x - 7.0\n    tl.store")), None),
    "right": (answer(), 1.0),
}  # fmt: skip


@pytest.fixture(scope="module")
def results(tasks: Path) -> dict[str, dict[str, Any]]:
    rows = scored(tasks, *(completion for completion, _ in STAGES.values()))
    return dict(zip(STAGES, rows, strict=True))


@pytest.mark.parametrize("name", STAGES)
def test_each_stage_has_its_reward(results, name):
    row, expected = results[name], STAGES[name][1]
    assert row["error"] is None
    assert row["success"] is (name == "right")
    if expected is not None:
        assert row["reward"] == pytest.approx(expected, abs=1e-9)


def test_cases_that_passed_are_paid(results):
    row = results["right but for float16"]
    assert 0.6 < row["reward"] < 1.0 and row["components"]["correct"] == pytest.approx(
        FLOOR + (1 - FLOOR) * 3 / 4
    )
    assert row["components"]["running"] == 1.0


def test_fences_and_bare_code_are_taken_too(tasks):
    code = HEAD + KERNEL + WRAPPER
    rows = scored(tasks, f"```python\n{code}```", f"Here it is.\n\n{code}")
    assert [row["reward"] for row in rows] == [1.0, 1.0]


def test_metrics_of_quality_come_from_the_assembler(results):
    found = results["right"]["components"]
    assert 0.5 < found["few_registers"] < 1.0 and found["no_spills"] == 1.0 and found["cheat"] == 0.0
    assert results["torch does the work"]["components"]["cheat"] == 1.0
    assert results["nothing"]["components"]["few_registers"] is None


def test_the_verdict_stands_in_the_trajectory_without_values(tasks):
    env = rftgym.make("triton-kernels", tasks=type(rftgym.make("triton-kernels")).read_tasks(tasks))
    _, info = env.reset(options={"task": "double"})
    assert "Triton 3." in info["messages"][0].content and "def double(x)" in info["messages"][1].content
    _, reward, terminated, _, info = env.step(answer(KERNEL.replace("x + x", "x * x - 7.0")))
    verdict = info["verdict"]
    assert terminated and reward == pytest.approx(FORMATTING + RUNNING) == 0.1
    assert (verdict["stage"], verdict["kind"]) == ("compare", "wrong") and len(verdict["cases"]) == 5
    assert [case["discriminating"] for case in verdict["cases"]] == [True, True, True, True, False]
    json.dumps(verdict)


def test_repair_says_what_is_wrong_and_goes_on(tasks):
    kind = type(rftgym.make("triton-kernels-repair"))
    env = kind(tasks=kind.read_tasks(tasks))
    env.reset(options={"task": "double"})
    said, _, terminated, _, _ = env.step(answer(KERNEL.replace("x + x", "x + nowhere")))
    assert not terminated and "does not compile" in said and "nowhere" in said and "2 attempts left" in said
    said, _, terminated, _, _ = env.step(answer(KERNEL.replace("x + x", "x * x - 7.0")))
    assert not terminated and "A result is wrong: case 0" in said and "1 attempt left" in said
    said, _, terminated, _, info = env.step(answer())
    assert terminated and info["score"].success and info["score"].reward == 1.0 and "all cases passed" in said


def test_the_secret_decides_the_inputs():
    problem = problems()["relu"]
    judges = [Judge(JudgeSettings(secret=secret)) for secret in ("a", "a", "b", None)]
    try:
        drawn = [judge.prepared(problem).replicas[0][0].arguments[0].data for judge in judges]
    finally:
        for judge in judges:
            judge.close()
    assert drawn[0] == drawn[1] and len(set(drawn)) == 3


def test_a_reference_that_fails_is_the_problems_fault(tmp_path):
    file = tmp_path / "broken.jsonl"
    file.write_text(
        json.dumps({**DOUBLE, "reference": "def double(x):\n    return x.frobnicate()\n"}), encoding="utf-8"
    )
    (row,) = scored(file, answer())
    assert row["reward"] is None and row["success"] is None
    assert "double" in row["error"] and "frobnicate" in row["error"]


def test_a_hostile_reference_stays_in_its_sandbox(tmp_path):
    evil = (
        "import os\nos.kill(os.getppid(), 9)\nopen('/tmp/rftgym-evil', 'w').write('x')\n"
        + DOUBLE["reference"]
    )
    file = tmp_path / "evil.jsonl"
    file.write_text(json.dumps({**DOUBLE, "reference": evil}), encoding="utf-8")
    (row,) = scored(file, answer())
    assert row["reward"] is None and not Path("/tmp/rftgym-evil").exists()


@pytest.mark.parametrize("settings", [{"target": "cuda:42"}, {"replicas": 0}])
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(UsageError):
        rftgym.make("triton-kernels", **settings)


@pytest.mark.parametrize("target", ["cuda:80", "cuda:89", "cuda:100", "hip:gfx942"])
def test_every_target_compiles(target):
    judge = Judge(JudgeSettings(target=target, secret="t"))
    try:
        verdict = judge.judge(ProblemRow.model_validate(DOUBLE).problem(), answer())
    finally:
        judge.close()
    assert verdict.success and verdict.kernels["double_kernel"]["registers"] > 0


def test_a_configuration_that_does_not_fit_gives_way_to_the_next():
    """64 x 64 blocks in ten stages need more shared memory than cuda:89 has."""
    tuned = """@triton.autotune(configs=[
    triton.Config({'B': 64}, num_stages=10), triton.Config({'B': 16}, num_stages=1)
], key=['n'])
@triton.jit
def double_kernel(x_ptr, out_ptr, n, B: tl.constexpr):
    i = tl.program_id(0) * B * B + tl.arange(0, B)[:, None] * B + tl.arange(0, B)[None, :]
    acc = tl.zeros((B, B), tl.float32)
    for start in range(0, n, B * B):
        j = start + tl.arange(0, B)[:, None] * B + tl.arange(0, B)[None, :]
        a = tl.load(x_ptr + j, mask=j < n, other=0.0)
        acc += tl.dot(a, tl.trans(a))
    x = tl.load(x_ptr + i, mask=i < n, other=0.0)
    tl.store(out_ptr + i, x + x + 0 * acc, mask=i < n)

"""
    grid = "lambda meta: (triton.cdiv(n, meta['B'] ** 2),)"
    wrapper = WRAPPER.replace("(triton.cdiv(n, 256),)", grid).replace(", BLOCK=256", "")
    judge = Judge(JudgeSettings(target="cuda:89"))
    try:
        tried = judge.judge(ProblemRow.model_validate(DOUBLE).problem(), answer(tuned, wrapper))
        only = tuned.replace(", triton.Config({'B': 16}, num_stages=1)", "")
        alone = judge.judge(ProblemRow.model_validate(DOUBLE).problem(), answer(only, wrapper))
    finally:
        judge.close()
    assert tried.success and tried.kernels["double_kernel"]["shared"] < 99 << 10
    assert alone.kind == "compile" and "shared memory" in alone.message


def test_generated_problems_are_of_the_levels_asked_for():
    easy = rftgym.make("triton-kernels-generated", levels=[1]).tasks.sample("train", 5, seed=1)
    hard = rftgym.make("triton-kernels-generated", levels=[5]).tasks.sample("train", 5, seed=1)
    assert max(task.difficulty for task in easy) < min(task.difficulty for task in hard)
    with pytest.raises(UsageError, match="levels"):
        rftgym.make("triton-kernels-generated", levels=[9])


def test_generated_problems_are_measured_on_the_battery() -> None:
    env, battery = rftgym.make("triton-kernels-generated"), rftgym.make("triton-kernels")
    for split in ("validation", "test"):
        size = battery.tasks.size(split)
        assert size and env.tasks.size(split) == size
        assert [env.tasks.item(split, i) for i in range(size)] == [
            battery.tasks.item(split, i) for i in range(size)
        ]
        assert env.tasks.by_id(battery.tasks.item(split, 0).id) == battery.tasks.item(split, 0)
    drawn = env.tasks.item("train", 7)
    assert env.tasks.size("train") is None
    assert env.tasks.by_id(drawn.id) == drawn
    with pytest.raises(UsageError):  # one of the battery's own to train on
        env.tasks.by_id(battery.tasks.item("train", 0).id)


def test_demonstrations_are_of_the_training_split_only():
    env = rftgym.make("triton-kernels")
    talk = next(iter(env.demonstrations("train", 1, seed=3)))
    assert [message.role for message in talk] == ["system", "user", "assistant"]
    with pytest.raises(UsageError, match="held out"):
        next(iter(env.demonstrations("test", 1, seed=3)))
