"""Every format from a real file, every broken file with its line and its reason, and the laws of mixing."""

from __future__ import annotations

import csv
import json
import math
import os
import subprocess
import sys
import tracemalloc
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftgym import Message
from rftgym.data import BadRow, Example, Rows, load, mixed, read, scan
from rftgym.data import parquet as parquet_module
from rftgym.data.containers import csv_rows, jsonl_rows
from rftgym.data.inspection import histogram
from rftgym.data.jsontext import array_rows
from rftgym.data.mixing import normalised
from rftgym.data.parquet import parquet_rows
from rftgym.errors import UsageError

FILES = Path(__file__).with_name("data_files")
BROKEN = FILES / "broken"
LETTERS = {"system": "s", "user": "u", "assistant": "a"}


def texts(example: Example) -> list[tuple[str, str]]:
    return [(LETTERS[message.role], message.content) for message in example.messages]


# ---- formats


FORMATS: dict[str, tuple[str, list[list[tuple[str, str]]], list[dict[str, Any]], list[int]]] = {
    "text.jsonl": (
        "text",
        [
            [("a", "The cat sat on the mat.")],
            [("a", "Zwölf Boxkämpfer jagen Viktor.")],
            [("a", "It rained all day.")],
        ],
        [{}, {"source": "pangram"}, {}],
        [1, 2, 3],
    ),
    "instruction.json": (
        "instruction",
        [
            [("u", "Name the capital.\n\nFrance"), ("a", "Paris")],
            [("u", "Say hello."), ("a", "Hello!")],
            [("s", "You are terse."), ("u", "Answer briefly."), ("a", "Yes.")],
        ],
        [{}, {"difficulty": 0.1}, {"history": []}],
        [2, 7, 13],
    ),
    "prompt_completion.jsonl": (
        "prompt-completion",
        [[("u", "2 + 2 ="), ("a", " 4")], [("u", "3 + 3 ="), ("a", " 6")]],
        [{"answer": 4}, {"answer": 6}],
        [1, 2],
    ),
    "prompt_completion_messages.jsonl": (
        "prompt-completion",
        [[("s", "Be kind."), ("u", "Hi"), ("a", "Hello")], [("u", "Bye"), ("a", "So long")]],
        [{}, {}],
        [1, 2],
    ),
    "prompt_answer.jsonl": (
        "prompt-answer",
        [
            [("u", "What is 6 times 7?"), ("a", "42")],
            [("u", "Capital of Peru?"), ("a", "Lima")],
            [("s", "Be brief."), ("u", "Colour of snow?"), ("a", "white")],
        ],
        [
            {"answer": 42, "match": "number"},
            {"answer": ["Lima", "Lima, Peru"], "split": "test"},
            {"answer": "white"},
        ],
        [1, 2, 3],
    ),
    "question_answer.csv": (
        "prompt-answer",
        [
            [("u", "Which is larger, 9 or 11?"), ("a", "11")],
            [("u", "Say it\nin two lines: yes or no?"), ("a", "yes")],
        ],
        [{"answer": "11", "match": "number"}, {"answer": "yes"}],
        [2, 3],
    ),
    "semicolons.csv": (
        "prompt-completion",
        [[("u", "Eins, zwei?"), ("a", "drei")], [("u", "Vier?"), ("a", "fünf")]],
        [{}, {}],
        [2, 3],
    ),
    "messages_in.csv": ("messages", [[("u", "a"), ("a", "b")]], [{"split": "dev"}], [2]),
    "sharegpt.json": (
        "sharegpt",
        [
            [("s", "Play."), ("u", "Ping"), ("a", "Pong"), ("u", "Ping?"), ("a", "Pong!")],
            [("u", "Tick"), ("a", "Tock")],
        ],
        [{"id": "x1"}, {"id": "x2"}],
        [1, 1],
    ),
    "messages.jsonl": (
        "messages",
        [
            [("s", "Be exact."), ("u", "One two?"), ("a", "Three.")],
            [("u", "A?"), ("a", "B."), ("u", "C?"), ("a", "D.")],
        ],
        [{"success": {"min_words": 1}}, {}],
        [1, 2],
    ),
    "messages.parquet": (
        "messages",
        [[("u", "Sun?"), ("a", "Hot.")], [("u", "Moon?"), ("a", "Cold.")]],
        [{"score": 1.5}, {"score": None}],
        [1, 2],
    ),
    "conversations_by_role.jsonl": ("messages", [[("u", "a"), ("a", "b")]], [{}], [1]),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_of_each_format(name: str) -> None:
    form, conversations, extras, lines = FORMATS[name]
    rows = read(FILES / name)
    assert rows.format == form and rows.bad_count == 0 and rows.notes == []
    assert [texts(example) for example in rows.examples] == conversations
    assert [example.extra for example in rows.examples] == extras
    assert [example.line for example in rows.examples] == lines
    assert {example.plain for example in rows.examples} == {form == "text"}
    assert {example.source for example in rows.examples} == {str(FILES / name)}


def test_a_folder_takes_splits_from_its_files_names_and_leaves_the_rest_alone() -> None:
    rows = read(FILES / "folder")
    assert [Path(file).name for file in rows.files] == ["train.jsonl", "test-00000-of-00001.parquet"]
    assert rows.format == "prompt-completion, instruction"
    assert [example.split for example in rows.examples] == ["train", "train", "test"]


def test_a_conversation_that_ends_with_the_user_takes_the_row_s_answer(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"messages": [{"role": "user", "content": "6 * 7?"}], "answer": [42, "forty-two"]}\n')
    (example,) = read(file).examples
    assert texts(example) == [("u", "6 * 7?"), ("a", "42")] and example.extra == {"answer": [42, "forty-two"]}
    assert example.prompt == (Message("user", "6 * 7?"),) and example.answer == "42"


def test_chat_markup_in_a_text_is_not_parsed_and_is_said() -> None:
    rows = read(FILES / "markup.jsonl")
    assert rows.examples[0].plain and rows.examples[0].messages[0].content.startswith("<|im_start|>user")
    assert len(rows.notes) == 1 and "markup.jsonl: 1 text holds chat markup" in rows.notes[0]


def test_a_field_that_is_null_counts_as_missing_where_another_format_fits(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"messages": null, "prompt": "a", "completion": "b"}\n')
    assert read(file).format == "prompt-completion"


# ---- what is broken


WRONG = {
    "bad_json_on_line_3.jsonl": (3, "not JSON (Unterminated string starting at character 10 of the row)"),
    "missing_role.jsonl": (2, "message 1 of 'messages' has no 'role'"),
    "unknown_role.jsonl": (1, "message 1 of 'conversations' is from 'narrator'; it must be one of system"),
    "tool_role.jsonl": (1, "message 2 of 'messages' is a tool's or calls one, which is not supported"),
    "wrong_type.jsonl": (2, "'text' must be text, not a number"),
    "null_content.jsonl": (1, "message 2 of 'messages': 'content' must be text, not null"),
    "image_part.jsonl": (1, "message 1 of 'messages' has a part of type 'image_url'"),
    "empty.jsonl": (None, "is empty"),
    "blank_lines.jsonl": (None, "holds no rows"),
    "empty_row.jsonl": (2, "the row is empty"),
    "empty_content.jsonl": (3, "the text is empty"),
    "not_utf8.jsonl": (2, "not UTF-8: byte 0xe9 at byte 14 of the row"),
    "not_utf8.json": (4, "not UTF-8: byte 0xe9 at byte 14 of the row"),
    "not_utf8.csv": (3, "not UTF-8: byte 0xe9 at byte 4 of column 'completion'"),
    "utf16.jsonl": (1, "UTF-16 text: save it as UTF-8"),
    "deep.jsonl": (2, "nested deeper than 64 levels"),
    "twice.jsonl": (3, "the key 'text' stands twice in one object"),
    "nan.jsonl": (1, "NaN is not JSON"),
    "huge_number.jsonl": (1, "the number 1e999 is too large"),
    "digits.jsonl": (1, "not usable as JSON (Exceeds the limit"),
    "nul.jsonl": (2, "holds a NUL character"),
    "half_character.jsonl": (2, "the lone surrogate U+D800"),
    "not_an_object.jsonl": (2, "expected a JSON object ({...}), got a list"),
    "no_format.jsonl": (1, "no known format: it has 'title', 'body', and a row needs one of: messages;"),
    "no_output.jsonl": (2, "no 'output' beside 'instruction'"),
    "mixed_formats.jsonl": (
        3,
        "the row is of format 'prompt-completion', and the rows from line 1 on of 'text'",
    ),
    "two_users.jsonl": (
        1,
        "message 2 is of the user, and after one of the user one of the assistant must come",
    ),
    "ends_with_user.jsonl": (1, "ends with a message of the user, so there is nothing to learn"),
    "assistant_first.jsonl": (
        1,
        "message 1 is of the assistant, and at the beginning one of the user must come",
    ),
    "late_system.jsonl": (1, "message 2 is of the system"),
    "no_messages.jsonl": (1, "'messages' is empty"),
    "weight_zero.jsonl": (1, "message 2 of 'messages' has weight 0"),
    "unknown_split.jsonl": (1, "'split' is 'holdout'; it must be one of train, validation, test"),
    "one_value_bad.json": (3, "not JSON (Expecting value at character 10 of the row)"),
    "not_closed.json": (3, "the row that begins here does not end"),
    "list_not_closed.json": (2, "the row that begins here does not end"),
    "trailing_comma.json": (3, "a row is missing before ']'"),
    "text_behind.json": (4, "'more' behind the end of the list"),
    "two_commas.json": (2, "a row is missing before ','"),
    "text_not_closed.json": (3, "a text in the row that begins here does not end on its line"),
    "one_object.json": (1, "one JSON object over several lines"),
    "empty_list.json": (None, "holds no rows"),
    "fields.csv": (3, "the row has 1 field, and the header 2"),
    "quote.csv": (3, "a quote that opens in this row is not closed"),
    "quoted_then_text.csv": (3, "not CSV ("),
    "column_twice.csv": (1, "the header names the column 'prompt' twice"),
    "no_column_name.csv": (1, "a column of the header has no name"),
    "header_only.csv": (None, "holds no rows"),
    "empty_cells.csv": (3, "the row is empty"),
    "not_json_in_cell.csv": (2, "'messages' must be a list of messages or its JSON text: not JSON"),
    "not.parquet": (None, "not readable as parquet"),
    "cut.parquet": (None, "not readable as parquet"),
    "null_text.parquet": (2, "'text' must be text, not null"),
    "prose.txt": (1, "neither JSON lines, a JSON list, CSV nor parquet; it begins with 'Dear diary,'"),
    "packed.jsonl.gz": (1, "gzip-compressed: unpack it first"),
    "nothing": (None, "no file in it ends in .jsonl, "),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_broken_file_is_refused_with_its_line_and_the_reason(name: str) -> None:
    line, words = WRONG[name]
    with pytest.raises(UsageError) as caught:
        read(BROKEN / name)
    said = str(caught.value)
    assert words in said
    assert str(BROKEN / name) in said and "\n" not in said
    if line is not None:
        assert f"{BROKEN / name}, line {line}: " in said


def test_every_broken_file_is_in_the_table() -> None:
    assert {path.name for path in BROKEN.iterdir()} == set(WRONG)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no/such/file.jsonl", "no such file or folder"),
        ("nothing.jsonl", "no such file or folder"),
        ("/dev/null", "neither a file nor a folder"),
        ("x" * 5000 + "=1", "File name too long"),
        ("a\0b", "null byte|null character"),
    ],
)
def test_what_is_not_there(name: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read(name)
    with pytest.raises(UsageError):
        load([name], seed=0)


def test_half_a_character_at_the_end_of_a_list_is_not_lost(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(b'[{"text": "fine"}]\n\xc3')
    with pytest.raises(UsageError, match=r"a\.json, line 2: .* behind the end of the list"):
        read(file)


def test_bad_rows_are_allowed_up_to_the_share_and_stay_visible() -> None:
    file = BROKEN / "mixed_formats.jsonl"
    rows = read(file, max_bad_share=1 / 3)
    assert len(rows.examples) == 2 and rows.bad_count == 1
    (bad,) = rows.bad
    assert bad.line == 3 and str(bad) == f"{file}, line 3: {bad.reason}"
    with pytest.raises(UsageError, match=r"line 3: .*\(1 of 3 rows bad, a share of 0.33 may be"):
        read(file, max_bad_share=0.33)
    with pytest.raises(UsageError, match="a share lies between 0 and 1"):
        read(file, max_bad_share=1.5)


def test_no_share_makes_a_file_without_a_good_row_usable() -> None:
    with pytest.raises(UsageError, match="1 of 1 row bad"):
        read(BROKEN / "nan.jsonl", max_bad_share=1)


def test_csv_goes_on_after_a_bad_record() -> None:
    rows = scan(BROKEN / "fields.csv")
    assert (len(rows.examples), rows.bad_count) == (1, 1)


def test_many_bad_rows_are_counted_and_the_first_ones_kept(tmp_path: Path) -> None:
    file = tmp_path / "many.jsonl"
    file.write_text('{"text": "fine"}\n' + "{\n" * 500)
    rows = scan(file)
    assert rows.bad_count == 500 and [bad.line for bad in rows.bad] == list(range(2, 22))


def test_a_reason_is_one_line_whatever_it_quotes(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(json.dumps({"\x1b[31m\n" + "k" * 5000: 1}) + "\n")
    reason = scan(file).bad[0].reason
    assert len(reason) <= 200 and reason.isprintable()


# ---- memory


LIMIT = 1000


def test_a_line_without_end_is_read_past_in_bounded_memory(tmp_path: Path) -> None:
    """The file is sparse: 300 MB long, a few kilobytes on the disk."""
    file = tmp_path / "huge.jsonl"
    with file.open("wb") as out:
        out.write(b'{"text": "fine"}\n{"text": "')
        out.seek(3 * 10**8)
        out.write(b'"}\n{"text": "good"}\n')
    tracemalloc.start()
    rows = scan(file)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [example.line for example in rows.examples] == [1, 3]
    assert rows.bad == [BadRow(str(file), 2, "the line is longer than 16,777,216 bytes")]
    assert peak < 64 * 1024**2


@pytest.mark.parametrize("ending", ["\n", "\r\n", ""])
@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_limit_of_a_line_is_exact(tmp_path: Path, ending: str, more: int) -> None:
    file = tmp_path / "a.jsonl"
    row = json.dumps({"text": "x" * (LIMIT - len('{"text": ""}') + more)})
    file.write_text(row + ending, newline="")
    (found,) = jsonl_rows(file, LIMIT)
    assert isinstance(found, BadRow) == (more > 0)


def test_an_element_that_is_too_long_is_a_bad_row_and_the_next_one_is_read(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text(json.dumps([{"text": "x" * 3 * 10**6}, {"text": "fine"}], indent=1))
    with file.open("rb") as opened:
        first, second = array_rows(opened, "a.json", LIMIT)
    assert first == BadRow("a.json", 2, "the row is longer than 1,000 characters") and second.line == 5


def test_a_csv_record_that_swallows_the_file_stops_at_the_limit(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text('prompt,completion\na,b\n"c,d\n' + "e,f\n" * 1000)
    bad = [row for row in csv_rows(file, LIMIT) if isinstance(row, BadRow)]
    assert bad[0].line == 3 and "longer than 1,000 characters: is a quote not closed?" in bad[0].reason


def test_a_csv_field_beyond_the_module_s_limit_is_a_bad_row(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f"prompt,completion\na,{'x' * 200_000}\nc,d\n")
    rows = scan(file)
    assert rows.bad[0].line == 2 and "a field is longer than 131,072 characters" in rows.bad[0].reason
    assert [example.line for example in rows.examples] == [3]


@pytest.mark.parametrize("kind", [pyarrow.timestamp("ms"), pyarrow.duration("s")])
def test_a_time_beyond_pythons_is_a_bad_row(kind: pyarrow.DataType, tmp_path: Path) -> None:
    file = tmp_path / "times.parquet"
    columns = {"text": ["far", "near"], "at": pyarrow.array([2**52, None], kind)}
    pyarrow.parquet.write_table(pyarrow.table(columns), file)
    rows = scan(file)
    assert [each.line for each in rows.bad] == [1] and "does not exist in Python" in rows.bad[0].reason
    assert [each.line for each in rows.examples] == [2]


def test_a_parquet_file_that_names_a_column_twice_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "twice.parquet"
    table = pyarrow.table([pyarrow.array(["a"]), pyarrow.array(["b"])], names=["text", "text"])
    pyarrow.parquet.write_table(table, file)
    with pytest.raises(UsageError, match="2 columns of the name 'text'"):
        read(file)


def test_an_empty_name_is_not_the_current_folder() -> None:
    with pytest.raises(UsageError, match="the name is empty"):
        read("")


def test_a_parquet_row_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "bomb.parquet"
    table = pyarrow.table({"text": ["fine", "a" * 40_000_000, "good"]})
    pyarrow.parquet.write_table(table, file, compression="zstd")
    assert file.stat().st_size < 100_000
    rows = scan(file)
    assert rows.bad == [BadRow(str(file), 2, "the row is longer than 16,777,216 bytes")]
    assert [example.line for example in rows.examples] == [1, 3]


def test_a_parquet_row_group_that_unpacks_to_too_much_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "bomb.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"text": ["a" * 100_000]}), file)
    monkeypatch.setattr(parquet_module, "LARGEST_GROUP_BYTES", 50_000)
    with pytest.raises(UsageError, match=r"row group 1 unpacks to .* smaller row groups"):
        list(parquet_rows(file))


# ---- the hub


def test_a_hub_id_without_a_network_is_one_line_with_the_cure(tmp_path: Path) -> None:
    program = "from rftgym.data import read; read('nobody/nothing')"
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("rftgym.errors.UsageError: no file or folder nobody/nothing")
    assert "hf download --repo-type dataset nobody/nothing --local-dir DIRECTORY" in last


def test_a_hub_id_gives_rows_with_the_names_of_its_splits(monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    made = {
        "train": datasets.Dataset.from_list([{"question": "a?", "answer": "b"}]),
        "validation": datasets.Dataset.from_list([{"question": "c?", "answer": None}]),
    }
    monkeypatch.setattr(datasets, "load_dataset", lambda name: made)
    rows = scan("somebody/something")
    assert [(example.source, example.split) for example in rows.examples] == [
        ("somebody/something:train", "train")
    ]
    assert str(rows.bad[0]).startswith("somebody/something:validation, line 1: 'answer' must be text")


# ---- round trips


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(
    str.strip
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3)
    ),
    max_leaves=5,
)


@st.composite
def conversations(draw: st.DrawFn) -> dict[str, Any]:
    turns = draw(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=3))
    messages = [
        {"role": role, "content": content}
        for turn in turns
        for role, content in zip(("user", "assistant"), turn, strict=True)
    ]
    if draw(st.booleans()):
        messages.insert(0, {"role": "system", "content": draw(TEXT)})
    return {"messages": messages, **draw(st.dictionaries(st.sampled_from(["answer", "x"]), VALUES))}


def written(rows: list[dict[str, Any]], example: Rows) -> bool:
    """Whether rows came back as they were."""
    assert example.bad_count == 0, example.bad
    back = [
        {"messages": [{"role": m.role, "content": m.content} for m in each.messages], **each.extra}
        for each in example.examples
    ]
    return back == rows


@given(st.lists(conversations(), min_size=1, max_size=4), st.booleans(), st.booleans())
def test_json_lines_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], escaped: bool, windows: bool
) -> None:
    file = tmp_path_factory.getbasetemp() / "round.jsonl"
    end = "\r\n" if windows else "\n"
    text = "".join(json.dumps(row, ensure_ascii=escaped) + end for row in rows)
    file.write_bytes((b"\xef\xbb\xbf" if windows else b"") + text.encode())
    assert written(rows, read(file))


@given(
    st.lists(conversations(), min_size=1, max_size=4),
    st.booleans(),
    st.none() | st.integers(0, 3),
    st.integers(1, 40),
)
def test_a_json_list_comes_back_as_it_was_however_it_is_laid_out_and_cut(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[dict[str, Any]],
    escaped: bool,
    indent: int | None,
    chunk: int,
) -> None:
    file = tmp_path_factory.getbasetemp() / "round.json"
    text = json.dumps(rows, ensure_ascii=escaped, indent=indent)
    file.write_text(text, encoding="utf-8")
    assert written(rows, read(file))
    with pytest.MonkeyPatch.context() as patch, file.open("rb") as opened:
        patch.setattr("rftgym.data.jsontext.CHUNK_BYTES", chunk)
        in_pieces = list(array_rows(opened, str(file)))
    assert [getattr(row, "value", row) for row in in_pieces] == rows
    starts = [
        line for line, content in enumerate(text.split("\n"), 1) if content == " " * (indent or 0) + "{"
    ]
    if indent and all(rows):
        assert [row.line for row in in_pieces] == starts


@given(
    st.lists(st.tuples(TEXT, TEXT, st.text(st.characters(exclude_categories=["Cs"]))), min_size=1, max_size=4)
)
def test_csv_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[str, str, str]]
) -> None:
    cells = [tuple(cell.replace("\r", "").replace("\0", "") or "-" for cell in row) for row in cells]  # type: ignore[misc]
    cells = [row for row in cells if row[0].strip() and row[1].strip()] or [("a", "b", "c")]
    file = tmp_path_factory.getbasetemp() / "round.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows([("prompt", "completion", "note"), *cells])
    rows = read(file)
    assert [(*(m.content for m in each.messages), each.extra["note"]) for each in rows.examples] == cells


@given(st.lists(st.tuples(TEXT, TEXT, st.none() | st.integers(0, 9)), min_size=1, max_size=4))
def test_parquet_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[str, str, int | None]]
) -> None:
    file = tmp_path_factory.getbasetemp() / "round.parquet"
    columns = zip(*cells, strict=True)
    names = ("instruction", "output", "level")
    pyarrow.parquet.write_table(pyarrow.table(dict(zip(names, map(list, columns), strict=True))), file)
    rows = read(file)
    back = [(*(m.content for m in each.messages), each.extra.get("level")) for each in rows.examples]
    assert back == cells


@given(st.binary(max_size=400), st.sampled_from([".jsonl", ".json", ".csv", ".parquet", ".txt"]))
def test_any_bytes_are_read_or_refused_on_purpose(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, suffix: str
) -> None:
    file = tmp_path_factory.getbasetemp() / f"any{suffix}"
    file.write_bytes(data)
    rows, said = None, ""
    try:
        rows = read(file)
    except UsageError as error:
        said = str(error)
    assert rows.examples if rows else str(file) in said


@given(st.text('[]{}",: \n\\a1', max_size=60))
def test_the_cutter_agrees_with_json(text: str) -> None:
    """A list that JSON accepts is cut into its elements; of any other, something is refused."""
    import io

    try:
        expected = json.loads(f"[{text}")
    except (ValueError, RecursionError):
        expected = None
    try:
        found = list(array_rows(io.BytesIO(f"[{text}".encode()), "x"))
    except UsageError:
        assert expected is None
        return
    if expected is None:
        assert any(isinstance(row, BadRow) for row in found)
    else:
        assert len(found) == len(expected)


# ---- mixing


def rows_of(name: str, *pairs: tuple[str, str], **extra: Any) -> Rows:
    examples = [
        Example((Message("user", prompt), Message("assistant", answer)), dict(extra), name, line)
        for line, (prompt, answer) in enumerate(pairs, 1)
    ]
    return Rows(name, "messages", examples)


def numbered(name: str, n: int) -> Rows:
    return rows_of(name, *((f"{name}{index}", "x") for index in range(n)))


@given(
    st.lists(st.tuples(st.integers(1, 12), st.floats(0.01, 4)), min_size=1, max_size=3),
    st.integers(0, 2**31),
)
def test_weights_repeat_and_thin_out_evenly(sizes: list[tuple[int, float]], seed: int) -> None:
    sources = [(numbered(f"s{index}-", size), weight) for index, (size, weight) in enumerate(sizes)]
    result = mixed(sources, seed=seed)
    taken = Counter(example.messages[0].content for example in result.examples)
    for rows, weight in sources:
        counts = [taken[example.messages[0].content] for example in rows.examples]
        assert set(counts) <= {math.floor(weight), math.floor(weight) + 1}
        assert abs(sum(counts) - weight * len(counts)) <= 0.5 or sum(counts) == 1
    assert mixed(sources, seed=seed).examples == result.examples
    assert sum(taken.values()) == len(result.examples)


def test_the_seed_decides_the_order_and_the_choice() -> None:
    sources = [(numbered("a", 40), 0.5)]
    one, other = (mixed(sources, seed=seed).examples for seed in (0, 1))
    assert one != other and len(one) == len(other) == 20
    assert mixed(sources, seed=0, n=7).examples == one[:7]
    with pytest.raises(UsageError, match="21 examples asked for, and there are 20"):
        mixed(sources, seed=0, n=21)


def test_duplicates_across_sources_are_left_out_and_conflicts_kept() -> None:
    one = rows_of("one", ("What?", "That."), ("  What?\n", "That."), ("What?", "This."))
    other = rows_of("other", ("caf\u00e9", "x"), ("cafe\u0301", "x"), ("What?", "That."))
    result = mixed([(one, 2), (other, 1)], seed=0)
    assert result.duplicates == 3 and result.conflicting == 2
    assert Counter((e.source, e.line) for e in result.examples) == {
        ("one", 1): 2,
        ("one", 3): 2,
        ("other", 1): 1,
    }
    assert "3 rows left out: the same conversation stands before" in result.report
    assert any(line.startswith("2 rows with the prompt of another") for line in result.report)


def test_rows_of_other_splits_are_held_out_and_leaks_are_said() -> None:
    held = rows_of("held", ("Secret?", "Yes"), ("Other?", "No"), split="dev")
    seen = rows_of("seen", ("Secret?", "No"), ("Free?", "Yes"))
    result = mixed([(held, 1), (seen, 1)], seed=0)
    assert sorted(e.messages[0].content for e in result.examples) == ["Free?", "Secret?"]
    assert result.held_out == {"validation": 2}
    assert [(e.source, e.line) for e in result.leaking] == [("seen", 1)]
    assert any("also held out" in line and "seen, line 1" in line for line in result.report)
    assert len(mixed([(held, 1), (seen, 1)], seed=0, split=None).examples) == 4
    with pytest.raises(UsageError, match="held: no row of split 'test'"):
        mixed([(held, 1)], seed=0, split="test")


def test_load_takes_weights_and_reports_bad_rows(tmp_path: Path) -> None:
    odd = tmp_path / "a=2"
    odd.write_text('{"text": "odd name"}\n')
    sources = [f"{FILES / 'text.jsonl'}=2", f"{BROKEN / 'wrong_type.jsonl'}", str(odd)]
    result = load(sources, seed=3, max_bad_share=0.5)
    assert len(result.examples) == 3 * 2 + 1 + 1
    assert f"{FILES / 'text.jsonl'}: 3 rows of format text, weight 2, 6 examples" in result.report
    assert any("bad row left out" in line and "line 2: 'text' must be text" in line for line in result.report)
    with pytest.raises(UsageError, match="line 2: 'text' must be text"):
        load(sources, seed=3)


@pytest.mark.parametrize("weight", ["0", "-1", "nan", "inf", "101", "two", ""])
def test_a_weight_that_is_none(weight: str) -> None:
    with pytest.raises(UsageError, match="expected SOURCE=WEIGHT"):
        load([f"{FILES / 'text.jsonl'}={weight}"], seed=0)


@given(st.text())
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=30))
def test_a_histogram_counts_everything_once_in_at_most_ten_bins(values: list[int]) -> None:
    bins = histogram(values)
    assert len(bins) <= 10 and sum(each["count"] for each in bins) == len(values)
    assert all(one["to"] + 1 == other["from"] for one, other in pairwise(bins))
    assert bins[0]["count"] and bins[-1]["count"]
    for each in bins:
        assert each["count"] == sum(each["from"] <= value <= each["to"] for value in values)


def test_nothing_heavy_is_imported_before_a_file_needs_it() -> None:
    program = (
        "import sys, rftgym.data; rftgym.data.read(sys.argv[1]); "
        "sys.exit(bool({'pyarrow', 'datasets', 'torch', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(FILES / "text.jsonl")], check=False)
    assert done.returncode == 0
