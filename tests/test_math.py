"""The environment `math`: problems and their splits, players, rewards, files; test_math_judge.py has the part."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from itertools import islice
from pathlib import Path
from random import Random
from statistics import mean
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rftgym
from rftgym import Message
from rftgym.config import EnvSettings, RewardSettings
from rftgym.errors import UsageError
from rftgym.registry import make_configured
from rftgym.tasks import SPLITS
from rftgym.testing import check_env
from rftgym_math.demonstrations import CAREFUL, DEFAULT, Habits, demonstrations, miscopied, played
from rftgym_math.generator import KINDS, LEVELS, Grades, data_of
from rftgym_math.problems import Hand, split_of
from rftgym_math.rows import last_box
from rftgym_math.working import findings

WRONG = Path(__file__).with_name("wrong_answers") / "math.jsonl"


def made(**kwargs: Any) -> rftgym.TextEnv[Any]:
    return rftgym.make("math", **kwargs)


def scores(rows: list[dict[str, str]], env: Any = "math", **more: Any) -> list[dict[str, Any]]:
    return rftgym.score(env, rows, **more)


def said(conversation: list[Message] | None) -> str:
    assert conversation is not None
    return conversation[-1].content


# ---- the contract, problems, splits


def test_it_keeps_the_contract() -> None:
    check_env("math", completions=["<work>1+1=2</work><answer>2</answer>", "<answer>-3/4</answer>", "42"])


@pytest.mark.parametrize("split", SPLITS)
def test_every_solution_earns_exactly_one(split: str) -> None:
    env = made()
    tasks = [env.tasks.item(split, index, 7) for index in range(150)]
    found = scores([{"task": task.id, "completion": said(env.demonstrate(task, 0))} for task in tasks])
    assert {(row["reward"], row["success"], row["components"]["fabrication"]) for row in found} == {
        (1.0, True, 0.0)
    }


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SPLITS), st.integers(0, 2**40), st.sampled_from(range(len(LEVELS))))
def test_a_problem_belongs_to_one_split_whoever_draws_it(split: str, seed: int, level: int) -> None:
    problem = LEVELS[level].make(Random(seed))
    drawn, difficulty = Grades([problem.kind]).draw(split, Random(seed))
    assert split_of(drawn.key) == split
    assert 0 <= difficulty <= 1


def test_splits_share_no_question_and_no_key() -> None:
    grades, seen = Grades(), defaultdict[str, set[str]](set)
    for split in SPLITS:
        for index in range(1500):
            problem, _ = grades.draw(split, Random(f"{split} {index}"))
            seen[split] |= {problem.key, problem.question}
    assert not seen["train"] & (seen["validation"] | seen["test"])
    assert not seen["validation"] & seen["test"]


def test_what_may_change_places_does_not_make_another_problem() -> None:
    from rftgym_math.arithmetic import infix

    assert infix([3, "+", 47]).key == infix([47, "+", 3]).key
    assert infix(["(", 11, "+", 8, ")", "*", 3]).key == infix([3, "*", "(", 8, "+", 11, ")"]).key
    assert infix([2, "*", 3, "+", 4]).key == infix([4, "+", 3, "*", 2]).key
    assert infix([9, "-", 4]).key != infix([4, "-", 9]).key
    assert infix([8, "/", 4, "*", 2]).key != infix([8, "/", "(", 4, "*", 2, ")"]).key


def test_names_and_things_do_not_make_another_problem() -> None:
    from rftgym_math.words import gets_more

    by_key = defaultdict(set)
    for seed in range(4000):
        problem = gets_more(Random(seed)).problem()
        by_key[problem.key].add(problem.question)
    assert max(map(len, by_key.values())) > 1


def test_difficulties_are_spread_evenly_and_mean_more_work() -> None:
    tasks = list(islice(made().tasks.order("train", 3), 4200))
    counts = Counter(task.difficulty for task in tasks)
    assert set(counts) == {step / 20 for step in range(21)}
    assert max(counts.values()) < 1.5 * min(counts.values())
    length = {
        part: mean(len(t.data["working"]) for t in tasks if low <= (t.difficulty or 0) < low + 0.25)
        for part, low in enumerate((0.0, 0.25, 0.5, 0.75))
    }
    assert length[0] < length[1] < length[2] < length[3]
    assert {task.data["kind"] for task in tasks} == set(KINDS)


def test_prompts_and_solutions_are_short() -> None:
    env = made()
    tasks = list(islice(env.tasks.order("train", 4), 1500))
    assert max(len(env.demonstrate(task, 0)[-1].content) for task in tasks) < 220  # type: ignore[index]
    assert max(len(task.data["question"]) for task in tasks) < 200


def test_kinds_and_difficulties_can_be_chosen() -> None:
    env = made(kinds=["equations", "systems"], difficulty=[0.5, 0.7])
    tasks = list(islice(env.tasks.order("test", 0), 60))
    assert {task.data["kind"] for task in tasks} == {"equations", "systems"}
    assert all(0.5 <= (task.difficulty or 0) <= 0.7 for task in tasks)
    assert all("x" in talk[1].content for talk in env.demonstrations("train", 20, 0))


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [
        ({"kinds": ["geometry"]}, "arithmetic"),
        ({"kinds": "words"}, "a list of some of"),
        ({"kinds": []}, "a list of some of"),
        ({"difficulty": [0.7, 0.2]}, "two numbers from 0 to 1"),
        ({"difficulty": 0.5}, "two numbers from 0 to 1"),
        ({"kinds": ["systems"], "difficulty": [0, 0.2]}, "0.45"),
    ],
)
def test_a_choice_that_leaves_nothing_says_what_there_is(kwargs: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        made(**kwargs)


# ---- working by hand


@given(st.integers(0, 99_999), st.integers(0, 99_999))
def test_a_careful_hand_calculates_right_and_writes_nothing_false(a: int, b: int) -> None:
    for operator, wanted in (("+", a + b), ("-", a - b), ("*", a * b)):
        hand = Hand(CAREFUL, Random(0))
        assert hand.operate(a, operator, b) == wanted
        found = findings(f"<work>{hand.working}</work><answer>", str(wanted))
        assert found.checked == len(hand.steps) and not found.false and not found.contradicted


@given(st.integers(1, 99_999), st.integers(1, 99_999), st.randoms(use_true_random=False))
def test_a_hand_that_forgets_carries_still_comes_to_an_end(a: int, b: int, draw: Any) -> None:
    hand = Hand(Habits(carry=1.0), draw)
    result = hand.add(a, b)
    assert hand.working.endswith(f"{a}+{b}={result}")
    assert result <= a + b


def test_slips_are_those_that_people_make() -> None:
    from rftgym_math.arithmetic import infix
    from rftgym_math.equations import both_sides

    assert Hand(Habits(carry=1.0), Random(0)).add(47, 385) == 322
    assert Hand(Habits(carry=1.0), Random(0)).subtract(52, 27) == 35
    assert infix([2, "+", 3, "*", 4]).solve(Hand(Habits(precedence=1.0), Random(0))) == "20"
    right, wrong = (both_sides(Random(1)).solve(Hand(Habits(side=s), Random(0))) for s in (0.0, 1.0))
    assert right != wrong


# ---- the imperfect player


def test_demonstrations_are_of_train_and_depend_on_seed_and_index_only() -> None:
    env = made()
    shown = list(env.demonstrations("train", 30, 5))
    assert shown == list(env.demonstrations("train", 30, 5)) == list(env.demonstrations("train", 60, 5))[:30]
    assert shown != list(env.demonstrations("train", 30, 6))
    assert shown == list(demonstrations(30, seed=5))
    with pytest.raises(UsageError, match="held out"):
        env.demonstrations("test", 1, 0)


def test_no_demonstration_asks_what_is_held_out() -> None:
    env = made()
    held_out = {env.tasks.item(split, i).data["question"] for split in SPLITS[1:] for i in range(600)}
    assert held_out.isdisjoint(talk[1].content for talk in demonstrations(3000, seed=1))


def share_right(habits: Habits, n: int = 500) -> tuple[float, float]:
    """Of a player's answers to new problems of the train split: right ones, and those with an unclosed tag."""
    grades, draw, rows, tasks = Grades(), Random(8), [], []
    for index in range(n):
        problem, _ = grades.draw("train", draw)
        tasks.append(rftgym.Task(str(index), data_of(problem)))
        rows.append({"task": str(index), "completion": played(problem, habits, draw)})
    env = made(tasks=rftgym.tasks.ListTaskset(tasks))
    found = scores(rows, env)
    unclosed = mean("</answer>" not in row["completion"] for row in rows)
    return mean(bool(row["success"]) for row in found), unclosed


def test_the_careful_player_is_always_right_and_the_default_one_is_one_time_in_four() -> None:
    assert share_right(CAREFUL, 200) == (1.0, 0.0)
    right, unclosed = share_right(DEFAULT)
    assert 0.17 < right < 0.33
    assert 0.5 < unclosed < 0.66


@pytest.mark.parametrize("name", Habits.__slots__)
def test_each_slip_happens_and_costs(name: str) -> None:
    right, _ = share_right(Habits(**{name: 1.0}), 250)
    assert right < 1.0 or name == "hasty"


def test_habits_are_shares() -> None:
    with pytest.raises(ValueError, match="unclosed"):
        Habits(unclosed=1.5)


@given(st.integers(-9999, 9999), st.randoms(use_true_random=False))
def test_a_miscopied_number_is_another_one(number: int, draw: Any) -> None:
    assert miscopied(str(number), draw) != str(number)


# ---- rewards


def paid(
    completion: str, question: str = "30 * 5 = ?", answer: str = "150", **judging: Any
) -> dict[str, Any]:
    data = {"kind": "words", "question": question, "answer": answer, "working": "", **judging}
    env = made(tasks=rftgym.tasks.ListTaskset([rftgym.Task("a", data)]))
    return scores([{"task": "a", "completion": completion}], env)[0]


@pytest.mark.parametrize(
    ("completion", "reward"),
    [
        ("<work>30*5=150</work><answer>150</answer>", 1.0),
        ("<think>thirty times five</think><answer>150</answer>", 1.0),
        ("<answer>150</answer>", 0.95),
        ("<work>  </work><answer>150</answer>", 0.95),
        ("<work>30*5=150</work><work>again</work><answer>150</answer>", 0.95),
        ("<answer>150</answer><work>30*5=150</work>", 0.95),
        ("So <answer>1</answer><answer>150</answer>", 0.9),
        ("<work>30*5=160</work><answer>150</answer>", 0.9),
        ("<work>30*5=160</work><answer>160</answer>", 0.0),
        ("<work>30+5=35</work><answer>35</answer>", 0.1),
        ("<answer>35</answer>", 0.05),
        ("<answer>a lot</answer>", 0.0),
        ("<answer>result</answer>", 0.0),
        ("150", 0.0),
        ("", 0.0),
    ],
)
def test_what_is_paid(completion: str, reward: float) -> None:
    assert paid(completion)["reward"] == pytest.approx(reward)


def test_nobody_is_paid_for_repeating_what_was_said() -> None:
    env = made()
    tasks = [env.tasks.item("test", index) for index in range(80)]
    for task in tasks:
        opening = "\n".join(message.content for message in env.start(task, 0))
        for text in (task.data["question"], opening, f"<answer>{task.data['question']}</answer>"):
            left = task.data["question"].partition(" = ")[0]
            rows = [{"task": task.id, "completion": each} for each in (text, f"<answer>{left}</answer>")]
            assert [row["reward"] for row in scores(rows)] == [0.0, 0.0], task


def test_the_wrong_answers_made_by_hand_are_wrong() -> None:
    rows = [json.loads(line) for line in WRONG.read_text(encoding="utf-8").splitlines()]
    assert len(rows) >= 12
    for row in scores(rows):
        assert row["success"] is False and row["reward"] <= 0.1 + 1e-9, row


# ---- files


def lines(file: Path, *rows: Any) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def asked(file: Path) -> rftgym.TextEnv[Any]:
    return make_configured(EnvSettings(id="math", tasks=str(file)), RewardSettings())


GSM8K = {
    "question": "Ann has 1,200 coins and finds 34 more. How many has she?",
    "answer": "She has 1200 + 34 = <<1200+34=1234>>1234 coins.\n#### 1,234",
}
MATH = {
    "problem": "Simplify $\\sqrt{8}/2$.",
    "solution": "We get $\\frac{2\\sqrt2}{2}$, so it is $\\boxed{\\sqrt{2}}$, or \\boxed{\\frac{2}{\\sqrt{2}}}.",
    "level": "Level 3",
    "type": "Algebra",
}


def test_files_as_people_have_them(tmp_path: Path) -> None:
    rows = [
        GSM8K,
        MATH,
        {"prompt": "6 times 7?", "answer": 42, "id": "life", "split": "test"},
        {"question": "Who?", "answer": "\\text{Evelyn}"},
        {"question": "How far, about?", "answer": "3.14", "tolerance": 0.01},
        {"question": "What percentage of the birds stays?", "answer": 75},
        {"question": "How large is the angle?", "answer": 90},
        {"question": "How many miles is it?", "answer": 120},
        {"question": "And how many miles is it back?", "answer": 121, "units": ["km"]},
    ]
    env = asked(lines(tmp_path / "my.jsonl", *rows))
    tasks = {
        t.data["question"]: t
        for split in SPLITS
        for t in env.tasks.sample(split, env.tasks.size(split) or 0, 0)
    }
    by_answer = {t.data["answer"]: t for t in tasks.values()}
    assert len(by_answer) == len(rows)
    assert by_answer["\\frac{2}{\\sqrt{2}}"].difficulty == 0.5
    assert (by_answer["42"].id, by_answer["42"].split) == ("life", "test")
    for answer, right, wrong in (
        ("1,234", ("1234", "$1,234", "1234.0"), ("1,2,34", "1.234", "1200+34")),
        ("\\frac{2}{\\sqrt{2}}", ("\\sqrt{2}", "2^{1/2}"), ("1.41421356", "2")),
        ("42", ("42.", "\\boxed{42}"), ("6*7", "41")),
        ("\\text{Evelyn}", ("evelyn", "Evelyn."), ("Evelny", "Ann")),
        ("3.14", ("3.15", "22/7"), ("3.16",)),
        ("75", ("75", "75%", "75 percent"), ("0.75", "75 degrees", "3/4")),
        ("90", ("90", "90°", "90^\\circ", "90 degrees"), ("90%", "\\pi/2")),
        ("120", ("120", "120 miles"), ("120 km", "120%")),
        ("121", ("121", "121 km"), ("121 miles",)),
    ):
        id = by_answer[answer].id
        found = scores(
            [{"task": id, "completion": f"<answer>{each}</answer>"} for each in (*right, *wrong)], env
        )
        assert [row["success"] for row in found] == [True] * len(right) + [False] * len(wrong), (
            answer,
            found,
        )


def test_every_row_of_a_file_is_demonstrated_for_the_full_reward(tmp_path: Path) -> None:
    odd = {"question": "Nonsense?", "answer": "1 + 1 = 3, so <answer>7</answer>\n#### 7"}
    env = asked(lines(tmp_path / "my.jsonl", GSM8K, MATH, odd))
    tasks = [t for split in SPLITS for t in env.tasks.sample(split, env.tasks.size(split) or 0, 0)]
    found = scores([{"task": t.id, "completion": said(env.demonstrate(t, 0))} for t in tasks], env)
    assert [row["reward"] for row in found] == [1.0] * 3
    assert len(list(env.demonstrations("train", 9, 0))) == env.tasks.size("train")


def test_ids_and_splits_stay_when_rows_are_added(tmp_path: Path) -> None:
    rows = [{"question": f"What is {n} + {n}?", "answer": 2 * n} for n in range(40)]
    few, many = (asked(lines(tmp_path / f"{n}.jsonl", *rows[:n])) for n in (20, 40))
    ids = {t.id: t for split in SPLITS for t in many.tasks.sample(split, many.tasks.size(split) or 0, 0)}
    assert len(ids) == 40
    assert all(few.tasks.size(split) for split in SPLITS[:1])
    for split in SPLITS:
        for task in few.tasks.sample(split, few.tasks.size(split) or 0, 0):
            assert ids[task.id] == task


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"question": "a", "answer": "1"}, {"question": "b"}], "line 2: row: .*neither"),
        ([{"question": "a", "answer": ""}], "line 1: row: .*empty"),
        ([{"answer": "1"}], "line 1: question"),
        ([{"question": "a", "answer": "1", "colour": "red"}], "line 1: colour"),
        ([{"question": "a", "answer": "9^9^9^9"}], "line 1: row: .*too large"),
        ([{"question": "a", "answer": "1/0"}], "line 1: row: .*no value"),
        ([{"question": "a", "answer": "1" * 2000}], "line 1: row: .*2,000 characters"),
        ([{"question": "a" * 20_000, "answer": "1"}], "line 1: question"),
        ([{"question": "a", "answer": "1", "tolerance": "much"}], "line 1: tolerance"),
        ([{"question": "a", "answer": "1", "tolerance": "1e-400000000"}], "line 1: tolerance"),
        ([{"question": "a", "answer": "1", "tolerance": -1}], "line 1: tolerance"),
        ([{"question": "a", "answer": "1", "difficulty": 2}], "line 1: difficulty"),
        ([{"problem": "a", "solution": "no box"}], "line 1: row: .*empty"),
        (
            [
                {"question": "a", "answer": "1", "split": "train"},
                {"question": " a", "answer": "1", "split": "test"},
            ],
            "line 2: split.*line 1",
        ),
        ([{"question": "a", "answer": "1", "id": "x"}, {"question": "b", "answer": "1", "id": "x"}], "'x'"),
        ([], "empty|no task"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, rows: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(UsageError, match=f"my.jsonl.*{words}"):
        asked(lines(tmp_path / "my.jsonl", *rows))


@pytest.mark.parametrize(
    "content", ["not json\n", '{"question": "a"\n', "[1, 2]\n", '{"question": "\\ud800", "answer": 1}\n']
)
def test_a_broken_file_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "my.jsonl"
    file.write_text(content)
    with pytest.raises(UsageError, match=r"my\.jsonl"):
        asked(file)


def test_the_last_box_with_braces_in_it() -> None:
    assert last_box("\\boxed{1} or \\boxed{\\frac{1}{2^{3}}}.") == "\\frac{1}{2^{3}}"
    assert last_box("\\boxed{1") is None
    assert last_box("none") is None
