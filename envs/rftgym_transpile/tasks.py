"""The tasks: those of the package, by pair of languages, and the user's own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, field_validator, model_validator

from rftgym import Task, TaskRow
from rftgym.errors import UsageError
from rftgym.tasks import ListTaskset
from rftgym_transpile.corpus.tasks import records
from rftgym_transpile.notation import finite

MOST_INPUTS, LONGEST_SOURCE, LARGEST_TESTS = 256, 65_536, 1 << 20
JAVASCRIPT = Path(__file__).parent / "javascript" / "tasks.jsonl"
_ENTRY = re.compile(r"[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*")
_DATA = ("entry", "inputs", "expected", "family", "category")


class _Row(TaskRow):
    """A line of a tasks file, whatever the language of its source."""

    source_language: ClassVar[str]
    target_language: ClassVar[str]

    entry: str = Field(description="Name of the method, function or class", examples=["gcd"])
    inputs: list[Any] = Field(
        min_length=1,
        max_length=MOST_INPUTS,
        description='Each a list of arguments; of a class {"new": [...], "calls": [["method", ...], ...]}',
        examples=[[[12, 18], [7, 0]]],
    )
    expected: list[Any] | None = Field(
        default=None,
        description='A result for each input, or {"raises": "ArithmeticException"}; found out by running where absent',
    )
    solution: str | None = Field(
        default=None, max_length=LONGEST_SOURCE, description="A right answer, if you have one"
    )

    @field_validator("entry")
    @classmethod
    def _name(cls, entry: str) -> str:
        if not _ENTRY.fullmatch(entry):
            raise ValueError(f"{entry!r:.60} is not the name of a method, function or class")
        return entry

    @field_validator("inputs")
    @classmethod
    def _arguments(cls, inputs: list[Any]) -> list[Any]:
        """A bare number or text is the only argument."""
        return [finite(each) if isinstance(each, list | dict) else [finite(each)] for each in inputs]

    @field_validator("expected")
    @classmethod
    def _results(cls, expected: list[Any] | None) -> list[Any] | None:
        return None if expected is None else [finite(each) for each in expected]

    @model_validator(mode="after")
    def _fits_together(self) -> _Row:
        if self.expected is not None and len(self.expected) != len(self.inputs):
            raise ValueError(f"{len(self.inputs)} inputs, but {len(self.expected)} expected results")
        for number, each in enumerate(self.inputs):
            if isinstance(each, dict) and set(each) != {"new", "calls"}:
                raise ValueError(
                    f"inputs[{number}] is neither a list of arguments nor an object of 'new' and 'calls'"
                )
            calls = each["calls"] if isinstance(each, dict) else []
            if not (isinstance(calls, list) and all(map(_is_call, calls))):
                raise ValueError(f"inputs[{number}]: 'calls' is not a list of [\"method\", argument, ...]")
        size = len(json.dumps([self.inputs, self.expected]))
        if size > LARGEST_TESTS:
            raise ValueError(f"inputs and expected take {size} bytes; at most {LARGEST_TESTS}")
        return self

    def to_task(self) -> Task:
        """The task of this row."""
        data: dict[str, Any] = {
            "source_language": self.source_language,
            "target_language": self.target_language,
            "source": getattr(self, self.source_language),
            "entry": self.entry,
            "inputs": self.inputs,
        }
        if self.expected is not None:
            data["expected"] = self.expected
        if self.solution is not None:
            data["solution"] = self.solution
        return Task(self.task_id(), data, self.split, self.difficulty)


def _source(language: str) -> Any:
    return Field(
        min_length=1, max_length=LONGEST_SOURCE, description=f"Source in {language}: methods, or classes"
    )


def _is_call(call: Any) -> bool:
    return isinstance(call, list) and bool(call) and isinstance(call[0], str)


class JavaPythonRow(_Row):
    """A line of a tasks file: a Java source, what to call in it, and with what."""

    source_language, target_language = "java", "python"
    java: str = _source("Java")


class PythonJavaRow(_Row):
    """A line of a tasks file: a Python source, what to call in it, and with what."""

    source_language, target_language = "python", "java"
    python: str = _source("Python")


class JavaScriptPythonRow(_Row):
    """A line of a tasks file: a JavaScript source, what to call in it, and with what."""

    source_language, target_language = "javascript", "python"
    javascript: str = _source("JavaScript")


class PythonJavaScriptRow(_Row):
    """A line of a tasks file: a Python source, what to call in it, and with what."""

    source_language, target_language = "python", "javascript"
    python: str = _source("Python")


Range = tuple[float, float]


def difficulty_range(given: object) -> Range:
    """The lowest and the highest difficulty, as somebody wrote them.

    Raises:
        UsageError: they are no two numbers from 0 to 1 in this order.
    """
    if isinstance(given, Sequence) and len(given) == 2 and all(isinstance(end, int | float) for end in given):
        low, high = (float(end) for end in given)
        if 0 <= low <= high <= 1:
            return low, high
    raise UsageError(f"difficulty={given!r:.60}; it is the lowest and the highest, say [0, 0.3]")


@lru_cache(maxsize=8)
def bundled(source: str, target: str, difficulty: Range | None = None) -> ListTaskset:
    """The package's tasks for a pair of languages, of all difficulties or of some.

    Raises:
        UsageError: there are none of these to train on.
    """
    low, high = difficulty or (0.0, 1.0)
    found = ListTaskset(
        task for task in _bundled(source, target) if task.difficulty is None or low <= task.difficulty <= high
    )
    if not found.size("train"):
        raise UsageError(f"difficulty=[{low:g}, {high:g}] leaves no task to train on; take a wider range")
    return found


def _bundled(source: str, target: str) -> Iterator[Task]:
    rows = _javascript() if "javascript" in (source, target) else records()
    for row in rows:
        texts = {"java": row.get("java"), "javascript": row.get("javascript"), "python": row["solution"]}
        data = {name: row[name] for name in _DATA if name in row}
        pair = {"source_language": source, "target_language": target}
        data = {**pair, "source": texts[source], **data, "solution": texts[target], "recorded": True}
        yield Task(row["id"], data, row["split"], row["difficulty"])


def _javascript() -> list[Mapping[str, Any]]:
    return [json.loads(line) for line in JAVASCRIPT.read_text(encoding="utf-8").splitlines()]
