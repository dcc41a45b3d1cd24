"""The environment `dataset`: rows become tasks, splits hold, answers are compared as the row asks."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rftgym
from rftgym import Message
from rftgym.config import EnvSettings, RewardSettings
from rftgym.errors import UsageError
from rftgym.registry import make_configured
from rftgym.tasks import SPLITS, Taskset
from rftgym.testing import check_env
from rftgym_dataset.env import PUZZLES, DatasetEnv
from rftgym_dataset.matching import Match, chosen, matches, number_in
from rftgym_dataset.puzzles import text

FILES = Path(__file__).with_name("data_files")


def lines(file: Path, *rows: dict[str, Any]) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def all_tasks(tasks: Taskset) -> list[rftgym.Task]:
    return [tasks.item(split, index) for split in SPLITS for index in range(tasks.size(split) or 0)]


def asked(file: str | Path, **kwargs: Any) -> rftgym.TextEnv[Any]:
    return make_configured(EnvSettings(id="dataset", tasks=str(file), kwargs=kwargs), RewardSettings())


def played(env: rftgym.TextEnv[Any], task: str, completion: str) -> rftgym.types.Score:
    env.reset(options={"task": task})
    score: rftgym.types.Score = env.step(completion)[-1]["score"]
    return score


# ---- without a file


def test_the_puzzles_are_those_that_the_procedure_makes() -> None:
    assert PUZZLES.read_text(encoding="utf-8") == text()


@pytest.mark.parametrize("kwargs", [{}, {"tag": "answer"}, {"tag": "final", "system": "Be brief."}])
def test_every_puzzle_is_solved_by_its_demonstration_and_by_nothing_empty(kwargs: dict[str, Any]) -> None:
    env = rftgym.make("dataset", **kwargs)
    tasks = all_tasks(env.tasks)
    assert Counter(task.split for task in tasks) == {"train": 42, "validation": 6, "test": 12}
    for task in tasks:
        shown = env.demonstrate(task, 0)
        assert shown is not None and shown[:-1] == list(env.start(task, 0))
        best = played(env, task.id, shown[-1].content)
        assert best.success and best.components == {"well_formed": 1.0, "correct": 1.0}
        assert played(env, task.id, "").components == {"well_formed": 0.0, "correct": 0.0}


def test_demonstrations_are_of_the_train_split_only() -> None:
    env = rftgym.make("dataset")
    prompts = {task.data["messages"][-1]["content"] for task in all_tasks(env.tasks) if task.split == "train"}
    shown = list(env.demonstrations("train", 100, 1))
    assert len(shown) == 42 and {talk[-2].content for talk in shown} == prompts
    with pytest.raises(UsageError, match="held out"):
        env.demonstrations("test", 1, 0)


# ---- from a file


ALL = [
    "instruction.json",
    "prompt_completion.jsonl",
    "prompt_completion_messages.jsonl",
    "prompt_answer.jsonl",
    "question_answer.csv",
    "semicolons.csv",
    "messages_in.csv",
    "sharegpt.json",
    "messages.jsonl",
    "messages.parquet",
    "conversations_by_role.jsonl",
    "folder",
]


@pytest.mark.parametrize("tag", [None, "answer"])
@pytest.mark.parametrize("name", ALL)
def test_every_format_poses_tasks_whose_demonstrations_solve_them(name: str, tag: str | None) -> None:
    env = asked(FILES / name, tag=tag)
    for task in all_tasks(env.tasks):
        shown = env.demonstrate(task, 0)
        assert shown is not None
        assert played(env, task.id, shown[-1].content).success, (task, shown)


def test_a_file_of_the_user_s_keeps_the_contract(tmp_path: Path) -> None:
    rows = [{"prompt": f"What is {n} + {n}?", "answer": 2 * n} for n in range(40)]
    tasks = DatasetEnv.read_tasks(lines(tmp_path / "a.jsonl", *rows))
    for tag in (None, "answer"):
        check_env(DatasetEnv(tasks=tasks, tag=tag), completions=["4", "<answer>4</answer>"], processes=False)


def test_the_whole_conversation_is_posed() -> None:
    env = asked(FILES / "sharegpt.json", tag="answer")
    task = next(task for task in all_tasks(env.tasks) if task.id == "x1")
    opening = env.start(task, 0)
    assert [message.role for message in opening] == ["system", "user", "assistant", "user"]
    assert opening[-1].content == "Ping?\n\nWrite the final answer between <answer> and </answer>."
    assert task.data["accepted"] == ["Pong!"]


def test_the_system_message_is_for_rows_without_one() -> None:
    env = asked(FILES / "prompt_answer.jsonl", system="Think.")
    openings = [env.start(task, 0)[0] for task in all_tasks(env.tasks)]
    assert Counter(openings) == {Message("system", "Think."): 2, Message("system", "Be brief."): 1}


def test_a_prompt_that_speaks_of_the_tags_is_left_as_it_is(tmp_path: Path) -> None:
    file = lines(tmp_path / "a.jsonl", {"prompt": "Say <answer>4</answer>", "answer": 4})
    env = asked(file, tag="answer")
    assert env.start(all_tasks(env.tasks)[0], 0)[0].content == "Say <answer>4</answer>"


def test_reasoning_is_shown_with_the_answer_in_tags_behind_it(tmp_path: Path) -> None:
    row = {"prompt": "6 * 7?", "completion": "6 * 7 is 7 + 7 + ... = 42", "answer": 42, "match": "number"}
    file = lines(tmp_path / "a.jsonl", row)
    for tag, words in ((None, row["completion"]), ("answer", f"{row['completion']}\n<answer>42</answer>")):
        env = asked(file, tag=tag)
        shown = env.demonstrate(all_tasks(env.tasks)[0], 0)
        assert shown is not None and shown[-1].content == words


def test_a_task_that_nobody_can_demonstrate(tmp_path: Path) -> None:
    file = lines(tmp_path / "a.jsonl", {"prompt": "A year?", "answer": "[12][0-9]{3}", "match": "regex"})
    env = asked(file)
    task = all_tasks(env.tasks)[0]
    assert env.demonstrate(task, 0) is None and played(env, task.id, " 1984\n").success
    assert list(env.solved(1, 0)) == []


def test_further_fields_stay_with_the_task(tmp_path: Path) -> None:
    file = lines(
        tmp_path / "a.jsonl", {"id": 7, "prompt": "a", "answer": "b", "level": {"x": [1]}, "difficulty": 0.5}
    )
    (task,) = all_tasks(DatasetEnv.read_tasks(file))
    assert task.id == "7" and task.difficulty == 0.5 and task.data["fields"]["level"] == {"x": [1]}


BAD = {
    "text only": ([{"text": "a"}], 1, "a text without turns asks nothing"),
    "an unknown match": (
        [{"prompt": "a", "answer": "b"}, {"prompt": "a", "answer": "b", "match": "fuzzy"}],
        2,
        "match",
    ),
    "no number": ([{"prompt": "a", "answer": "b", "match": "number"}], 1, "needs a number in it"),
    "no letter": ([{"prompt": "a", "answer": "Paris", "match": "choice"}], 1, "needs the letter"),
    "no pattern": ([{"prompt": "a", "answer": "(", "match": "regex"}], 1, "no regular expression"),
    "an object": ([{"prompt": "a", "answer": {"b": 1}}], 1, "unless the row says"),
    "nothing accepted": ([{"prompt": "a", "answer": []}], 1, "'answer' is an empty list"),
    "an empty answer": ([{"prompt": "a", "answer": ["b", " "]}], 1, "it is empty"),
    "a difficulty that is none": (
        [{"prompt": "a", "answer": "b", "difficulty": "hard"}],
        1,
        "no number from 0 to 1",
    ),
    "an id that is none": ([{"prompt": "a", "answer": "b", "id": [1]}], 1, "must be text or a number"),
    "a prompt in two splits": (
        [
            {"prompt": "a b", "answer": "c", "split": "train"},
            {"prompt": " a  b", "answer": "d", "split": "test"},
        ],
        2,
        "must not be tested on",
    ),
    "bad JSON": ([{"prompt": "a", "answer": "b", "x": math.nan}], 1, "NaN is not JSON"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_row_that_cannot_be_used_is_refused_with_its_line(tmp_path: Path, name: str) -> None:
    rows, line, words = BAD[name]
    file = lines(tmp_path / "a.jsonl", *rows)
    with pytest.raises(UsageError) as caught:
        DatasetEnv.read_tasks(file)
    assert f"{file}, line {line}: " in str(caught.value) and words in str(caught.value)


def test_two_rows_with_one_id(tmp_path: Path) -> None:
    file = lines(tmp_path / "a.jsonl", *({"id": "x", "prompt": str(n), "answer": "b"} for n in range(2)))
    with pytest.raises(UsageError, match=r"a\.jsonl: two tasks have the id 'x'"):
        DatasetEnv.read_tasks(file)


def test_the_environment_s_match_is_for_rows_without_one(tmp_path: Path) -> None:
    rows = [
        {"id": "a", "prompt": "a", "answer": 5},
        {"id": "b", "prompt": "b", "answer": "five", "match": "exact"},
    ]
    env = asked(lines(tmp_path / "a.jsonl", *rows), match="number")
    assert played(env, "a", "It is 5.0!").success and not played(env, "b", "Five").success
    with pytest.raises(UsageError, match="task 'b': answer 'five': match 'number' needs"):
        asked(lines(tmp_path / "a.jsonl", rows[0], {**rows[1], "match": None}), match="number")
    with pytest.raises(UsageError, match="match 'fuzzy'; it is one of exact, normalised"):
        rftgym.make("dataset", match="fuzzy")


@pytest.mark.parametrize(("name", "value"), [("match", ["exact"]), ("tag", 5), ("system", 5)])
def test_a_setting_of_a_wrong_kind_is_named(name: str, value: Any) -> None:
    with pytest.raises(UsageError, match=f"^{name}.*{str(value)[-1]}"):
        rftgym.make("dataset", **{name: value})


# ---- splits


@given(st.sets(st.integers(0, 10**6), min_size=1, max_size=40), st.data())
def test_splits_are_decided_by_the_prompt_alone(
    tmp_path_factory: pytest.TempPathFactory, numbers: set[int], data: st.DataObject
) -> None:
    def split_by_prompt(chosen: list[int]) -> dict[str, str]:
        rows = [{"prompt": f"{n}?", "answer": n} for n in chosen]
        tasks = all_tasks(DatasetEnv.read_tasks(lines(tmp_path_factory.getbasetemp() / "s.jsonl", *rows)))
        return {task.data["messages"][0]["content"]: task.split for task in tasks}

    ordered = sorted(numbers)
    splits = split_by_prompt(ordered)
    assert split_by_prompt(data.draw(st.permutations(ordered))) == splits
    if len(ordered) >= 3:
        assert set(splits.values()) == set(SPLITS)


def test_shares_are_about_what_is_promised_and_rows_stay_where_they_are(tmp_path: Path) -> None:
    rows = [{"prompt": f"{n}?", "answer": n} for n in range(2000)]
    tasks = DatasetEnv.read_tasks(lines(tmp_path / "a.jsonl", *rows))
    counts = {split: tasks.size(split) for split in SPLITS}
    assert abs(counts["validation"] - 200) < 50 and abs(counts["test"] - 200) < 50
    fewer = {
        task.id: task.split
        for task in all_tasks(DatasetEnv.read_tasks(lines(tmp_path / "b.jsonl", *rows[:300])))
    }
    assert all(tasks.by_id(id).split == split for id, split in fewer.items())


def test_one_question_with_several_answers_stays_in_one_split(tmp_path: Path) -> None:
    rows = [{"prompt": "same", "answer": str(n)} for n in range(30)]
    rows += [{"prompt": "same", "answer": "0"}, {"prompt": "named", "answer": "x", "split": "Val"}]
    tasks = all_tasks(
        DatasetEnv.read_tasks(lines(tmp_path / "a.jsonl", *rows, {"prompt": "named", "answer": "y"}))
    )
    assert len(tasks) == len({task.id for task in tasks}) == 33
    assert len({task.split for task in tasks if task.data["messages"][0]["content"] == "same"}) == 1
    assert {task.split for task in tasks if task.data["messages"][0]["content"] == "named"} == {"validation"}


# ---- comparing


CASES: list[tuple[Match, Any, str, bool]] = [
    ("exact", "Lima", " Lima\n", True),
    ("exact", "Lima", "lima", False),
    ("normalised", "Lima", '**"LIMA".**', True),
    ("normalised", "New York", "new\n  york", True),
    ("normalised", "café", "cafe\u0301", True),
    ("normalised", 1000, "1,000.0", True),
    ("normalised", "Lima", "It is Lima", False),
    ("normalised", True, "True", True),
    ("normalised", "?", "?", True),
    ("normalised", "-5", "5", False),
    ("contains", "Lima", "I think it is lima.", True),
    ("contains", "Lima", "Limax", False),
    ("contains", 4, "42", False),
    ("contains", 4, "3.4", False),
    ("contains", 4, "-4", False),
    ("contains", 4, "so 4, then", True),
    ("contains", "C++", "use c++ here", True),
    ("number", 42, "First 7, so the answer is $42.", True),
    ("number", 42, "42 or 43", False),
    ("number", "#### 1,234", "it makes 1234.00 apples", True),
    ("number", 0.75, "3/4", True),
    ("number", -3, "x = \u22123", True),
    ("number", 5, "3-5", True),
    ("number", 1e6, "1000001", False),
    ("number", 0.3333333, "1/3", True),
    ("number", 5, "5/0", False),
    ("number", 5, "none", False),
    ("number", 1500, "1.5e3", True),
    ("number", 5, "٥", False),
    ("regex", r"\d+ (kg|lb)", "12 kg", True),
    ("regex", r"\d+ (kg|lb)", "12 kg of it", False),
    ("json", {"a": [1, 2], "b": None}, '```json\n{"b": null, "a": [1.0, 2]}\n```', True),
    ("json", {"a": [1, 2]}, '{"a": [2, 1]}', False),
    ("json", {"a": True}, '{"a": 1}', False),
    ("json", '{"a": 1}', '{"a":1}', True),
    ("json", "Lima", '"Lima"', True),
    ("json", [1], "[" * 5000, False),
    ("json", 1, "NaN", False),
    ("choice", "B", "b", True),
    ("choice", "B", "(B)", True),
    ("choice", "B", "B) Paris", True),
    ("choice", "B", "**B.** Paris", True),
    ("choice", "B", "It's not A. The answer is B.", True),
    ("choice", "B", "Option B, since (A) is wrong", True),
    ("choice", "B", "I'd take (B)", True),
    ("choice", "B", "Because of that", False),
    ("choice", "B", "A or B", False),
    ("choice", "(B)", "answer: **B**", True),
]


@pytest.mark.parametrize(("match", "accepted", "answer", "right"), CASES)
def test_comparing(match: Match, accepted: Any, answer: str, right: bool) -> None:
    assert matches(match, answer, [accepted]) is right


def test_any_of_several_is_accepted() -> None:
    assert matches("normalised", "two", [2, "two"]) and not matches("normalised", "three", [2, "two"])


@given(st.integers(-(10**9), 10**9))
def test_a_number_is_found_in_the_words_around_it(number: int) -> None:
    for said in (f"{number}", f"it is {number:,}.", f"({number})", f"${number}", f"1 and 2 make {number}"):
        assert number_in(said) == number


HOSTILE = [
    "1" * 16_000,
    "1," * 8_000,
    "1/" * 8_000,
    "1e" * 8_000,
    " " * 16_000 + "x",
    "answer is " * 1_600,
    "option ( " * 1_700,
    "((((" * 4_000,
    "[" * 16_000,
    "```" * 5_000,
    "\ufdfa" * 16_000,
    '"\\' * 8_000,
    "{" * 16_000,
    "." * 16_000,
    "-" * 16_000,
]


@pytest.mark.parametrize("match", ["exact", "normalised", "contains", "number", "json", "choice"])
def test_nothing_that_a_model_says_takes_long_or_raises(match: Match) -> None:
    begun = time.process_time()
    for answer in HOSTILE:
        matches(match, answer, ["1", "B"] if match != "number" else [1])
    assert time.process_time() - begun < 5


@given(st.text(), st.sampled_from(["exact", "normalised", "contains", "number", "json", "choice"]))
def test_any_text_can_be_compared(answer: str, match: Match) -> None:
    assert matches(match, answer, ["A1"]) in (True, False)
    assert chosen(answer) is None or len(chosen(answer) or "") == 1


def test_a_pattern_that_takes_for_ever_is_a_failure_and_no_reward(tmp_path: Path) -> None:
    file = lines(
        tmp_path / "a.jsonl", {"id": "x", "prompt": "a", "answer": "(a|aa)+(a|aa)+b", "match": "regex"}
    )
    env = asked(file)
    begun = time.monotonic()
    score = played(env, "x", "a" * 5_000)
    assert score.reward is None and score.components["correct"] is None
    assert "takes more than 0.5 s" in env.trajectory.failures[0].message
    assert time.monotonic() - begun < 10
