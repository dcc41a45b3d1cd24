"""``rftgym data inspect`` through its public door, and training on a file through the environment `dataset`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from rftgym.cli import main
from rftgym.config import ModelSettings
from rftgym.data import read
from rftgym.data.inspection import TokenLengths
from rftgym.registry import make_policy

FILES = Path(__file__).with_name("data_files")
BROKEN = FILES / "broken"


class Result:
    """What the command did."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def inspect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run ``rftgym data inspect ...`` in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path) -> Result:
        code = main(["data", "inspect", *map(str, arguments)])
        said = capsys.readouterr()
        return Result(code, said.out, said.err)

    return run


def test_a_good_file_as_a_page(inspect: Any) -> None:
    result = inspect(FILES / "messages.jsonl")
    assert result.code == 0 and result.err == ""
    for words in (
        "messages.jsonl: 2 rows of format messages\n",
        "examples    2\n",
        "roles       system 1, user 3, assistant 3\n",
        "turns       1 of 1 turn, 1 of 2 turns\n",
        "more fields success\n",
        "duplicates  0; 0 with the prompt",
        "tokens of tiny: median",
        "█",
        "0 (0.0%) longer than 1024 tokens",
        "rftgym train --env dataset --tasks",
    ):
        assert words in result.out, result.out


def test_a_good_file_as_json(inspect: Any) -> None:
    found = inspect(FILES / "sharegpt.json", FILES / "folder", "--json").json
    assert [each["format"] for each in found["sources"]] == ["sharegpt", "prompt-completion, instruction"]
    assert [each["files"] for each in found["sources"]] == [1, 2]
    assert found["examples"] == 5 and found["turns"] == {"1": 4, "2": 1}
    assert found["splits"] == {"": 2, "train": 2, "test": 1}
    assert found["bad_rows"] == [] and found["leaks"] == [] and found["duplicates"] == 0
    assert sum(each["count"] for each in found["tokens"]["histogram"]) == 5
    assert found["model"] == "tiny" and found["tokens"]["max_length"] == 1024


def test_a_file_s_name_cannot_steer_the_terminal(inspect: Any, tmp_path: Path) -> None:
    file = tmp_path / "a\x1b[31m\nb.jsonl"
    file.write_text('{"text": "good"}\n{"text": 3}\n')
    result = inspect(file)
    assert result.code == 2 and "\x1b" not in result.out + result.err
    assert "b.jsonl: 2 rows of format text, 1 bad\n" in result.out


def test_a_source_may_carry_a_trainer_s_weight(inspect: Any) -> None:
    found = inspect(f"{FILES / 'text.jsonl'}=2", "--json").json
    assert found["sources"][0]["source"] == str(FILES / "text.jsonl") and found["examples"] == 3


def test_truncation_at_the_chosen_length(inspect: Any) -> None:
    lengths = inspect(FILES / "text.jsonl", "--json").json["tokens"]
    for limit in (lengths["min"] - 1, lengths["min"], lengths["max"]):
        found = inspect(FILES / "text.jsonl", "--max-length", str(limit), "--json").json["tokens"]
        expected = {lengths["min"] - 1: 3, lengths["min"]: 2, lengths["max"]: 0}[limit]
        assert found["truncated"] == expected and found["truncated_share"] == pytest.approx(expected / 3)


def test_lengths_are_those_of_the_model_s_own_chat_template() -> None:
    policy: Any = make_policy(ModelSettings(id="tiny"))
    count = TokenLengths(policy)
    for name in ("sharegpt.json", "messages.jsonl", "instruction.json"):
        for example in read(FILES / name).examples:
            chat = [{"role": each.role, "content": each.content} for each in example.messages]
            text = policy.tokenizer.apply_chat_template(chat, tokenize=False)
            # The template ends with a line break behind the last end-of-sequence token, which nobody samples.
            assert count(example) == len(
                policy.tokenizer(text.rstrip("\n"), add_special_tokens=False)["input_ids"]
            )
    (first, *_) = read(FILES / "text.jsonl").examples
    plain = policy.tokenizer(first.messages[0].content, add_special_tokens=False)["input_ids"]
    assert count(first) == len(plain) + 1


@pytest.mark.parametrize("as_json", [False, True])
def test_bad_rows_are_shown_and_fatal_above_the_share(inspect: Any, as_json: bool) -> None:
    file = BROKEN / "bad_json_on_line_3.jsonl"
    flags = ["--json"] if as_json else []
    result = inspect(file, *flags)
    assert result.code == 2
    assert f"rftgym: error: {file}, line 3: not JSON" in result.err and result.err.count("\n") == 1
    if as_json:
        (bad,) = result.json["bad_rows"]
        assert (bad["source"], bad["line"]) == (str(file), 3) and "not JSON" in bad["reason"]
    else:
        assert "4 rows of format text, 1 bad" in result.out and "line 3: not JSON" in result.out
    assert inspect(file, "--max-bad-share", "0.25", *flags).code == 0


@pytest.mark.parametrize("name", sorted(path.name for path in BROKEN.iterdir()))
def test_no_broken_file_passes_or_ends_in_a_traceback(inspect: Any, name: str) -> None:
    result = inspect(BROKEN / name)
    assert result.code == 2
    assert result.err.startswith("rftgym: error: ") and result.err.count("\n") == 1 and name in result.err


def test_duplicates_conflicts_and_leaks(inspect: Any, tmp_path: Path) -> None:
    rows = [
        {"prompt": "a", "answer": "b", "split": "train"},
        {"prompt": " a ", "answer": "b", "split": "test"},
        {"prompt": "c", "answer": "d", "split": "train"},
        {"prompt": "c", "answer": "e", "split": "train"},
    ]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = inspect("a.jsonl", "--json").json
    assert found["duplicates"] == 1 and found["same_prompt_other_answer"] == 2
    (leak,) = found["leaks"]
    assert leak["one"] == {"source": "a.jsonl", "line": 1, "split": "train"}
    assert leak["other"] == {"source": "a.jsonl", "line": 2, "split": "test"}
    assert "leak: a.jsonl, line 2 (test) asks what a.jsonl, line 1 (train) asks" in inspect("a.jsonl").out


@pytest.mark.parametrize(("count", "warned"), [(99, True), (100, False)])
def test_the_warning_stands_under_a_hundred_examples(
    inspect: Any, tmp_path: Path, count: int, warned: bool
) -> None:
    (tmp_path / "my rows.jsonl").write_text(
        "".join(f'{{"prompt": "{n}?", "answer": {n}}}\n' for n in range(count))
    )
    notes = inspect("my rows.jsonl", "--json").json["notes"]
    assert [f"{count} examples: with fewer than 100" in note for note in notes] == [True] * warned
    assert not warned or notes[0].endswith("rftgym train --env dataset --tasks 'my rows.jsonl'")


def test_texts_without_turns_are_not_sent_to_the_environment(inspect: Any) -> None:
    result = inspect(FILES / "text.jsonl")
    assert "3 without turns" in result.out and "with fewer than 100" in result.out
    assert "--env dataset" not in result.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["no.jsonl"], "no such file or folder"),
        ([], "FILE..."),
        ([FILES / "text.jsonl", "--model", "tinny"], "did you mean 'tiny'?"),
        ([FILES / "text.jsonl", "--max-length", "0"], "--max-length"),
        ([FILES / "text.jsonl", "--max-bad-share", "2"], "--max-bad-share"),
        ([FILES / "text.jsonl", "--model", "openai:x@http://localhost:1/v1"], "has no tokenizer here"),
    ],
)
def test_bad_usage_is_one_line(inspect: Any, arguments: list[str | Path], words: str) -> None:
    result = inspect(*arguments)
    assert result.code == 2 and words in result.err and result.err.count("\n") == 1 and result.out == ""


def test_a_model_is_trained_on_a_file_of_one_s_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(FILES / "prompt_answer.jsonl", "mine.jsonl")
    arguments = ["train", "--env", "dataset", "--tasks", "mine.jsonl", "--steps", "1", "--group-size", "2"]
    arguments += [
        "--max-tokens",
        "4",
        "--eval-every",
        "0",
        "-n",
        "1",
        "--set",
        "trainer.prompts=1",
        "--quiet",
    ]
    assert main(arguments) == 0
    (run,) = (tmp_path / "runs").iterdir()
    assert (run / "metrics.jsonl").read_text().count("\n") >= 1
