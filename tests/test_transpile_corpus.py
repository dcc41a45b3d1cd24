"""The corpus of Java methods and the demonstrations: what is recorded is true, right answers pass, wrong ones fail."""

from __future__ import annotations

import ast
import json
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import fields, replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rftgym.errors import UsageError
from rftgym_transpile import jvm
from rftgym_transpile.corpus import record
from rftgym_transpile.corpus.draws import TESTS
from rftgym_transpile.corpus.families import families
from rftgym_transpile.corpus.family import Case, Family
from rftgym_transpile.corpus.held_out import fingerprint, held_out_prints, is_held_out
from rftgym_transpile.corpus.tasks import RECORDED, records
from rftgym_transpile.demonstrations import CAREFUL, DEFAULT, Habits, demonstration, demonstrations, exercise
from rftgym_transpile.judge import Judge, JudgeSettings
from rftgym_transpile.practice import java, python
from rftgym_transpile.practice.syntax import Method
from rftgym_transpile.programs import Program

CATEGORIES = {
    "control flow",
    "arithmetic",
    "strings",
    "arrays",
    "collections",
    "recursion",
    "classes",
    "generics",
    "exceptions",
    "streams",
}


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    made = Judge(JudgeSettings(workers=1))
    yield made
    made.close()


@pytest.fixture(scope="module")
def cases() -> dict[str, Case]:
    return {case.id: case for family in families() for case in family.cases()}


def needs_java() -> None:
    if jvm.find_java() is None:
        pytest.skip(f"no JDK: {jvm.CURE}")


def task_data(row: dict[str, Any]) -> dict[str, Any]:
    """A task's data as the environment makes them of a record."""
    kept = {name: row[name] for name in ("entry", "inputs", "expected")}
    return {
        "source_language": "java",
        "target_language": "python",
        "source": row["java"],
        "recorded": True,
        **kept,
    }


# ---- what is recorded


def test_there_are_enough_tasks_of_every_kind() -> None:
    rows = records()
    test = [row for row in rows if row["split"] == "test"]
    assert {row["category"] for row in rows} == CATEGORIES == {row["category"] for row in test}
    assert len({row["family"] for row in rows}) >= 64
    assert len(test) >= 80 and 0.4 <= sum(row["simple"] for row in test) / len(test) <= 0.6
    assert 0.3 <= sum(row["simple"] for row in rows) / len(rows) <= 0.5
    assert len({row["id"] for row in rows}) == len(rows)


def test_every_task_has_tests_and_a_difficulty() -> None:
    for row in records():
        assert 8 <= len(row["inputs"]) == len(row["expected"]) <= TESTS, row["id"]
        assert len({json.dumps(each) for each in row["inputs"]}) == len(row["inputs"]), row["id"]
        assert 0 <= row["difficulty"] <= 1
        assert row["simple"] is (row["difficulty"] <= 0.2), row["id"]


def test_no_constant_answer_passes_most_tests() -> None:
    for row in records():
        ((_, most),) = Counter(map(json.dumps, row["expected"])).most_common(1)
        assert most / len(row["expected"]) < 0.8, row["id"]


def test_a_family_is_in_one_split_and_splits_share_no_method() -> None:
    splits, prints = defaultdict(set), defaultdict(set)
    for row in records():
        splits[row["family"]].add(row["split"])
        prints[row["split"]].add(fingerprint(row["java"]))
    assert all(len(each) == 1 for each in splits.values())
    assert not prints["train"] & prints["test"]
    assert not prints["train"] & prints["validation"]
    assert not prints["validation"] & prints["test"]


def test_the_record_is_what_the_families_say(cases: dict[str, Case]) -> None:
    assert [row["id"] for row in records()] == list(cases)
    for row in records():
        case = cases[row["id"]]
        assert (row["java"], row["entry"], row["solution"]) == (case.source, case.entry, case.solution)


def test_packing_gives_the_same_bytes() -> None:
    assert record.packed(records()) == RECORDED.read_bytes()
    assert len(RECORDED.read_bytes()) <= record.LARGEST_BYTES


def test_what_differs_is_named() -> None:
    rows = list(records()[:3])
    changed = [rows[0], {**rows[1], "expected": []}, records()[5]]
    assert record.differing(rows, rows) == []
    assert record.differing(rows, changed) == sorted([rows[1]["id"], rows[2]["id"], records()[5]["id"]])


@given(st.lists(st.sampled_from([True, False, 7]), min_size=1, max_size=60), st.integers(0, 5))
def test_rare_results_are_chosen_as_often_as_there_is_room(expected: list[Any], kept: int) -> None:
    chosen = record.chosen_tests(expected, kept)
    assert chosen == sorted(set(chosen)) and len(chosen) == min(len(expected), TESTS)
    assert set(range(min(kept, len(expected)))) <= set(chosen)
    counts = Counter(json.dumps(each) for each in expected)
    free = (TESTS - kept) // len(counts)
    taken = Counter(json.dumps(expected[i]) for i in chosen)
    assert all(taken[each] >= min(count, free) for each, count in counts.items())


@pytest.mark.slow
def test_the_jvm_says_what_is_recorded() -> None:
    needs_java()
    assert record.differing(records(), record.recorded(families())) == []


def test_the_jvm_says_what_is_recorded_of_some() -> None:
    needs_java()
    some = {row["id"]: row for row in records()[::31]}
    with jvm.Jvm(workers=1) as machine:
        ran = machine.run([Program(row["java"], row["entry"], row["inputs"]) for row in some.values()])
    for row, each in zip(some.values(), ran, strict=True):
        assert (each.status, list(each.expected), list(each.inputs)) == ("ok", row["expected"], row["inputs"])


# ---- right and wrong answers


def test_every_task_has_wrong_translations_that_are_code(cases: dict[str, Case]) -> None:
    for case in cases.values():
        assert len(case.mutants) >= 2, case.id
        assert len({case.solution, *case.mutants}) == len(case.mutants) + 1, case.id
        for text in (case.solution, *case.mutants):
            ast.parse(text)


def one_of_each() -> list[str]:
    """Ids of a simple and of another task of each category, as far as there are any."""
    found = {(row["category"], row["simple"]): row["id"] for row in records()}
    return list(found.values())


@pytest.mark.parametrize("id", one_of_each())
def test_the_right_translation_passes_and_a_wrong_one_fails(
    id: str, judge: Judge, cases: dict[str, Case]
) -> None:
    (row,) = (row for row in records() if row["id"] == id)
    right = judge.judge(id, task_data(row), row["solution"])
    assert (right.kind, right.passed) == ("right", len(row["inputs"]))
    wrong = judge.judge(id, task_data(row), cases[id].mutants[0])
    assert wrong.kind in ("wrong", "exception") and wrong.passed < wrong.tests


@pytest.mark.slow
def test_right_translations_pass_and_wrong_ones_fail_everywhere(judge: Judge, cases: dict[str, Case]) -> None:
    for row in records():
        right = judge.judge(row["id"], task_data(row), row["solution"])
        assert right.success, (row["id"], right)
        for mutant in cases[row["id"]].mutants:
            assert not judge.judge(row["id"], task_data(row), mutant).success, (row["id"], mutant)


def test_a_family_with_a_mistake_says_which() -> None:
    family = next(iter(families()))
    with pytest.raises(UsageError, match=rf"{family.name}.*'nowhere' is not in the translation"):
        list(replace(family, mutants=[("nowhere", "x")]).cases())
    with pytest.raises(UsageError, match=rf"{family.name}.*variant 0.*not filled"):
        list(replace(family, variants=[{}]).cases())


def test_cases_are_the_same_each_time() -> None:
    for family in families()[::9]:
        assert list(family.cases()) == list(family.cases()), family.name


# ---- what is held out

NAMED = "static int addUp(int[] xs, int k) { int t = 0; for (int x : xs) { t += x * k + 3; } return t; }"


@given(st.permutations(["addUp", "xs", "k", "t", "x", "alpha", "beta9"]), st.integers(0, 99))
def test_names_and_numbers_do_not_matter(names: list[str], number: int) -> None:
    new = dict(zip(["addUp", "xs", "k", "t", "x"], names, strict=False))
    text = re.sub(r"\b(addUp|xs|k|t|x)\b", lambda match: new[match[0]], NAMED).replace("3", str(number))
    assert fingerprint("public " + text.replace("; ", ";\n    // said\n")) == fingerprint(NAMED)


@pytest.mark.parametrize(
    ("part", "by"), [("+ 3", "- 3"), ("t += x", "t += t"), ("int[]", "long[]"), ("x *", "xs.length *")]
)
def test_anything_else_matters(part: str, by: str) -> None:
    assert fingerprint(NAMED.replace(part, by, 1)) != fingerprint(NAMED)


def test_held_out_methods_are_recognised() -> None:
    held_out = [row for row in records() if row["split"] != "train"]
    assert all(is_held_out(row["java"]) for row in held_out)
    assert not any(is_held_out(row["java"]) for row in records() if row["split"] == "train")
    assert len(held_out_prints()) <= len(held_out)


def test_no_held_out_method_is_demonstrated() -> None:
    from rftgym_transpile.practice import methods

    drawn = [java.write(methods.method(Random(f"drawn:{number}"))) for number in range(1500)]
    assert any(is_held_out(each) for each in drawn)  # so that there is something to leave out
    assert not any(is_held_out(java.write(exercise(4, number))) for number in range(1500))


# ---- demonstrations


def test_a_demonstration_depends_on_seed_and_number_only() -> None:
    few, many = list(demonstrations(3, seed=5)), list(demonstrations(20, seed=5))
    assert few == many[:3]
    assert many != list(demonstrations(20, seed=6))
    assert [message.role for message in few[0]] == ["system", "user", "assistant"]


def test_habits_change_the_answers_and_not_the_methods() -> None:
    for number in range(50):
        careful, answer = demonstration(1, number, CAREFUL)
        assert demonstration(1, number, DEFAULT)[0] == careful
        assert careful["source"] == java.write(exercise(1, number))
        assert answer == f"```python\n{python.write(exercise(1, number))}\n```"


def test_habits_are_the_slips_that_there_are_and_shares() -> None:
    assert {each.name for each in fields(Habits)} == {"fence", *python.SLIPS}
    assert CAREFUL.drawn(Random(0)) == frozenset()
    everything = Habits(**{each.name: 1.0 for each in fields(Habits)})
    assert everything.drawn(Random(0)) == {"fence", *python.SLIPS}
    with pytest.raises(ValueError, match=r"'division'.*1\.5"):
        Habits(division=1.5)


def test_careful_answers_are_python_and_every_slip_happens() -> None:
    methods = [exercise(2, number) for number in range(600)]
    for method in methods:
        (function,) = ast.parse(python.write(method)).body
        assert isinstance(function, ast.FunctionDef) and function.name == method.name
        assert [each.arg for each in function.args.args] == [each.name for each in method.parameters]
    for slip in python.SLIPS:
        assert any(python.write(method, {slip}) != python.write(method) for method in methods), slip


def test_demonstrations_are_short_and_fast() -> None:
    started = time.process_time()
    lengths = sorted(len(chat[1].content) + len(chat[2].content) for chat in demonstrations(400, seed=9))
    assert 400 / (time.process_time() - started) >= 500
    assert lengths[200] < 450 and lengths[-1] < 1500


def drawn_input(method: Method, chance: Random) -> list[Any]:
    """Arguments for a practice method: small numbers, since practice methods mean no overflow unless they say so."""
    sized = "new int[" in java.write(
        method
    )  # a negative size has its own exception, which is not what is practised
    low = 0 if sized else -30
    letters = "abcdeixyzABZ059 -_.,"
    kinds: dict[str, Any] = {
        "int": lambda: chance.choice([chance.randint(low, 30), chance.randint(0, 300)]),
        "long": lambda: chance.randint(low, 300),
        "boolean": lambda: chance.random() < 0.5,
        "char": lambda: chance.choice(letters),
        "String": lambda: "".join(chance.choices(letters, k=chance.choice([0, 1, 2, 3, 5, 8]))),
        "int[]": lambda: [chance.randint(-20, 40) for _ in range(chance.choice([0, 1, 2, 3, 5, 8]))],
    }
    return [kinds[each.type]() for each in method.parameters]


def judged(count: int, seed: int, judge: Judge) -> tuple[int, int]:
    """How many careful and how many default answers to practice methods the JVM agrees with."""
    methods = [exercise(seed, number) for number in range(count)]
    inputs = [
        [drawn_input(method, Random(f"{seed}:{place}:{i}")) for i in range(8)]
        for place, method in enumerate(methods)
    ]
    with jvm.Jvm(workers=1) as machine:
        ran = machine.run(
            [Program(java.write(m), m.name, given) for m, given in zip(methods, inputs, strict=True)]
        )
    careful = default = 0
    for number, (method, each) in enumerate(zip(methods, ran, strict=True)):
        assert each.status == "ok", (each.message, java.write(method))
        data = task_data(
            {
                "java": java.write(method),
                "entry": method.name,
                "inputs": list(each.inputs),
                "expected": list(each.expected),
            }
        )
        right = judge.judge(f"practice-{number}", data, python.write(method))
        assert right.success, (java.write(method), python.write(method), right)
        careful += 1
        answer = demonstration(seed, number)[1]
        default += judge.judge(
            f"practice-{number}", data, answer.partition("\n")[2].removesuffix("\n```")
        ).success
    return careful, default


def test_careful_answers_do_what_the_java_does(judge: Judge) -> None:
    needs_java()
    careful, _ = judged(16, 77, judge)
    assert careful == 16


@pytest.mark.slow
def test_the_imperfect_translator_is_right_now_and_then(judge: Judge) -> None:
    needs_java()
    careful, default = judged(400, 78, judge)
    assert careful == 400
    assert 0.10 <= default / 400 <= 0.25


@settings(max_examples=25)
@given(st.integers(0, 2**40))
def test_any_method_of_any_series_can_be_written(seed: int) -> None:
    method = exercise(seed, 0)
    assert java.write(method).startswith(f"{method.modifiers} {method.returns} {method.name}(")
    ast.parse(python.write(method))


def test_families_name_their_kind() -> None:
    for family in families():
        assert isinstance(family, Family) and re.fullmatch(r"[a-z]+(-[a-z]+)*", family.name), family.name
