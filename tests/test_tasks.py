"""Tasksets: stable, seeded, disjoint; and files of tasks whose faults are named by line."""

from __future__ import annotations

import json
from collections import Counter
from itertools import islice
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rftgym
from rftgym import Task
from rftgym.errors import ContractError, UsageError
from rftgym.tasks import ListTaskset, ProceduralTaskset, read_jsonl

ABC = ListTaskset(
    [
        Task(name, {"x": name}, split)
        for split in ("train", "test")
        for name in (f"{split}-{i}" for i in range(5))
    ]
)


def add(split: str, rng: Random, id: str) -> Task:
    return Task(id, {"a": rng.randrange(10**6)}, split)


SUMS = ProceduralTaskset(add)


@given(st.integers(0, 2**31), st.integers(1, 17))
def test_a_sample_is_a_permutation_after_another(seed: int, n: int) -> None:
    sample = ABC.sample("train", n, seed)
    assert sample == ABC.sample("train", n, seed) == list(islice(ABC.order("train", seed), n))
    counts = Counter(task.id for task in sample)
    assert max(counts.values()) - min(counts.values()) <= 1 and len(counts) == min(n, 5)
    assert {task.split for task in sample} == {"train"}


def test_seeds_and_epochs_have_orders_of_their_own() -> None:
    orders = {tuple(task.id for task in ABC.sample("train", 5, seed)) for seed in range(20)}
    assert len(orders) > 10
    ten = [task.id for task in ABC.sample("train", 10, 3)]
    assert ten[:5] != ten[5:]


def test_a_split_that_is_not_there_has_size_0_and_no_order() -> None:
    assert ABC.size("validation") == ABC.size("nonsense") == SUMS.size("nonsense") == 0
    with pytest.raises(UsageError, match="no tasks in split 'nonsense'; splits are train, validation, test"):
        next(ABC.order("nonsense", 0))


@pytest.mark.parametrize(
    ("id", "words"),
    [
        ("train-9", r"did you mean 'train-\d'"),
        ("zebra", "ids look like train-0, train-1"),
        ("", "ids look like"),
    ],
)
def test_a_wrong_id_answers_with_what_there_is(id: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        ABC.by_id(id)


def test_ids_must_be_unique() -> None:
    with pytest.raises(UsageError, match="two tasks have the id 'a'"):
        ListTaskset([Task("a", {}), Task("a", {}, "test")])


# ---- endless ones


@given(st.integers(-(2**40), 2**40), st.integers(0, 2**40), st.sampled_from(["train", "validation", "test"]))
def test_item_i_is_a_function_of_split_seed_and_i(seed: int, index: int, split: str) -> None:
    task = SUMS.item(split, index, seed)
    assert task == ProceduralTaskset(add).item(split, index, seed) == SUMS.by_id(task.id)
    assert task.split == split and SUMS.size(split) is None


def test_items_of_other_seeds_splits_and_places_are_others() -> None:
    items = [SUMS.item(split, i, seed) for split in ("train", "test") for i in range(20) for seed in range(5)]
    assert len({task.id for task in items}) == 200 and len({task.data["a"] for task in items}) > 190


def test_golden_items_never_change() -> None:
    assert [SUMS.item("train", i, 1).data["a"] for i in range(4)] == GOLDEN
    assert [task.id for task in ABC.sample("train", 5, 0)] == GOLDEN_ORDER


GOLDEN = [47991, 32648, 168729, 615180]
GOLDEN_ORDER = ["train-3", "train-0", "train-2", "train-4", "train-1"]


@pytest.mark.parametrize(
    "id",
    [
        "",
        "train",
        "train-0",
        "train-0-",
        "train-0-01",
        "train-+1-0",
        "train-0-٣",
        "dev-0-0",
        "train-0-" + "9" * 5000,
        "train-0-0\n",
    ],
)
def test_only_ids_that_were_given_out_are_taken(id: str) -> None:
    with pytest.raises(UsageError, match="SPLIT-SEED-INDEX, say train-0-12"):
        SUMS.by_id(id)


def test_generate_must_use_the_id_and_the_split() -> None:
    forgetful = ProceduralTaskset(lambda split, rng, id: Task(id, {}))
    assert forgetful.item("train", 0).split == "train"
    with pytest.raises(ContractError, match="generate\\(\\) made 'test-0-0' of 'train'"):
        forgetful.item("test", 0)


# ---- files


def write(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "tasks.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8", newline="\n")
    return path


def test_rows_come_with_their_line_numbers(tmp_path: Path) -> None:
    path = write(tmp_path, '{"a": 1}', "", '  {"a": "\u2028"}\r')
    assert read_jsonl(path) == [(1, {"a": 1}), (3, {"a": "\u2028"})]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "line 2: not JSON"),
        ("[1]", "line 2: expected a JSON object, got list"),
        ("[" * 100_000, "line 2: not JSON"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read_jsonl(write(tmp_path, '{"a": 1}', line))


def test_the_mark_that_some_editors_begin_a_file_with_is_no_text(tmp_path: Path) -> None:
    assert read_jsonl(write(tmp_path, '\ufeff{"a": 1}')) == [(1, {"a": 1})]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read .*none.jsonl: No such file"):
        read_jsonl(tmp_path / "none.jsonl")
    with pytest.raises(UsageError, match=r"cannot read .*Is a directory"):
        read_jsonl(tmp_path)
    (tmp_path / "latin.jsonl").write_bytes(b'{"a": "\xe9"}')
    with pytest.raises(UsageError, match="not UTF-8 text"):
        read_jsonl(tmp_path / "latin.jsonl")


def read_wordle(path: Path) -> ListTaskset:
    env = rftgym.make("wordle")
    return type(env).read_tasks(path)


def test_tasks_of_the_users_own(tmp_path: Path) -> None:
    rows = [{"answer": "crane"}, {"answer": "qajaq", "id": "odd", "split": "test", "difficulty": 0.9}]
    tasks = read_wordle(write(tmp_path, *map(json.dumps, rows)))
    assert tasks.by_id("crane") == Task("crane", {"answer": "crane"}, "train")
    assert tasks.by_id("odd") == Task("odd", {"answer": "qajaq"}, "test", 0.9)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ('{"answer": "cranes"}', "line 2: answer: .*'cranes' is not a word of five letters a-z"),
        ('{"answer": "CRANE"}', "line 2: answer"),
        ('{"answer": "crané"}', "line 2: answer"),
        ('{"answer": 12345}', "line 2: answer: Input should be a valid string"),
        ("{}", "line 2: answer: Field required"),
        ('{"answer": "crane", "anwser": "x"}', "line 2: anwser: Extra inputs"),
        ('{"answer": "crane", "split": "dev"}', "line 2: split"),
        ('{"answer": "crane", "difficulty": 7}', "line 2: difficulty: .*less than or equal to 1"),
        ('{"answer": "crane", "difficulty": NaN}', "line 2: difficulty"),
    ],
)
def test_a_bad_task_is_named_by_file_line_and_field(tmp_path: Path, row: str, words: str) -> None:
    with pytest.raises(UsageError, match=f"tasks.jsonl, {words}"):
        read_wordle(write(tmp_path, '{"answer": "slate"}', row))


def test_no_task_at_all_and_the_same_twice(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no task"):
        read_wordle(write(tmp_path, "", ""))
    with pytest.raises(UsageError, match=r"tasks.jsonl: two tasks have the id 'crane'"):
        read_wordle(write(tmp_path, '{"answer": "crane"}', '{"answer": "crane"}'))
