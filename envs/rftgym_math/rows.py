"""Problems of the user's own: files like those of GSM8K and MATH, or question and answer."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from pydantic import AliasChoices, ConfigDict, Field, ValidationError, field_validator, model_validator

from rftgym import Task, TaskRow
from rftgym.data import BadRow
from rftgym.data.containers import rows_of
from rftgym.errors import UsageError
from rftgym.tasks import ListTaskset
from rftgym_math.exact import Undefined, exact
from rftgym_math.expressions import Unreadable
from rftgym_math.problems import split_of
from rftgym_math.reading import accepted, is_words
from rftgym_math.working import findings

LONGEST_QUESTION: Final = 16_384
LONGEST_SOLUTION: Final = 65_536
LONGEST_ANSWER: Final = 1_000
_LEVEL: Final = re.compile(r"(?:Level )?([1-5])")
LARGEST_TOLERANCE, SMALLEST_TOLERANCE = Decimal("1e100"), Decimal("1e-100")
_PERCENT: Final = re.compile(r"\bpercent(?:age)?\b|\b(?:what|how many) \\?%", re.IGNORECASE)
_DEGREES: Final = re.compile(r"\bdegrees?\b|\bangles?\b|\\circ\b|\u00b0", re.IGNORECASE)
_ANNOTATION: Final = re.compile(r"<<[^<>]*>>")


class MathRow(TaskRow):
    """A line of a file: a question and its answer, or a solution that ends with one.

    An answer is taken from what follows the last "####" (GSM8K), else from the last box of the solution (MATH), else it
    is the text itself. What is no mathematics, such as a name, is compared as text.
    """

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    id: str | None = Field(None, validation_alias=AliasChoices("id", "unique_id"), max_length=200)
    question: str = Field(
        validation_alias=AliasChoices("question", "problem", "prompt"),
        min_length=1,
        max_length=LONGEST_QUESTION,
        description="The problem",
        examples=["What is 6 times 7?"],
    )
    answer: str | None = Field(
        None, max_length=LONGEST_SOLUTION, description='The result, or a solution ending in "#### result"'
    )
    solution: str | None = Field(
        None, max_length=LONGEST_SOLUTION, description="A solution with the result in its last \\boxed{}"
    )
    units: list[str] | None = Field(
        None,
        max_length=20,
        description="Units that may stand with the number; else words of the question may",
    )
    variables: list[str] = Field([], max_length=20, description="Unknowns, in the order of the answer")
    tolerance: str = Field("", max_length=40, description="How far a number may be off, say 0.01")
    unevaluated: bool = Field(False, description="Take 7*6 for 42")
    difficulty: float | None = Field(None, ge=0, le=1)
    level: str | int | None = Field(None, description="Of MATH, 1 to 5: the difficulty, where none is given")
    type: str | None = None
    subject: str | None = None
    source: str | None = None

    @field_validator("answer", "tolerance", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        """Numbers may be written as numbers."""
        return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value

    @field_validator("tolerance")
    @classmethod
    def _number(cls, value: str) -> str:
        try:
            number = Decimal(value or 0)
            if number and not SMALLEST_TOLERANCE <= number <= LARGEST_TOLERANCE:
                raise ValueError(f"{value!r} is neither 0 nor between 1e-100 and 1e100")
        except InvalidOperation:
            raise ValueError(f"{value!r} is no number") from None
        return value

    @model_validator(mode="after")
    def _has_a_result(self) -> MathRow:
        if self.answer is None and self.solution is None:
            raise ValueError("there is neither an 'answer' nor a 'solution'")
        result = self.result
        if not result:
            raise ValueError("the result is empty")
        if len(result) > LONGEST_ANSWER:
            raise ValueError(
                f"the result has {len(result):,} characters; at most {LONGEST_ANSWER:,} are compared"
            )
        try:
            if not is_words(result):
                exact(accepted(result, tuple(self.known_units)).node)
        except Undefined as error:
            raise ValueError(f"the result {result!r:.60} has no value: {error}") from error
        except Unreadable as error:
            if error.kind != "syntax":
                raise ValueError(f"the result {result!r:.60}: {error}") from error
        return self

    @property
    def result(self) -> str:
        """The accepted answer."""
        for text in (self.answer, self.solution):
            if text is not None and "####" in text:
                return text.rpartition("####")[2].strip()
        if self.answer is not None:
            return (last_box(self.answer) or self.answer).strip()
        return (last_box(self.solution or "") or "").strip()

    @property
    def known_units(self) -> list[str]:
        """Those that are named; else dollars, and percents and degrees where the question is about them."""
        if self.units is not None:
            return self.units
        found = [
            name for name, asked in (("%", _PERCENT), ("degrees", _DEGREES)) if asked.search(self.question)
        ]
        return ["$", *found]

    @property
    def working(self) -> str:
        """The solution in one piece, if nothing in it would be held against an answer; else a few words."""
        text = self.solution if self.solution is not None else (self.answer or "").rpartition("####")[0]
        text = _ANNOTATION.sub("", text).strip()
        tags = any(tag in text for tag in ("<work", "</work", "<think", "</think", "<answer", "</answer"))
        if not text or tags or findings(f"{text}<answer>", "").severity:
            return "the result is known"
        return text

    def task_id(self) -> str:
        """The id that is given, or one made from the question and the result."""
        content = f"{self.question}\n{self.result}"
        return self.id or hashlib.blake2b(content.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()

    def to_task(self) -> Task:
        """The task of this row."""
        data = {
            "kind": "file",
            "question": self.question,
            "answer": self.result,
            "working": self.working,
            "units": self.known_units,
            "any_words": self.units is None,
            "variables": self.variables,
            "tolerance": self.tolerance,
            "unevaluated": self.unevaluated,
        }
        return Task(self.task_id(), data, self.split, self._graded())

    def _graded(self) -> float | None:
        level = _LEVEL.fullmatch(str(self.level)) if self.level is not None else None
        return (int(level[1]) - 1) / 4 if level and self.difficulty is None else self.difficulty


def last_box(text: str) -> str | None:
    r"""What stands in the last \boxed{...} of a text, braces inside it included; None where there is none."""
    start = max(text.rfind("\\boxed{"), text.rfind("\\fbox{"))
    if start < 0:
        return None
    begin, depth = text.index("{", start) + 1, 1
    for at in range(begin, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if not depth:
            return text[begin:at]
    return None


def tasks_of(path: str | Path) -> ListTaskset:
    """The tasks of a file.

    A row that names no split belongs to one by its question: six eighths to "train", one to "validation", one to
    "test"; where that leaves nothing to train on, all of them to "train".

    Raises:
        UsageError: it cannot be read, or a row of it cannot be used; names the file, the line and the field.
    """
    found: list[MathRow] = []
    named: dict[str, tuple[str, int]] = {}
    for raw in rows_of(Path(path)):
        if isinstance(raw, BadRow):
            raise UsageError(str(raw))
        row = _row(raw.value, f"{path}, line {raw.line}")
        if "split" in row.model_fields_set:
            split, line = named.setdefault(_asked(row), (row.split, raw.line))
            if split != row.split:
                raise UsageError(
                    f"{path}, line {raw.line}: split: {row.split!r}, and line {line} asks the same in {split!r}; what "
                    "is trained on must not be tested on"
                )
        found.append(row)
    if not found:
        raise UsageError(f"{path} holds no task")
    return _taskset(path, found, {question: split for question, (split, _) in named.items()})


def _asked(row: MathRow) -> str:
    """What a row asks, white space aside."""
    return " ".join(row.question.split())


def _row(value: Mapping[str, Any], where: str) -> MathRow:
    try:
        return MathRow.model_validate(dict(value))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "row"
        raise UsageError(f"{where}: {field}: {first['msg']}") from error


def _taskset(path: str | Path, rows: list[MathRow], named: Mapping[str, str]) -> ListTaskset:
    splits = [named.get(_asked(row)) or split_of(_asked(row)) for row in rows]
    if "train" not in splits:
        splits = [named.get(_asked(row), "train") for row in rows]
    counts: Counter[str] = Counter()
    tasks = []
    for row, split in zip(rows, splits, strict=True):
        task = row.to_task()
        counts[task.id] += 1
        id = task.id if counts[task.id] == 1 or row.id else f"{task.id}-{counts[task.id]}"
        tasks.append(Task(id, task.data, split, task.difficulty))
    try:
        return ListTaskset(tasks)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error
