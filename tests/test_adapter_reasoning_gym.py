"""The datasets of reasoning-gym: the same items everywhere, splits that never meet, scores that nobody talks into 1."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import json
import os
import pickle
import random
import subprocess
import sys
import time
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rftgym
from rftgym.errors import MissingPackageError, UnknownIdError, UsageError
from rftgym.tasks import SPLITS
from rftgym.testing import check_env
from rftgym.types import Score
from rftgym_reasoning_gym import drawing, quirks, reading
from rftgym_reasoning_gym.drawing import NoEntry
from rftgym_reasoning_gym.env import ReasoningGymEnv
from rftgym_reasoning_gym.guards import CHEATS, GUARDS, REFEREES
from rftgym_reasoning_gym.reading import Unreadable
from rftgym_reasoning_gym.scoring import verdict
from rftgym_reasoning_gym.solutions import solution

NAMES = ReasoningGymEnv.names()
SLOW = (
    "codeio",
    "futoshiki",
    "intermediate_integration",
    "knight_swap",
    "puzzle24",
    "quantum_lock",
    "zebra_puzzles",
)
"""Items that take a tenth of a second and more, drawn as often as the small splits need it."""
QUICK = [name for name in NAMES if name not in SLOW]
HOSTILE = (
    "", " ", "0", "1", "True", "nan", "NaN", "inf", "1e999", "1e999999999", "9" * 5000, "-" + "9" * 400, "1/0", "[]",
    "{}", "[NaN]", '{"a": 1}', "[[", "[" * 8000, "(" * 8000, "a=1,b", "a:b", "3 days", "٣", "x", "(P ∨ ¬P)", "×",
    "¬" * 3000 + "P", "F+99999999999", "R99999999999", "\x00", "\ud800", "a" * 16_000, "1," * 5000, "1 " * 5000,
    "\n" * 8000, "9**9**9**9", "__import__('os').abort()", "exec('raise SystemExit')", "lambda: 0", "[x for x in ()]",
    "().__class__.__base__.__subclasses__()",
)  # fmt: skip


def made(name: str, **settings: Any) -> ReasoningGymEnv:
    env = rftgym.make(f"reasoning-gym:{name}", **settings)
    assert isinstance(env, ReasoningGymEnv)
    return env


def scored(env: ReasoningGymEnv, answer: str, index: int = 0) -> Any:
    env.start(env.tasks.item("train", index), 0)
    return env.step(f"<answer>{answer}</answer>")[4]


# ---- all datasets


def test_every_dataset_is_an_environment_or_refused_with_a_reason() -> None:
    import reasoning_gym.factory

    assert sorted({*NAMES, *quirks.REFUSED}) == sorted(reasoning_gym.factory.DATASETS) and len(NAMES) == 105
    with pytest.raises(UsageError, match="reasoning-gym:chain_sum:2,"):
        made("composite")


def test_every_exception_that_is_made_is_made_for_a_dataset_that_there_is() -> None:
    known = (quirks.APART, quirks.CHANGES_ENTRY, quirks.EXECUTES, quirks.FEW, quirks.POOLS, quirks.UNREADABLE)
    tables = (*known, quirks.VAST, GUARDS, REFEREES, CHEATS)
    assert not {name for table in tables for name in table} - set(NAMES)


@pytest.mark.parametrize("name", QUICK)
def test_a_dataset(name: str) -> None:
    """Its answer is right, its tasks are JSON, hostile answers neither break nor win, and the entry stays as it was."""
    env = made(name)
    tasks = [env.tasks.item("train", index) for index in range(3)]
    assert len({task.data["question"] for task in tasks}) > 1
    for task in tasks:
        assert json.loads(json.dumps(task.data)) == task.data and env.tasks.by_id(task.id) == task
        assert task.difficulty is None or 0 <= task.difficulty <= 1
        conversation = env.demonstrate(task, 0)
        assert conversation is not None and [message.role for message in conversation] == [
            "system",
            "user",
            "assistant",
        ]
        assert conversation[:2] == list(env.start(task, 0))
        info = env.step(conversation[-1].content)[4]
        assert info["score"].reward == 1.0 and info["score"].success
    entry = env.entry(tasks[0])
    before, gold = repr(entry), solution(name, entry)
    started = time.process_time()
    for answer in HOSTILE:
        found = verdict(env.dataset, answer, entry)
        assert found.value is not None and 0 <= found.value <= 1, (answer[:40], found)
        assert found.value < 1 or (gold and gold.lower() in answer.lower().replace("٣", "3")), answer[:40]
    assert repr(entry) == before
    assert time.process_time() - started < 20


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.parametrize("name", SLOW)
def test_a_slow_dataset(name: str) -> None:
    test_a_dataset(name)


ELSEWHERE = ("chain_sum", "list_functions", "bf", "word_ladder")
"""Datasets whose items the slow tests draw in other processes; the thorough ones take all."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in ELSEWHERE else pytest.mark.thorough) for name in NAMES]
)
def test_items_are_the_same_in_every_process(name: str) -> None:
    program = (
        "import sys, zlib; from rftgym.registry import make; env = make('reasoning-gym:' + sys.argv[1])\n"
        "for i in (4, 2, 0): print(env.tasks.item('train', i))"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", program, name],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    env = made(name)
    assert seen == {"".join(f"{env.tasks.item('train', index)}\n" for index in (4, 2, 0))}


# ---- tasks


@pytest.mark.parametrize(
    "name", ["coin_flip", "tower_of_hanoi", "string_synthesis", "largest_island", "acre", "chain_sum"]
)
def test_splits_do_not_share_a_question(name: str) -> None:
    env = made(name)
    posed = {
        split: {env.tasks.item(split, i, seed).data["question"] for i in range(100) for seed in (0, 1)}
        for split in SPLITS
    }
    assert all(posed.values()) and not any(posed[a] & posed[b] for a, b in combinations(SPLITS, 2))


@pytest.mark.parametrize("name", ["advanced_geometry", "countdown", "game_of_life"])
def test_splits_of_a_vast_dataset_do_not_share_a_draw(name: str) -> None:
    env = made(name)
    drawn = {split: {env.tasks.item(split, i).data["draw"] for i in range(20)} for split in SPLITS}
    assert all(len(each) == 20 for each in drawn.values())
    assert all({draw % 4 for draw in drawn[split]} == {number} for number, split in enumerate(SPLITS))


def test_items_differ_by_seed_and_index() -> None:
    env = made("letter_counting")
    questions = {
        env.tasks.item("train", index, seed).data["question"] for index in range(50) for seed in range(4)
    }
    assert len(questions) > 195
    assert env.tasks.item("train", 7, -3) == env.tasks.by_id("train--3-7")


def test_a_split_that_nothing_falls_into_is_said() -> None:
    one_coin = made("coin_flip", config={"min_trials": 1, "max_trials": 1})
    with pytest.raises(UsageError, match="too few different questions"):
        _ = [one_coin.tasks.item(split, 0) for split in SPLITS]


@pytest.mark.parametrize("name", sorted(quirks.APART))
def test_datasets_that_disturb_others_are_kept_apart(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    env = made(name)
    before, numpy_before = random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[index, union-attr]  # noqa: NPY002
    first = env.dataset.entry(12_345)
    env.dataset._kept.clear()
    assert env.dataset.entry(12_345) == first
    assert random.getstate() == before
    assert np.random.get_state()[1].tolist() == numpy_before  # type: ignore[index, union-attr]  # noqa: NPY002
    assert capfd.readouterr().out == ""


def test_a_generator_that_dies_is_started_again() -> None:
    env = made("ransom_note")
    first = env.dataset.entry(5)
    generator = drawing.generator("ransom_note", "{}", os.getpid())
    assert generator._process is not None
    generator._process.kill()
    generator._process.wait()
    env.dataset._kept.clear()
    assert env.dataset.entry(5) == first


def test_a_draw_that_a_dataset_gives_up_on_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    env = made("chain_sum")
    first = env.tasks.item("train", 0)
    whole = env.dataset.entry

    def entry(draw: int) -> Any:
        if draw == first.data["draw"]:
            raise NoEntry("no")
        return whole(draw)

    monkeypatch.setattr(env.dataset, "entry", entry)
    assert env.tasks.item("train", 0).data["draw"] != first.data["draw"]
    monkeypatch.setattr(env.dataset, "entry", lambda draw: (_ for _ in ()).throw(NoEntry("never")))
    with pytest.raises(UsageError, match="never"):
        env.tasks.item("train", 0)


def counted(env: ReasoningGymEnv, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The draws that are made from now on, in order."""
    made, whole = [], env.dataset._draw

    def draw(number: int) -> Any:
        made.append(number)
        return whole(number)

    monkeypatch.setattr(env.dataset, "_draw", draw)
    return made


def test_an_episode_does_not_draw_its_entry_again(monkeypatch: pytest.MonkeyPatch) -> None:
    env = made("chain_sum")
    tasks = [
        env.tasks.item("train", index) for index in range(3000)
    ]  # more than a store of entries would hold
    drawn = counted(env, monkeypatch)
    assert scored_task(env, tasks[0]) == scored_task(env, copy.deepcopy(tasks[0])) == 1.0 and not drawn


def test_data_that_come_back_from_elsewhere_are_scored_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    env = made("chain_sum")
    task = env.tasks.item("train", 0)
    drawn = counted(env, monkeypatch)
    for data in (
        pickle.loads(pickle.dumps(task.data)),
        json.loads(json.dumps(task.data)),
        copy.copy(task.data),
    ):
        assert type(data) is dict and data == task.data
        assert scored_task(env, dataclasses.replace(task, data=data)) == 1.0
    assert drawn == 3 * [task.data["draw"]]


def scored_task(env: ReasoningGymEnv, task: rftgym.Task) -> float | None:
    env.start(task, 0)
    score = env.step(f"<answer>{task.data['answer']}</answer>")[4]["score"]
    assert isinstance(score, Score)
    return score.reward


def test_a_held_out_task_takes_one_draw_the_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    env = made("chain_sum")
    drawn = counted(env, monkeypatch)
    first = [env.tasks.item("test", index) for index in range(5)]
    assert len(drawn) > 25
    drawn.clear()
    assert [env.tasks.item("test", index) for index in range(5)] == first and len(drawn) == 5
    assert [env.tasks.item("test", index, 1) for index in range(5)] != first


def test_entries_that_take_long_are_kept_and_others_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    env = made("chain_sum")
    drawn = counted(env, monkeypatch)
    clock = iter((0.0, 1e-5, 1.0, 1.1))
    monkeypatch.setattr(drawing, "perf_counter", lambda: next(clock))
    env.dataset.entry(1)
    assert env.dataset.entry(1) == env.dataset.entry(1)
    assert drawn == [1, 1]


def test_difficulty_follows_ranges_that_change_between_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    env = made("chain_sum")
    metadata: dict[str, Any] = {}
    monkeypatch.setattr(
        env.dataset, "entry", lambda draw: {"question": "1", "answer": "1", "metadata": dict(metadata)}
    )
    split = env.tasks._split_of("1")  # type: ignore[attr-defined]
    for ranges, values, expected in (
        ({"terms": (2, 6)}, {"terms": 3}, 0.25),
        ({"terms": (2, 4)}, {"terms": 3}, 0.5),
        ({"terms": (2, 4), "size": [0.0, 1.0]}, {"num_terms": 9, "min_size": 0.5}, 0.75),
        (
            {"terms": (2, 4), "size": 3, "kind": ("a", "b"), "flag": (3, 3)},
            {"terms": 2, "size": 3, "flag": 3},
            0.0,
        ),
        ({"terms": (2, 4)}, {"terms": True}, None),
        ({"terms": (2, 4)}, {}, None),
        (7, {}, None),
        (None, {"terms": 3}, None),
    ):
        metadata.clear()
        metadata.update(values, difficulty=ranges)
        assert env.tasks.item(split, 0).difficulty == expected


@pytest.mark.slow
def test_programs_of_codeio_run_in_the_sandbox(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    env = made("codeio")
    before = random.getstate()
    for index in range(10):
        assert env.tasks.item("train", index).data["answer"] not in ("{}", "null", "")
    assert random.getstate() == before and not list(tmp_path.iterdir())


# ---- scores


@pytest.mark.parametrize("name", sorted(set(CHEATS) - set(SLOW)))
def test_known_cheats_earn_next_to_nothing(name: str) -> None:
    env = made(name)
    for index in range(5):
        task = env.tasks.item("train", index)
        for way, completion in env.cheats(task).items():
            env.start(task, 0)
            assert isinstance(completion, str)
            score = env.step(completion)[4]["score"]
            right = (
                env.entry(task)["answer"] and completion == f"<answer>{env.entry(task)['answer']}</answer>"
            )
            assert right or (not score.success and score.reward <= 0.25), way


def test_answers_that_scorers_call_right_by_mistake_are_wrong() -> None:
    wrong = {
        "complex_arithmetic": lambda entry: "nan",
        "countdown": lambda entry: (
            f"{entry['metadata']['target']} + 0*({'+'.join(map(str, entry['metadata']['numbers']))})"
        ),
        "number_sorting": lambda entry: (
            "[" + ", ".join(["NaN"] * len(entry["metadata"]["sorted_numbers"])) + "]"
        ),
        "game_of_life_halting": lambda entry: "perhaps",
    }
    for name, answer in wrong.items():
        env = made(name)
        for index in range(3):
            entry = env.entry(env.tasks.item("train", index))
            if name != "countdown":
                assert env.dataset.foreign.score_answer(answer(entry), entry) == 1.0, name
            assert (verdict(env.dataset, answer(entry), entry).value or 0) < 1.0, name


def test_polynomials_without_solutions() -> None:
    env = made("polynomial_equations")
    entry = {**env.entry(env.tasks.item("train", 0)), "answer": ""}
    assert env.dataset.foreign.score_answer("I do not know", entry) == 1.0
    values = {
        answer: verdict(env.dataset, answer, entry).value
        for answer in ("", '""', "I do not know", "0", "1, 2")
    }
    assert values["I do not know"] == 0.0 and values["0"] < 1 and values["1, 2"] < 1  # type: ignore[operator]
    assert values[""] == values['""'] == 1.0


def test_moves_by_the_billion_are_refused_at_once() -> None:
    for name, answer in (
        ("rubiks_cube", "R9999999999"),
        ("rush_hour", "A+9999999999"),
        ("coin_flip", "1e999999999"),
    ):
        started = time.process_time()
        assert scored(made(name), answer)["score"].reward == 0.0
        assert time.process_time() - started < 2


def test_sympy_is_given_terms_only_and_only_in_the_sandbox() -> None:
    env = made("simple_integration")
    entry = env.entry(env.tasks.item("train", 1))
    gold, variable = entry["answer"], entry["metadata"]["variable"]
    assert verdict(env.dataset, f"{gold} + 3 - 3".replace(" + C", ""), entry).value == 1.0
    assert verdict(env.dataset, f"({gold}) + {variable}", entry).value == 0.0
    assert verdict(env.dataset, f"Integral({entry['metadata']['integrand']}, {variable})", entry).value == 0.0
    assert verdict(env.dataset, f"sin({variable})**9999999", entry).value == 0.0


def test_an_exception_in_a_scorer_is_a_failure_and_no_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    env = made("chain_sum")
    monkeypatch.setattr(env.dataset.foreign, "score_answer", lambda answer, entry: 1 / 0)
    env.start(env.tasks.item("train", 0), 0)
    _, reward, terminated, _, info = env.step("<answer>3</answer>")
    assert terminated and reward != reward and info["score"].reward is None
    assert [(each.stage, each.name, each.kind) for each in info["failures"]] == [
        ("reward", "score", "ScorerFailed")
    ]
    assert "ZeroDivisionError" in info["failures"][0].message


def test_partial_credit_is_the_datasets_own_and_no_success() -> None:
    env = made("knights_knaves")
    entry = env.entry(env.tasks.item("train", 0))
    halfway = entry["answer"].split(" and ")[0] + " and Somebody is a knight."
    info = scored(env, halfway)
    assert info["graded"] == env.dataset.foreign.score_answer(halfway, entry) and not info["score"].success


def test_no_answer_is_zero() -> None:
    env = made("countdown")
    env.start(env.tasks.item("train", 0), 0)
    info = env.step("I give up.")[4]
    assert info["score"].reward == 0.0 and info["why"] == "no answer"


# ---- reading


@given(st.integers(0, 99), st.integers(1, 99), st.integers(0, 99))
def test_arithmetic_is_exact(a: int, b: int, c: int) -> None:
    assert reading.arithmetic(f"({a} + {c}) / {b} - -{c}*{a}") == Fraction(a + c, b) + c * a


@pytest.mark.parametrize(
    "text",
    ["2**3", "7//2", "1.5", "x", "len('a')", "1 if 1 else 2", "1_0; 2", "1/0", "True", "1" * 300, "", "1 2"],
)
def test_what_is_no_arithmetic(text: str) -> None:
    with pytest.raises(Unreadable):
        reading.arithmetic(text)


@given(st.text(alphabet="x0123456789+-*/(). \n[],'\"abc", max_size=60))
def test_reading_raises_nothing_else(text: str) -> None:
    for read in (reading.arithmetic, _polynomial, _term, _literal):
        with contextlib.suppress(Unreadable):
            read(text)


def _polynomial(text: str) -> None:
    reading.polynomial(text, ["x"])


def _term(text: str) -> None:
    reading.term(text, ["x"])


def _literal(text: str) -> None:
    reading.literal(text, 99)


@pytest.mark.parametrize(("text", "fine"), [
    ("-896*x**5 + 2240*x**4 - 3", True), ("x*y**2/3", True), ("-(3*x)", True), ("2*(x + 1)", False),
    ("(x+1)**2", False), ("x**999", False), ("9**9**9", False), ("1e99999", False), ("z", False), ("x.diff()", False),
    ("x**y", False),
    ("f(x)", False),
])  # fmt: skip
def test_what_is_a_polynomial(text: str, fine: bool) -> None:
    if fine:
        reading.polynomial(text, ["x", "y"])
    else:
        with pytest.raises(Unreadable):
            reading.polynomial(text, ["x", "y"])


@pytest.mark.parametrize(("text", "fine"), [
    ("x*sin(x) + log(x, 2) - E**x + C", True), ("sqrt(x)**(1/2)", True), ("Integral(x, x)", False), ("sin", True),
    ("x.free_symbols", False), ("'x'", False), ("[x]", False), ("sin(x, evaluate=False)", False),
    ("y", False), ("sin(*x)", False), ("9**9**9", False),
    ("x**(1/2)*E**(x**2)", True), ("x**99999", False),
    ("(lambda: x)()", False), ("x if x else C", False), ("f'{x}'", False), ("x[0]", False), ("1j", False),
])  # fmt: skip
def test_what_is_a_term(text: str, fine: bool) -> None:
    if fine:
        reading.term(text, ["x", "C", "E"])
    else:
        with pytest.raises(Unreadable):
            reading.term(text, ["x", "C", "E"])


# ---- settings


def test_the_datasets_own_configuration() -> None:
    env = made("chain_sum", config={"min_terms": 9, "max_terms": 9})
    assert all(
        env.tasks.item("train", i).data["question"].count(" + ")
        + env.tasks.item("train", i).data["question"].count(" - ")
        == 8
        for i in range(5)
    )
    assert (
        made(
            "arc_agi", config={"board_format_opts": {"row_delimiter": "|"}}
        ).dataset.foreign.board_format_opts.row_delimiter
        == "|"
    )


@pytest.mark.parametrize(("name", "settings", "message"), [
    ("chain_sum", {"config": {"terms": 3}}, "'terms'; it takes .*max_terms"),
    ("chain_sum", {"config": {"seed": 3}}, "no 'seed'"),
    ("chain_sum", {"config": {"min_terms": 9, "max_terms": 3}}, "min_terms"),
    ("chain_sum", {"config": {"min_terms": "x"}}, "config"),
    ("chain_sum", {"config": [1]}, "mapping"),
    ("chain_sum", {"tag": "a b"}, "is not a name"),
])  # fmt: skip
def test_what_cannot_be_is_said(name: str, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        made(name, **settings)


def test_a_misspelt_name_is_answered_with_what_was_meant() -> None:
    with pytest.raises(UnknownIdError, match="did you mean 'reasoning-gym:countdown'"):
        made("countdwn")


def test_another_tag_or_none() -> None:
    boxed, plain = made("chain_sum", tag="result"), made("chain_sum", tag=None)
    task = plain.tasks.item("train", 0)
    for env, completion in ((boxed, f"<result>{task.data['answer']}</result>"), (plain, task.data["answer"])):
        env.start(task, 0)
        assert env.step(completion)[4]["score"].success
    assert "<result>" in boxed.start(task, 0)[0].content and plain.start(task, 0)[0].role == "user"


def test_tasks_of_ones_own(tmp_path: Any) -> None:
    file = tmp_path / "tasks.jsonl"
    file.write_text(json.dumps({"id": "one", "question": "2 + 2 =", "answer": "4", "metadata": {}}) + "\n")
    env = made("chain_sum", tasks=ReasoningGymEnv.read_tasks(file))
    env.start(env.tasks.by_id("one"), 0)
    assert env.step("<answer>4.0</answer>")[4]["score"].success


def test_without_the_package_the_cure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    drawing.package.cache_clear()
    monkeypatch.setitem(sys.modules, "reasoning_gym", None)
    try:
        with pytest.raises(MissingPackageError, match=r"pip install 'rftgym\[reasoning-gym\]'"):
            made("chain_sum")
    finally:
        drawing.package.cache_clear()


def test_listing_environments_does_not_import_the_package() -> None:
    program = "import sys, rftgym.plugins as p; p.discover(); print('reasoning_gym' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# ---- conformance


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "chain_sum",
        *(
            pytest.param(name, marks=pytest.mark.thorough)
            for name in ("countdown", "knights_knaves", "list_functions", "simple_integration")
        ),
    ],
)
def test_the_contract(name: str) -> None:
    check_env(f"reasoning-gym:{name}", completions=[f"<answer>{answer}</answer>" for answer in HOSTILE[:12]])
