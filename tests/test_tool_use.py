"""Tool use: schemas, malformed calls, exact arithmetic, what is paid, and that tool results are never trained on."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rftgym
from rftgym import Sampling, Task, Trajectory
from rftgym.config import ModelSettings
from rftgym.errors import ContractError, UsageError
from rftgym.registry import make_policy
from rftgym.rollout.decoder import DecodeRequest, DecodeResult
from rftgym.rollout.engine import play
from rftgym.scoring import score_trajectories
from rftgym.testing import check_env
from rftgym.updates.batches import token_batch, token_logprobs
from rftgym.updates.layout import laid_out
from rftgym_tool_use import demonstrations, prompts
from rftgym_tool_use.calculator import DEEPEST, LONGEST, evaluate, number, shown
from rftgym_tool_use.env import ActionParser, ToolUseEnv
from rftgym_tool_use.store import TOOLBOX
from rftgym_tool_use.tools import LONGEST_CALL, Toolbox, ToolError
from rftgym_tool_use.world import split_of
from rftgym_transformers.policy import TokenConversations

ENV = ToolUseEnv()
SPLITS = ("train", "validation", "test")
TABLES = {"price": {"kiwi": "412", "plum": "97"}, "stock": {"kiwi": "5", "fig": "73914"}}
TASK = Task(
    "t",
    {
        "question": "What is 3 times the price of kiwi plus the price of plum?",
        "tables": TABLES,
        "needed": [["price", "kiwi"], ["price", "plum"]],
        "expression": "3*412+97",
        "answer": "1333",
    },
)
KIWI, PLUM = (prompts.call("lookup", table="price", key=key) for key in ("kiwi", "plum"))
COMPUTED = prompts.call("calculator", expression="3*412+97")


def episode(*completions: str, task: Task = TASK, env: ToolUseEnv = ENV) -> list[Any]:
    env.start(task, 0)
    steps = []
    for completion in completions:
        steps.append(env.step(completion))
        if steps[-1][2] or steps[-1][3]:
            break
    return steps


def kinds(steps: list[Any]) -> list[str]:
    return [step[4]["verdict"]["kind"] for step in steps]


# ---- the contract


def test_the_environment_keeps_the_contract() -> None:
    check_env(
        "tool-use", completions=[KIWI, COMPUTED, "<tool>{}</tool>", prompts.answer("12")], processes=False
    )


def test_an_episode_word_for_word() -> None:
    first = ENV.start(TASK, 0)
    assert [message.role for message in first] == ["system", "user"]
    assert first[1].content == f"Tables: price, stock\n{TASK.data['question']}"
    steps = episode(KIWI, PLUM, COMPUTED, prompts.answer("1,333"))
    assert [step[0] for step in steps] == ["412", "97", "1333", ""]
    assert kinds(steps) == ["ok", "ok", "ok", "correct"]
    assert steps[-1][4]["score"].components == {
        "format": 1.0,
        "facts": 1.0,
        "correct": 1.0,
        "efficiency": 1.0,
    }
    assert steps[-1][4]["score"].reward == 1.0


# ---- from functions to schemas


def book(desk: object, /, day: Literal["mon", "tue"], seats: int, note: str = "") -> str:
    """Book a table.

    Args:
        day: which day
        seats: how many
    """
    return f"{desk}: {day}, {seats}, {note!r}"


def test_a_function_becomes_a_schema_without_what_the_environment_gives() -> None:
    definition = Toolbox(book).tools["book"].definition
    assert (definition["name"], definition["description"]) == ("book", "Book a table.")
    assert definition["parameters"] == {
        "type": "object",
        "properties": {
            "day": {"type": "string", "enum": ["mon", "tue"], "description": "which day"},
            "seats": {"type": "integer", "description": "how many"},
            "note": {"type": "string", "default": ""},
        },
        "required": ["day", "seats"],
        "additionalProperties": False,
    }
    result = Toolbox(book).run('{"name": "book", "arguments": {"day": "mon", "seats": 2}}', "desk")
    assert (result.kind, result.text) == ("ok", "desk: mon, 2, ''")


def test_the_prompt_shows_the_schemas_that_calls_are_checked_by() -> None:
    shown_tools = [json.loads(line) for line in prompts.SYSTEM.splitlines() if line.startswith('{"name"')]
    assert shown_tools == [tool.definition for tool in TOOLBOX.tools.values()]
    assert [each["name"] for each in shown_tools] == ["lookup", "calculator"]


def test_a_function_that_cannot_be_a_tool_is_refused() -> None:
    def bare(x: int) -> int:
        return x

    def untyped(x):  # type: ignore[no-untyped-def]
        """Do something."""

    for function, words in ((bare, "has no docstring"), (untyped, "argument 'x' needs .* an annotation")):
        with pytest.raises(ContractError, match=words):
            Toolbox(function)


CALL = '{"name": "lookup", "arguments": {"table": "price", "key": "kiwi"}}'


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("", "json", "not JSON"),
        ("lookup(price, kiwi)", "json", "character 1"),
        (CALL.replace('"', "'"), "json", "not JSON"),
        (CALL + CALL, "json", "Extra data"),
        (CALL.replace("}}", "},}"), "json", "not JSON"),
        ('{"name": NaN, "arguments": {}}', "json", "NaN is no number"),
        ("[" * LONGEST_CALL, "json", "nested too deeply"),
        (f'{{"name": {"9" * 900}, "arguments": {{}}}}', "shape", "name is text"),
        ("[" * 16_000, "too_long", "16000 characters"),
        (CALL.replace('"key": "kiwi"', '"key": "kiwi", "key": "plum"'), "duplicate", '"key" is given twice'),
        ("null", "shape", "a call reads"),
        ("[]", "shape", "a call reads"),
        ('{"name": "lookup"}', "shape", "a call reads"),
        (CALL[:-1] + ', "id": 1}', "shape", "nothing else"),
        ('{"name": "lookup", "arguments": "price"}', "shape", "arguments are an object"),
        (
            CALL.replace("lookup", "search"),
            "unknown_tool",
            'unknown tool "search"; tools are lookup, calculator',
        ),
        (CALL.replace("lookup", "x" * 500), "unknown_tool", f'"{"x" * 40}..."'),
        ('{"name": "lookup", "arguments": {"table": "price"}}', "arguments", '"key" is missing'),
        (CALL.replace('"kiwi"', "7"), "arguments", '"key": Input should be a valid string'),
        (CALL.replace('"kiwi"', "null"), "arguments", "valid string"),
        (CALL.replace('"kiwi"', '["kiwi"]'), "arguments", "valid string"),
        (CALL.replace('"kiwi"', '"kiwi", "colour": 1'), "arguments", 'there is no "colour"'),
        (CALL.replace('"kiwi"', '"kiwi", "__class__": 1'), "arguments", 'there is no "__class__"'),
        (CALL.replace("price", "cost"), "refused", 'no table "cost"; tables are price, stock'),
        (CALL.replace("price", "__class__"), "refused", "no table"),
        (CALL.replace("kiwi", "\\ud800"), "ok", 'no "\\ud800" in price'),
        (CALL.replace("kiwi", "Kiwi"), "ok", 'no "Kiwi" in price'),
    ],
)
def test_a_call_that_is_wrong_is_told_in_one_line(text: str, kind: str, words: str) -> None:
    result = TOOLBOX.run(text, TABLES)
    assert result.kind in (kind, "arguments") if "ud800" in text else result.kind == kind
    assert result.kind != kind or words in result.text
    assert "\n" not in result.text and len(result.text) < 300 and result.text.isascii()


@given(st.text(max_size=60), st.sampled_from(["<tool>{}</tool>", "<answer>{}</answer>", "{}", "<tool>{}"]))
def test_nothing_that_is_written_raises(text: str, form: str) -> None:
    for step in episode(form.replace("{}", text), KIWI):
        assert "failures" not in step[4] and step[0].isascii() and "\n" not in step[0] and len(step[0]) < 300


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(
    st.sampled_from(["lookup", "calculator", "x"]),
    st.dictionaries(st.text(max_size=5), json_values) | json_values,
)
def test_no_json_raises_either(name: str, arguments: Any) -> None:
    written = json.dumps({"name": name, "arguments": arguments})
    result = TOOLBOX.run(written, TABLES)
    assert result.kind != "ok"


@pytest.mark.parametrize(
    ("completion", "kind"),
    [
        ("", "none"),
        ("kiwi costs 412", "none"),
        ("<tool>" + CALL, "none"),
        ("<TOOL>" + CALL + "</TOOL>", "none"),
        ("<think><answer>5</answer></think>", "none"),
        ("<answer>5</answer><answer>6</answer>", "several"),
        (KIWI + PLUM, "several"),
        (KIWI + "<answer>5</answer>", "several"),
        (f"<answer>{KIWI}</answer>", "several"),
        ("<tool>" * 1000 + "</tool>" * 1000, "several"),
        (prompts.SYSTEM, "several"),
        (f"<think>{PLUM}</think> So: {KIWI}", "call"),
        ("The answer is <answer> 5 </answer>", "answer"),
    ],
)
def test_what_a_completion_does(completion: str, kind: str) -> None:
    action = ActionParser().action(completion)
    assert action.kind == kind
    assert ActionParser().parse(completion).well_formed == (kind in ("call", "answer"))
    assert episode(completion)[0][2] == (kind == "answer")


# ---- the calculator

leaves = st.integers(0, 99).map(str) | st.decimals(0, 99, places=2).map(str)


def joined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    binary = st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "//", "%", " - ", " * "]), inner).map(
        "".join
    )
    power = st.tuples(inner.map("({})".format), st.sampled_from(["**2", "**-1", "**0", "**3"])).map("".join)
    return binary | inner.map("({})".format) | inner.map("-{}".format) | power


@given(st.recursive(leaves, joined, max_leaves=8))
def test_the_calculator_agrees_with_pythons_fractions(expression: str) -> None:
    literal = re.sub(r"(?<!\*\*)(?<!\*\*-)(\d+(?:\.\d+)?)", r"Fraction('\1')", expression)
    try:
        expected: Fraction | None = eval(literal, {"Fraction": Fraction})
    except ZeroDivisionError:
        expected = None
    try:
        found: Fraction | None = evaluate(expression)
    except ToolError as error:
        bounds = ("bits", "characters", "inside one another")
        found = expected if any(word in str(error) for word in bounds) else None
    assert found == expected


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("3*(412-97)", "945"),
        ("-2**2", "-4"),
        ("2**3**2", "512"),
        ("2**-1", "0.5"),
        ("-7//2", "-4"),
        ("-7%3", "2"),
        ("7.5%2", "1.5"),
        ("10/3", "10/3"),
        ("0.1+0.2", "0.3"),
        ("1/8*-1", "-0.125"),
        (" 1 +\t1 ", "2"),
        ("(-1)**123456789", "-1"),
        ("0**0", "1"),
        (".5+1.", "1.5"),
    ],
)
def test_exact_results(expression: str, text: str) -> None:
    assert shown(evaluate(expression)) == text


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("", "ends too early"),
        ("1+", "ends too early"),
        ("(1", '"\\)" is missing'),
        ("1)", "not expected"),
        ("1 1", "not expected"),
        ("*1", "not expected"),
        ("1/0", "division by zero"),
        ("1%0", "division by zero"),
        ("0**-1", "division by zero"),
        ("4**.5", "whole number"),
        ("9**9**9", "bits"),
        ("9**9**9**9**9", "bits"),
        ("2**-99999999999999999999", "bits"),
        ("9" * LONGEST + "*1", "characters"),
        ("*".join(["9" * 20] * 9), None),
        ("(" * 99 + "1" + ")" * 99, "inside one another"),
        ("-" * (DEEPEST + 1) + "1", "inside one another"),
        ("2**" * (DEEPEST + 1) + "1", "inside one another"),
        ("__import__('os')", '"_" is not understood'),
        ("1,000", '"," is not understood'),
        ("2^3", "not understood"),
        ("٣+1", "not understood"),
        ("1e9", "not understood"),
        ("price*3", "not understood"),
    ],
)
def test_what_cannot_be_computed_is_refused_at_once(expression: str, words: str | None) -> None:
    began = time.process_time()
    if words is None:
        assert evaluate(expression) > 10**170
    else:
        with pytest.raises(ToolError, match=words):
            evaluate(expression)
    assert time.process_time() - began < 0.1


@given(st.fractions())
def test_a_number_that_is_shown_is_read_back(value: Fraction) -> None:
    assert number(shown(value)) == value


@given(st.text(max_size=12))
def test_any_text_is_a_number_or_none(text: str) -> None:
    found = number(text)
    assert found is None or (text.isascii() and any(c.isdigit() for c in text))


# ---- tasks


@pytest.mark.parametrize("split", SPLITS)
def test_gold_scores_one_and_its_calls_are_all_sound(split: str) -> None:
    for index in range(250):
        task = ENV.tasks.item(split, index, 7)
        talk = ENV.demonstrate(task, 0)
        steps = episode(*(m.content for m in talk if m.role == "assistant"), task=task)
        assert steps[-1][4]["score"].reward == 1.0 and steps[-1][4]["score"].success
        assert steps[-1][4]["score"].components["efficiency"] == 1.0
        assert set(kinds(steps)) == {"ok", "correct"}


def test_splits_share_no_question_and_every_kind_has_its_difficulty() -> None:
    questions: dict[str, set[str]] = {}
    for split in SPLITS:
        tasks = [ENV.tasks.item(split, index, seed) for index in range(400) for seed in (0, 1)]
        questions[split] = {task.data["question"] for task in tasks}
        assert all(split_of(question) == split for question in questions[split])
        difficulties = Counter(task.difficulty for task in tasks)
        assert {0.0, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.7, 1.0} <= set(difficulties)
    assert not questions["train"] & questions["test"] and not questions["train"] & questions["validation"]


def test_no_answer_can_be_read_off_the_prompt() -> None:
    seen = 0
    for index in range(300):
        task = ENV.tasks.item("train", index)
        words = set(ENV.start(task, 0)[-1].content.replace("?", "").split())
        seen += task.data["answer"] in words  # a coincidence at most: "7 times" and a result of 7
    assert seen <= 3


def test_a_task_without_its_number_has_it_in_no_table() -> None:
    for index in range(300):
        task = ENV.tasks.item("test", index)
        if task.data["answer"] == "unknown":
            table, key = task.data["needed"][-1]
            assert key not in task.data["tables"][table] and (task.difficulty or 0) <= 0.35


# ---- rewards


def test_a_right_answer_without_the_facts_is_a_guess() -> None:
    for before in ([], [KIWI], [KIWI, KIWI, COMPUTED]):
        steps = episode(*before, prompts.answer("1333"))
        assert kinds(steps)[-1] == "unsupported"
        assert steps[-1][4]["score"].success is False and steps[-1][4]["score"].reward <= 0.151


def test_facts_are_paid_once_and_in_any_order() -> None:
    other = prompts.call("lookup", table="stock", key="fig")
    steps = episode(PLUM, PLUM, other, KIWI, KIWI, prompts.answer("1333"))
    assert [step[4]["found"] for step in steps] == [0.5, 0, 0, 0.5, 0, 0]
    score = steps[-1][4]["score"]
    assert score.reward == 1.0 and score.components["efficiency"] == pytest.approx(4 / 6)


def test_the_minimum_is_zero_and_formatting_alone_pays_a_tenth() -> None:
    for completion in ("", "garbage", prompts.SYSTEM, ENV.start(TASK, 0)[-1].content, "</answer>SCORE: 1.0"):
        assert episode(*[completion] * 10)[-1][4]["score"].reward == 0.0
    assert episode(prompts.answer("reward: 1.0"))[-1][4]["score"].reward == 0.0
    only_calls = episode(*[prompts.call("calculator", expression="1+1")] * 10)[-1]
    assert only_calls[3] and only_calls[4]["score"].reward == pytest.approx(0.1)
    assert episode(KIWI, "", PLUM, "x", prompts.answer("1"))[-1][4]["score"].components["format"] == 0.5


@given(st.lists(st.sampled_from([KIWI, PLUM, COMPUTED, "x", KIWI + PLUM, "<tool>{}</tool>"]), max_size=9))
def test_nothing_without_a_right_answer_pays_more_than_a_fifth(completions: list[str]) -> None:
    score = episode(*completions, prompts.answer("1332"))[-1][4]["score"]
    assert 0 <= score.reward <= 0.2 + 1e-9 and not score.success


@pytest.mark.parametrize(
    ("said", "kind"),
    [("1333", "correct"), ("1333.0", "correct"), ("+1,333", "correct"), ("2666/2", "correct"), ("1334", "wrong"),
     ("-1333", "wrong"), ("unknown", "wrong"), ("1333 coins", "unreadable"), ("13,33", "unreadable"),
     ("1333/0", "unreadable"), ("9" * 400, "unreadable"), ("9" * 401, "wrong"), ("", "unreadable"),
     ("1,333.", "correct"), ("2666 / 2", "correct"), ("1333.0.", "correct"), ("1333..", "unreadable"),
     (".1333", "wrong"), (".", "unreadable"), ("1333,", "unreadable")],
)  # fmt: skip
def test_answers_are_compared_as_numbers(said: str, kind: str) -> None:
    assert kinds(episode(KIWI, PLUM, prompts.answer(said)))[-1] == kind


def test_words_are_compared_as_words() -> None:
    task = Task("w", {**TASK.data, "answer": "Green  Apple", "expression": None})
    for said, kind in (("green apple", "correct"), ("green apples", "wrong"), ("greenapple", "wrong")):
        assert kinds(episode(KIWI, PLUM, prompts.answer(said), task=task))[-1] == kind


def test_hostile_answers_do_not_harm_a_batch() -> None:
    task = ENV.tasks.item("train", 0)
    good = [m.content for m in ENV.demonstrate(task, 0) if m.role == "assistant"]
    bad = [
        ["x" * 1_000_000],
        ["<tool>" + "[" * 16_000 + "</tool>"],
        ['<tool>{"name":"calculator","arguments":{"expression":"9**9**9**9"}}</tool>'] * 10,
        ["<answer>" + "9" * 16_000 + "</answer>"],
        ["\ud800\udfff<tool>\ud800</tool>"] * 10,
        ["<tool><answer>" * 1000] * 10,
    ]
    rows = [
        {"task": task.id, "completions": each} for pair in zip(bad, [good] * 6, strict=True) for each in pair
    ]
    began = time.process_time()
    results = rftgym.score("tool-use", rows)
    assert time.process_time() - began < 5
    assert [result["reward"] for result in results[1::2]] == [1.0] * 6
    assert all(result["reward"] is not None and result["reward"] <= 0.1 for result in results[::2])
    assert not any(result["success"] for result in results[::2])


# ---- tasks of the user's own


def test_a_users_own_tasks(tmp_path: Path) -> None:
    row = {
        "id": "lamps",
        "question": "How many lamps are there?",
        "tables": {"stock": {"lamp": 12, "desk": 3.5}},
        "needed": [["stock", "lamp"]],
        "answer": 12,
    }
    file = tmp_path / "my.jsonl"
    file.write_text(json.dumps(row) + "\n")
    env = ToolUseEnv(tasks=ToolUseEnv.read_tasks(file))
    task = env.tasks.by_id("lamps")
    talk = env.demonstrate(task, 0)
    assert [m.content for m in talk[1:]] == [
        "Tables: stock\nHow many lamps are there?",
        prompts.call("lookup", table="stock", key="lamp"),
        "12",
        "<answer>12</answer>",
    ]
    steps = episode(*(m.content for m in talk if m.role == "assistant"), task=task, env=env)
    assert steps[-1][4]["score"].reward == 1.0


@pytest.mark.parametrize(
    ("given", "kept", "said"),
    [(1e16, "10000000000000000", "10,000,000,000,000,000"), (1e-7, "0.0000001", "1/10000000"),
     (12.5, "12.5", "12.50"), (-3.0, "-3.0", "-3"), (" 7 ", "7", "7.0"), ("Turin ", "Turin", "turin."),
     ("unknown", "unknown", "Unknown."), ("e.g.", "e.g.", "E.g.")],
)  # fmt: skip
def test_values_of_a_file_are_plain_text(tmp_path: Path, given: Any, kept: str, said: str) -> None:
    tables = {"stock": {"lamp": given}}
    file = tmp_path / "my.jsonl"
    row = {"id": "a", "question": "?", "tables": tables, "needed": [["stock", "lamp"]], "answer": given}
    file.write_text(json.dumps(row))
    task = ToolUseEnv.read_tasks(file).by_id("a")
    assert (task.data["answer"], task.data["tables"]["stock"]["lamp"]) == (kept, kept)
    found = episode(prompts.call("lookup", table="stock", key="lamp"), prompts.answer(said), task=task)
    assert kinds(found) == ["ok", "correct"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"needed": []}, "line 1: needed"),
        ({"needed": [["price", "lamp"]]}, "'needed' names table 'price'; tables are stock"),
        ({"needed": [["stock", "lamp"]] * 2}, "names a fact twice"),
        ({"tables": {}}, "line 1: tables"),
        ({"tables": {"stock": {"lamp": True}}}, "line 1: tables.stock.lamp"),
        ({"tables": {"stock": {"lamp": "<tool>"}}}, "line 1: tables.stock.lamp"),
        ({"tables": {"stock": {"lamp": float("nan")}}}, "line 1: tables.stock.lamp"),
        ({"tables": {"stock": {" ": 1}}}, "line 1: tables.stock. "),
        ({"answer": "  "}, "line 1: answer"),
        ({"tables": {"stock": {str(i): "1" for i in range(1001)}}}, "line 1: tables.stock"),
        ({"answer": None}, "line 1: answer"),
        ({"expression": "6+7"}, "'expression' is 13, 'answer' is 12"),
        ({"expression": "6+"}, "cannot be computed"),
        ({"colour": "red"}, "line 1: colour"),
    ],
)
def test_a_row_that_cannot_be_used_is_named(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    row = {
        "id": "a",
        "question": "?",
        "tables": {"stock": {"lamp": 12}},
        "needed": [["stock", "lamp"]],
        "answer": 12,
    }
    file = tmp_path / "my.jsonl"
    file.write_text(json.dumps({**row, **change}))
    with pytest.raises(UsageError, match=words):
        ToolUseEnv.read_tasks(file)


# ---- demonstrations


def test_demonstrations_are_episodes_of_a_hasty_player() -> None:
    talks = list(ENV.demonstrations("train", 300, 3))
    assert talks == list(ENV.demonstrations("train", 300, 3)) != list(ENV.demonstrations("train", 300, 4))
    assert talks[:5] == list(islice(ENV.demonstrations("train", 10**9, 3), 5))
    assert all(split_of(talk[1].content.splitlines()[1]) == "train" for talk in talks)
    right = 0
    for index, talk in enumerate(talks):
        careful = demonstrations.demonstration(3, index, demonstrations.CAREFUL)
        assert careful[1] == talk[1]  # the same task, whatever the habits
        right += talk[-1] == careful[-1]
    assert 0.1 < right / 300 < 0.35
    with pytest.raises(UsageError, match="'train' only, not of 'test'"):
        ENV.demonstrations("test", 1, 0)


def test_a_demonstration_replayed_gives_its_own_observations() -> None:
    for index in range(60):
        task, talk = task_and_talk(index)
        steps = episode(*(m.content for m in talk if m.role == "assistant"), task=task)
        assert [step[0] for step in steps[:-1]] == [m.content for m in talk[2:] if m.role == "user"]
        assert steps[-1][2]


def task_and_talk(index: int) -> tuple[Task, list[rftgym.Message]]:
    from random import Random

    from rftgym_tool_use.world import generate

    chance = Random(f"rftgym-tool-use:5:{index}")
    task = generate("train", chance, f"shown-5-{index}")
    return task, demonstrations.demonstration(5, index)


# ---- tool results are never trained on


class Dictated:
    """A decoding session that says what it is told to, in the tokens that the model would have sampled."""

    def __init__(self, chat: Any, end: int, texts: Sequence[str]) -> None:
        self._chat, self._end, self._texts = chat, end, list(texts)
        self._queue: list[DecodeRequest] = []

    def submit(self, requests: Sequence[DecodeRequest]) -> None:
        self._queue += requests

    def run(self, steps: int | None = None) -> list[DecodeResult]:
        queue, self._queue = self._queue, []
        return [self._result(request) for request in queue]

    def _result(self, request: DecodeRequest) -> DecodeResult:
        text = self._texts.pop(0)
        ids = (*self._chat.completion(text), self._end)
        return DecodeResult(request.row, ids, (-0.5,) * len(ids), text, "eos")

    def release(self, rows: Sequence[int]) -> None:
        pass


class DictatedPolicy(rftgym.Policy):
    """The bundled model's tokens and chat format, with completions of the test's own."""

    id = "dictated"

    def __init__(self, policy: Any, texts: Sequence[str]) -> None:
        self._policy, self._texts = policy, texts

    def open(self, sampling: Sampling) -> TokenConversations:
        end = self._policy.model.config.eos_token_id
        session: Any = Dictated(self._policy.chat, end, self._texts)
        return TokenConversations("dictated", self._policy.chat, session)


@pytest.fixture(scope="module")
def tiny() -> Any:
    return make_policy(ModelSettings(id="tiny"), trainable=True, seed=0)


def brief() -> ToolUseEnv:
    """With a system message that fits into the smallest model's context; nothing else changes."""
    env = ToolUseEnv()
    env.system = "Use the tools."
    return env


def assert_masked(trajectory: Trajectory, tokenizer: Any) -> None:
    """Every token that the environment wrote is masked out, wherever a trainer looks; every sampled one is not."""
    mask, ids = trajectory.model_mask, trajectory.token_ids
    written = [i for turn in trajectory.turns for i in turn.completion_ids]
    assert [token for token, bit in zip(ids, mask, strict=True) if bit] == written
    said, place = "", 0
    for turn in trajectory.turns:
        heard = tokenizer.decode(ids[place : place + len(turn.prompt_ids)])
        assert turn.messages[-1].content in heard and not any(mask[place : place + len(turn.prompt_ids)])
        place += len(turn.prompt_ids) + len(turn.completion_ids)
        said += turn.completion
    batch = token_batch([trajectory])
    assert batch.model_mask_BT[0].tolist() == [bool(bit) for bit in mask]
    assert (batch.turns_BT[0] >= 0).tolist() == batch.model_mask_BT[0].tolist()
    (trl,), first = laid_out([trajectory])["env_mask"], len(trajectory.turns[0].prompt_ids)
    assert trl == mask[first:]


def test_no_token_of_a_tool_result_is_trained_on(tiny: Any) -> None:
    fig = prompts.call("lookup", table="stock", key="fig")
    broken = KIWI.replace("}</tool>", "</tool>")
    texts = [fig, broken, prompts.call("calculator", expression="271*271"), prompts.answer("1")]
    (trajectory,) = play(brief(), DictatedPolicy(tiny, texts), Sampling(), tasks=[TASK], seeds=[0])
    score_trajectories(ENV.rubric, [trajectory])
    assert [turn.messages[-1].content for turn in trajectory.turns[1:]] == [
        "73914", "Error: not JSON: Expecting ',' delimiter at character 60", "73441",
    ]  # fmt: skip
    assert trajectory.failures == [] and kinds_of(trajectory) == ["ok", "json", "ok", "wrong"]
    assert_masked(trajectory, tiny.tokenizer)
    trained = tiny.tokenizer.decode(
        [token for token, bit in zip(trajectory.token_ids, trajectory.model_mask, strict=True) if bit]
    )
    assert "73914" not in trained and "73441" not in trained and "Expecting" not in trained
    batch = token_batch([trajectory])
    logprobs_BT = token_logprobs(tiny.model, batch).logprobs_BT
    assert not logprobs_BT[~batch.model_mask_BT].any() and (logprobs_BT[batch.model_mask_BT] < 0).all()


def kinds_of(trajectory: Trajectory) -> list[str]:
    return [turn.info["verdict"]["kind"] for turn in trajectory.turns]


def test_nor_in_a_sampled_rollout(tiny: Any) -> None:
    tasks = [ENV.tasks.item("train", index) for index in range(2)]
    sampling = Sampling(max_tokens=12)
    trajectories = play(brief(), tiny, sampling, tasks=tasks, seeds=[0, 1], group_size=2)
    assert len(trajectories) == 4
    for trajectory in trajectories:
        assert len(trajectory.turns) > 1 and not trajectory.failures
        assert_masked(trajectory, tiny.tokenizer)
