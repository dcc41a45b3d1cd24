"""The environment `code`: problems, tests, comparison, a user's own tasks, rewards and what tries to cheat them."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rftgym
from rftgym import TextEnv, Turn
from rftgym.config import RewardSettings
from rftgym.errors import UsageError
from rftgym.registry import changed_rubric, installed
from rftgym.sandbox import values
from rftgym.sandbox.functions import Call, PythonFunctions, Result
from rftgym.testing import check_env
from rftgym.types import Score
from rftgym_code import build, lint, prompts
from rftgym_code.asserts import read_asserts
from rftgym_code.compare import same
from rftgym_code.demonstrations import HABITS, Habits, demonstrations
from rftgym_code.env import CodeEnv
from rftgym_code.extract import CodeParser, adds_nothing
from rftgym_code.outline import outline
from rftgym_code.problems import TOPICS
from rftgym_code.rows import rows
from rftgym_code.testing import Outcome, Test, baseline, from_json, to_json

COMPLETIONS = [
    prompts.answer(
        "def is_prime(number):\n    return number > 1 and all(number % d for d in range(2, number))"
    ),
    prompts.answer("def second_largest(numbers):\n    return sorted(set(numbers))[-2]"),
    "def count_vowels(text):\n    return 7",
]


@pytest.fixture(scope="module")
def functions() -> Iterator[PythonFunctions]:
    with PythonFunctions(workers=2, call_seconds=1.0) as made:
        yield made


@pytest.fixture(scope="module")
def env() -> TextEnv[Any]:
    return rftgym.make("code")


def judged(env: TextEnv[Any], task: str, completion: str) -> tuple[Score, dict[str, Any]]:
    twin = env.spawn()
    twin.start(env.tasks.by_id(task), 0)
    twin.advance(Turn((), completion))
    return twin.rubric.score(twin.trajectory), twin.trajectory.turns[-1].info


def test_it_keeps_the_contract() -> None:
    check_env("code", completions=COMPLETIONS)


# ---- the problems


def test_there_are_enough_problems_of_every_kind_in_every_split() -> None:
    by_hand = [row for row in rows() if row["topic"] != "variants"]
    assert len(by_hand) >= 60 and {row["topic"] for row in by_hand} == set(TOPICS)
    for split in ("validation", "test"):
        held_out = [row for row in by_hand if row["split"] == split]
        assert len(held_out) >= 12 and {row["topic"] for row in held_out} == set(TOPICS)
        assert sum(row["split"] == split for row in rows()) >= 40
    assert len({row["stub"] for row in rows()}) == len({row["entry"] for row in rows()}) == len(rows())


def test_every_problem_is_tested_well_and_graded() -> None:
    for row in rows():
        tests = [from_json(each) for each in row["tests"]]
        assert len(tests) >= build.FEWEST_TESTS and len(row["slips"]) >= 2, row["id"]
        assert row["baseline"] == pytest.approx(baseline(tests), abs=1e-6) and row["baseline"] <= 0.75
        shown = [from_json(each).call for each in row["examples"]]
        assert not any(test.call in shown for test in tests), row["id"]
        assert 0 <= row["difficulty"] <= 1
    graded = {row["id"]: row["difficulty"] for row in rows()}
    assert graded["is-leap-year"] < graded["caesar"] < graded["evaluate"]


def _slipped(row: dict[str, Any]) -> Iterator[str]:
    for old, new in row["slips"]:
        yield row["solution"].replace(old, new, 1)


def _check_slips_are_caught(functions: PythonFunctions, some: list[dict[str, Any]]) -> None:
    for row in some:
        tests = [from_json(each) for each in row["tests"]]
        for wrong in _slipped(row):
            assert wrong != row["solution"]
            ran = functions.run(wrong, row["entry"], [test.call for test in tests])
            assert ran.status not in ("syntax", "import", "missing")
            assert not build._passes(tests, ran, keeps=row["keeps_arguments"]), (row["id"], wrong)


def test_tests_catch_likely_mistakes(functions: PythonFunctions) -> None:
    _check_slips_are_caught(functions, Random(1).sample(list(rows()), 20))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_all_tests_catch_all_likely_mistakes(functions: PythonFunctions) -> None:
    _check_slips_are_caught(functions, list(rows()))


def test_the_data_is_what_the_build_writes(functions: PythonFunctions) -> None:
    written = {row["id"]: row for row in rows()}
    for topic, place in (("lists", 4), ("classes", 2), ("numbers", 1)):
        made = build._row(functions, TOPICS[topic][place], topic, build._split(place))
        del made["level"]
        stored = {name: value for name, value in written[made["id"]].items() if name != "difficulty"}
        assert json.loads(json.dumps(made)) == stored


def test_no_task_tells_what_it_expects(env: TextEnv[Any]) -> None:
    for split in ("train", "test"):
        task = env.tasks.item(split, 0)
        opening = "\n".join(message.content for message in env.spawn().start(task, 0))
        assert task.data["solution"].strip() not in opening and '"tests"' not in opening
        assert task.data["stub"] in opening


def test_an_outline_takes_a_reference_apart() -> None:
    parts = outline(
        'class A:\n    """Do.\n    """\n\n    def __init__(self):\n        self.x = 1\n\n'
        '    def f(self):\n        """Go."""\n        return self.x\n'
    )
    assert parts.entry == "A" and parts.is_class and parts.docstring == "Do."
    assert parts.stub.endswith(
        '    def __init__(self):\n        ...\n\n    def f(self):\n        """Go."""\n'
    )
    assert (
        parts.solution
        == "class A:\n    def __init__(self):\n        self.x = 1\n\n    def f(self):\n        return self.x\n"
    )
    with pytest.raises(UsageError, match="one function"):
        outline("x = 1")


# ---- comparison

NEVER_SAME = [
    (1, True), (True, 1), (0, False), ([1], (1,)), ((1,), [1]), ("1", 1), (b"a", "a"), (None, False), (3, 3.0),
    ({1: 2}, {1: 3}), ({1: 2}, {True: 2}), ({1}, {True}), ([1, 2], [1]), (1.0, 1.001), (math.inf, -math.inf),
    ({"a": [1]}, {"a": [True]}), ({}, []), (1.0, None), (1.5, 10**400), (values.Opaque("x"), values.Opaque("x")),
]  # fmt: skip
SAME = [
    (0.1 + 0.2, 0.3), (2.0, 2), (math.nan, math.nan), (0.0, -0.0), ({1, 2}, frozenset({2, 1})), (10**30, 10**30),
    ({"b": [0.3], "a": (1,)}, {"a": (1,), "b": [0.1 + 0.2]}), (1e300, 1e300 * (1 + 1e-8)),
]  # fmt: skip


@pytest.mark.parametrize(("expected", "got"), NEVER_SAME)
def test_values_that_differ(expected: Any, got: Any) -> None:
    assert not same(expected, got)


@pytest.mark.parametrize(("expected", "got"), SAME)
def test_values_that_are_the_same(expected: Any, got: Any) -> None:
    assert same(expected, got) and same(expected, got, "python")


def test_pythons_own_comparison_knows_fewer_differences() -> None:
    assert all(same(a, b, "python") for a, b in ((1, True), (3, 3.0), ({1}, {True}), ({1: 2}, {True: 2.0})))
    assert not any(same(a, b, "python") for a, b in (([1], (1,)), ("1", 1), (1, None), ({1: 2}, {})))


small = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(small)
def test_a_value_is_the_same_as_itself_and_as_no_list_around_it(value: Any) -> None:
    assert same(value, value) and not same(value, [value]) and not same([value], value)


@given(st.lists(st.tuples(small, small), min_size=1, max_size=5))
def test_tests_survive_being_written(pairs: list[tuple[Any, Any]]) -> None:
    for given_, expected in pairs:
        test = Test(Call((given_,)), (Outcome(expected),), (given_,))
        row = json.loads(json.dumps(to_json(test)))
        assert repr(from_json(row)) == repr(test)


def test_the_baseline_is_the_best_of_thoughtless_answers() -> None:
    def made(*pairs: tuple[Any, Any]) -> list[Test]:
        return [Test(Call((given_,)), (Outcome(expected),)) for given_, expected in pairs]

    assert baseline(made((1, True), (2, True), (3, False), (4, True))) == 0.75
    assert baseline(made((1, 1), (2, 2), (3, 0), (4, 1))) == 0.5
    raising = [Test(Call((n,)), (Outcome(raises="ValueError"),)) for n in range(3)]
    assert baseline([*raising, *made((1, 5))]) == 0.75
    in_place = [Test(Call(([n, 0],)), (Outcome(None),), ([0, n],)) for n in range(4)]
    assert baseline(in_place) == 0.25  # the list that is right already


def test_an_exception_passes_for_one_of_its_bases() -> None:
    test = Test(Call(()), (Outcome(raises="ValueError"),))
    assert test.flaw(Result("exception", exception="Mine", bases=("ValueError", "Exception")), "strict") == ""
    assert test.flaw(Result("exception", exception="KeyError", bases=("LookupError",)), "strict") == "raised"
    assert test.flaw(Result("value", value="ValueError"), "strict") == "wrong"


# ---- answers


@pytest.mark.parametrize(
    ("text", "code", "well_formed"),
    [
        ("```python\nx = 1\n```", "x = 1\n", True),
        ("Look:\n```python\nx = 1\n```\nDone.", "x = 1\n", True),
        ("```py\nx = 1\n```", "x = 1\n", False),
        ("```\nx = 1\n```", "x = 1\n", False),
        ("```python\nx = 1", "x = 1", False),
        ("```python\na\n```\n```python\nb\n```", "b\n", False),
        ("```bash\nls\n```", None, False),
        ("def f(): pass", "def f(): pass\n", False),
        ("I don't know.", None, False),
        ("<think>```python\na\n```</think>```python\nb\n```", "b\n", True),
        ("```python\r\nx = 1\r\n```\r\n", "x = 1\n", True),
        ("1. So:\n\n    ```python\n    if x:\n        y = 1\n    ```", "if x:\n    y = 1\n", True),
        ("````python\nx = 1\n```\n````", "x = 1\n```\n", True),
        ("~~~python\nx = 1\n~~~", "x = 1\n", True),
        ('```python title="a.py"\nx = 1\n```', "x = 1\n", True),
        ("```python\ns = '''\n    ```\n'''\n```", "s = '''\n    ```\n'''\n", True),
        ("# So:\ndef f(): pass", "# So:\ndef f(): pass\n", False),
        ("# So:\n```python\nx = 1\n```", "x = 1\n", True),
        ("# So: nothing", None, False),
        ("", None, False),
    ],
)
def test_code_is_found_in_answers(text: str, code: str | None, well_formed: bool) -> None:
    assert CodeParser().parse(text) == (code, well_formed)


@pytest.mark.parametrize(
    "more",
    [
        "```python\nprint(collatz_steps(6))\n```",
        "```\n8\n```",
        "```python\ndef test():\n    assert collatz_steps(6) == 8\n\n\ntest()\n```",
    ],
)
def test_a_block_that_shows_the_use_does_not_take_the_place_of_the_code(env: TextEnv[Any], more: str) -> None:
    bare = env.tasks.by_id("collatz-steps").data["solution"]
    gold = prompts.answer(bare)
    for answer in (f"{gold}\n\nIts use:\n\n{more}", f"{more}\n\n{gold}", f"{bare}```\nThat is all.\n{more}"):
        score, _ = judged(env, "collatz-steps", answer)
        assert score.success and score.reward == pytest.approx(0.95)
    wrong = prompts.answer("def collatz_steps(number):\n    return 8")
    assert not judged(env, "collatz-steps", f"{gold}\n{wrong}")[0].success  # the last one counts


@pytest.mark.timeout(20)
def test_finding_code_is_quick_whatever_the_answer_holds() -> None:
    for text in (
        "```" * 10_000,
        "```python\n" * 3000,
        "` " * 15_000,
        "a" * 32_000,
        "<think>" * 4000,
        "```" + "a" * 32_000 + "`",
        "```" + " " * 32_000 + "`",
        " " * 32_000 + "`",
        "x:" * 16_000,
        "    ```\n" * 4000,
        "\ud800" * 9000,
    ):
        CodeParser().parse(text)


def test_stages_pay_one_by_one(env: TextEnv[Any]) -> None:
    def reward(code: str) -> float:
        score, _ = judged(env, "is-prime", prompts.answer(code))
        assert score.reward is not None
        return score.reward

    broken = reward("def is_prime(number):\n    return (")
    constant = reward("def is_prime(number):\n    return True")
    half = reward(
        "def is_prime(number):\n"
        "    return number in (2, 3, 5, 7) or number > 1 and all(number % d for d in (2, 3, 5, 7))"
    )
    right = reward(
        "def is_prime(number):\n    return number > 1 and all(number % d for d in range(2, int(number ** 0.5) + 1))"
    )
    assert (broken, constant, right) == pytest.approx((0.05, 0.1, 1.0))
    assert constant < half < 0.5
    bare, _ = judged(env, "is-prime", "def is_prime(number):\n    return True")
    assert bare.reward == pytest.approx(0.05)


CHEATS = {
    "echo": (None, "echo"),
    "stub with pass": ("def collatz_steps(number: int) -> int:\n    # todo\n    pass", "echo"),
    "the example by heart": ("def collatz_steps(number):\n    return 8", "wrong"),
    "prints": ("def collatz_steps(number):\n    print(8)", "wrong"),
    "equal to everything": (
        "class E(int):\n    def __eq__(s, o): return True\ndef collatz_steps(n):\n    return E()", "wrong",
    ),
    "opaque": ("class E:\n    def __eq__(s, o): return True\ndef collatz_steps(n): return E()", "wrong"),
    "leaves": ("import os\ndef collatz_steps(n): os._exit(0)", "crash"),
    "raises SystemExit": ("def collatz_steps(n): raise SystemExit(0)", "raised"),
    "never ends": ("def collatz_steps(n):\n    while True: pass", "timeout"),
    "memory": ("def collatz_steps(n): return [0] * 10**10", "raised"),
    "large": ("def collatz_steps(n): return 'x' * 10**7", "wrong"),
    "other name": ("def steps(n): return n", "missing"),
    "fails at once": ("import numpy_that_is_not_there\ndef collatz_steps(n): return n", "import"),
    "surrogate": ("def collatz_steps(n): return '\ud800'", "syntax"),
    "number of a million digits": ("def collatz_steps(n): return 10 ** 1_000_000", "wrong"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHEATS)
def test_cheats_are_told_what_they_are_and_earn_next_to_nothing(env: TextEnv[Any], name: str) -> None:
    code, kind = CHEATS[name]
    task = env.tasks.by_id("collatz-steps")
    score, info = judged(env, task.id, prompts.problem(task.data) if code is None else prompts.answer(code))
    assert info["verdict"]["kind"] == kind and not score.success
    assert score.components["tests"] == 0 and (score.reward or 0.0) <= 0.101
    json.dumps(info, ensure_ascii=False).encode()


def test_changed_arguments_do_not_pass(env: TextEnv[Any]) -> None:
    source = rows()[0]
    row = next(row for row in rows() if row["id"] == "median")
    changed = row["solution"].replace("ordered = sorted(numbers)", "numbers.sort()\n    ordered = numbers")
    assert changed != row["solution"] and source["id"] != "median"
    score, info = judged(env, "median", prompts.answer(changed))
    assert info["verdict"]["kind"] == "changed" and not score.success


def test_an_echo_is_known_by_its_lines() -> None:
    prompt = 'Do:\ndef f(x):\n    """Go."""\n'
    assert adds_nothing('def f(x):\n    """Go."""\n    ...\n', prompt)
    assert not adds_nothing('def f(x):\n    """Go."""\n    return x\n', prompt)


def test_one_bad_answer_leaves_the_rest_of_a_batch_alone() -> None:
    gold = next(row for row in rows() if row["id"] == "collatz-steps")["solution"]
    hostile = [
        prompts.answer("def collatz_steps(n):\n    while True: pass"),
        prompts.answer("import os\nos._exit(1)"),
        prompts.answer("def collatz_steps(n): return [0] * 10**9"),
        "x" * 1_000_000,
        "```python\ndef collatz_steps(n): return '\ud800'\n```",
        "",
    ]
    answers = [prompts.answer(gold)] + [each for bad in hostile for each in (bad, prompts.answer(gold))]
    started = time.monotonic()
    scored = rftgym.score("code", [{"task": "collatz-steps", "completion": each} for each in answers])
    assert time.monotonic() - started < 30
    assert all(each["error"] is None for each in scored)
    assert [each["success"] for each in scored] == [True] + [False, True] * len(hostile)


def test_with_further_attempts_the_player_is_told_what_is_wrong() -> None:
    env = rftgym.make("code", max_turns=3)
    env.start(env.tasks.by_id("is-prime"), 0)
    (first,) = env.advance(Turn((), "no idea"))
    (second,) = env.advance(Turn((), prompts.answer("def is_prime(number):\n    return 5")))
    assert "(format)" in first.content and "Attempts left: 2" in first.content
    assert "example" in second.content and "returns 5" in second.content
    solution = env.tasks.by_id("is-prime").data["solution"]
    (closing,) = env.advance(Turn((), prompts.answer(solution)))
    assert env.trajectory.terminated and closing.content.startswith("Right")
    assert env.rubric.score(env.trajectory).reward == 1.0


# ---- lint


def _with_lint(weight: float) -> TextEnv[Any]:
    env = rftgym.make("code")
    env.rubric = changed_rubric(env.rubric, RewardSettings(weights={"lint": weight}), plugins=installed())
    return env


def test_ruff_is_asked_only_where_its_word_counts(env: TextEnv[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    solution = env.tasks.by_id("collatz-steps").data["solution"]
    unclean = prompts.answer(f"import os, sys\n{solution}    l = 1\n")
    score, info = judged(env, "collatz-steps", unclean)
    assert "lint" not in info and score.components["lint"] is None and score.reward == 1.0
    weighed = _with_lint(0.1)
    score, info = judged(weighed, "collatz-steps", unclean)
    assert set(info["lint"]["findings"]) >= {"E401", "F401"}
    assert score.components["lint"] == pytest.approx(1 - len(info["lint"]["findings"]) / 10)
    assert judged(weighed, "collatz-steps", prompts.answer(solution))[0].components["lint"] == 1.0
    assert judged(weighed, "collatz-steps", "no code")[0].components["lint"] == 0.0
    (long,) = rftgym.score(weighed, [{"task": "collatz-steps", "completion": "x" * 50_000}])
    assert (long["reward"], long["error"]) == (0.0, None)
    monkeypatch.setattr(lint, "ruff", lambda: None)
    score, info = judged(weighed, "collatz-steps", unclean)
    assert score.reward is None and "pip install ruff" in info["lint"]["missing"]


def test_an_answer_cannot_tell_ruff_what_to_do() -> None:
    linter = lint.Linter(1)
    try:
        assert linter.lint("x = 1\n") == {"findings": []}
        assert "F401" in linter.lint("# ruff: noqa\nimport os\n")["findings"]
    finally:
        linter.close()


# ---- a user's own tasks


def read(tmp_path: Path, *tasks: dict[str, Any]) -> TextEnv[Any]:
    file = tmp_path / "mine.jsonl"
    file.write_text("".join(json.dumps(task) + "\n" for task in tasks))
    return CodeEnv(tasks=CodeEnv.read_tasks(file))


def test_a_task_of_ones_own_with_json_tests(tmp_path: Path) -> None:
    env = read(
        tmp_path,
        {
            "id": "half", "entry": "half", "docstring": "Halve an even number; raise ValueError for an odd one.",
            "tests": [
                {"args": [4], "expected": 2}, {"args": [0], "expected": 0}, {"args": [3], "raises": "ValueError"},
            ],
            "solution": "def half(n):\n    if n % 2:\n        raise ValueError\n    return n // 2\n", "difficulty": 0.2,
        },
    )  # fmt: skip
    talk = env.demonstrate(env.tasks.by_id("half"), 0)
    assert talk is not None and "takes 1 argument:" in talk[1].content
    assert judged(env, "half", talk[-1].content)[0].reward == 1.0
    score, info = judged(env, "half", prompts.answer("def half(n): return n / 2"))
    assert not score.success and info["verdict"]["passed"] == 2  # 2.0 == 2 in Python


def test_a_task_of_ones_own_with_assert_lines(tmp_path: Path) -> None:
    body = "    assert candidate(1, (2,)) == {3: [4]}\n    assert candidate(0, ()) is None"
    text = f"from math import inf\n\ndef check(candidate):\n{body}\ncheck(f)"
    env = read(tmp_path, {"id": "a", "entry": "f", "prompt": "Write f.", "tests": text, "split": "test"})
    code = "def f(a, b):\n    return {3: [4]} if b else None"
    assert env.tasks.size("test") == 1 and judged(env, "a", prompts.answer(code))[0].reward == 1.0


def test_assert_lines_are_read_as_python_means_them() -> None:
    text = """
assert f(1) == 2
assert f([1, -2.5], 'a') == {(1, 2): {3}}
assert f() is None
assert 5 == f(4)
assert f(0)
assert not f(1)
assert math.isclose(f(2), 1.5, rel_tol=0.1)
assert abs(f(3) - 2) < 1e-3
assert f(float('inf')) == set(), "message"
"""
    tests = read_asserts(text, "f")
    assert [test.call.args for test in tests] == [
        (1,),
        ([1, -2.5], "a"),
        (),
        (4,),
        (0,),
        (1,),
        (2,),
        (3,),
        (math.inf,),
    ]
    expected = [2, {(1, 2): {3}}, None, 5, True, False, 1.5, 2.0, set()]
    assert [test.outcomes[0].value for test in tests] == expected
    tolerances = [test.outcomes[0].tolerance for test in tests]
    assert tolerances == pytest.approx([0, 0, 0, 0, 0, 0, 0.15, 1e-3, 0])


@pytest.mark.parametrize(
    ("line", "right", "wrong"),
    [
        ("assert math.isclose(f(), 3.14, rel_tol=0.001)", "3.1416", "3.15"),
        ("assert math.isclose(f(), 0, abs_tol=0.5)", "-0.4", "0.6"),
        ("assert abs(f() - 100) < 2", "101", "103"),
        ("assert abs(f() - 100) < 2", "100.0", "'100'"),
        ("assert f() == 3.14", "3.140000001", "3.1416"),
    ],
)
def test_a_tolerance_of_the_line_counts(tmp_path: Path, line: str, right: str, wrong: str) -> None:
    env = read(tmp_path, {"id": "a", "entry": "f", "prompt": "Write f.", "tests": line})
    for value, success in ((right, True), (wrong, False), ("10 ** 400", False), ("float('nan')", False)):
        assert judged(env, "a", prompts.answer(f"def f(): return {value}"))[0].success is success


@pytest.mark.parametrize(
    "line",
    [
        "assert f(1) != 2", "assert f(x) == 2", "assert f(1) == g(2)", "assert f(a=1) == 2", "assert len(f(1)) == 2",
        "x = f(1)", "for i in range(3):\n    assert f(i) == i", "assert 1 < f(2) < 3", "print(f(1))",
        "assert f(1j) == 2", "assert abs(f(1) - 2) < -1", "assert abs(f(1) - 2) < x", "assert isclose(f(1), 2, 3)",
        "assert abs(f(1) - 2) < 1e999", "assert isclose(f(1), 1" + "0" * 400 + ")",
        "import os; os.remove('x')", "assert f(*[1]) == 1", "assert f(1) == [" + "[" * 150 + "]" * 151,
        "assert f(1) == " + "-" * 900 + "1", "assert f(1) == f" + ".a" * 5000,
    ],
)  # fmt: skip
def test_what_is_no_such_line_is_refused_with_its_place(line: str) -> None:
    with pytest.raises(UsageError, match=r"line 2|literals|too large|too deep|not Python"):
        read_asserts(f"assert f(0) == 0\n{line}", "f")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tests": []}, "tests: 0"),
        ({"tests": ["assert g(1) == 1"]}, r"tests.0: tests: line 1"),
        ({"tests": "assert f(1) =="}, "not Python"),
        ({"tests": [{"args": [1]}]}, "either 'expected' or 'raises'"),
        ({"tests": 5}, r"tests\.list: "),
        ({"tests": [["a"]]}, r"tests\.list\.0\.object: "),
        ({"tests": [{"args": [1], "raises": "a b"}]}, r"tests\.list\.0\.object\.raises: "),
        ({"tests": [{"args": [1], "expected": 1, "raises": "E"}]}, "either 'expected' or 'raises'"),
        ({"tests": [{"args": 1, "expected": 1}]}, "args"),
        ({"entry": "f()"}, "entry"),
        ({"prompt": None}, "prompt"),
        ({"docstring": "too"}, "prompt"),
        ({"difficulty": 2}, "difficulty"),
        ({"surprise": 1}, "surprise"),
        ({"comparison": "loose"}, "comparison"),
        ({"solution": ""}, "solution"),
        ({"id": None}, "id"),
    ],
)
def test_a_wrong_task_is_refused_with_file_line_and_field(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    good = {"id": "a", "entry": "f", "prompt": "Write f.", "tests": ["assert f(1) == 1"]}
    with pytest.raises(UsageError, match=rf"mine.jsonl, line 2: .*{message}"):
        read(tmp_path, {**good, "id": "first"}, {**good, **change})


# ---- demonstrations


def test_demonstrations_are_of_the_train_split_imperfect_and_repeatable(env: TextEnv[Any]) -> None:
    first, again, longer = (list(env.demonstrations("train", n, 3)) for n in (60, 60, 80))
    assert first == again == longer[:60] and first != list(env.demonstrations("train", 60, 4))
    shown = {talk[1].content for talk in env.demonstrations("train", 1500, 0)}
    posed = {prompts.problem(row): row["split"] for row in rows()}
    assert {posed[each] for each in shown} == {"train"} and len(shown) > 200
    with pytest.raises(UsageError, match="held out"):
        next(iter(env.demonstrations("test", 1, 0)))


def test_a_player_without_bad_habits_is_right(env: TextEnv[Any]) -> None:
    for row, answer in demonstrations(6, 0, Habits(0, 0, 0, 0, 0, 0)):
        assert judged(env, row["id"], answer)[0].reward == 1.0
    kinds = [
        judged(env, row["id"], answer)[1]["verdict"]["kind"] for row, answer in demonstrations(40, 1, HABITS)
    ]
    assert 0.3 < kinds.count("passed") / 40 < 0.9 and len(set(kinds)) >= 3


def test_prompts_differ(env: TextEnv[Any]) -> None:
    posed = sorted(prompts.problem(row) for row in rows())
    assert all(a != b for a, b in pairwise(posed))
