"""Tasks: those that the build has written, and a user's own."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    field_validator,
    model_validator,
)

from rftgym import Task, TaskRow
from rftgym.errors import UsageError
from rftgym.sandbox import values
from rftgym.sandbox.functions import Call
from rftgym.tasks import ListTaskset
from rftgym_code.asserts import read_asserts
from rftgym_code.testing import Outcome, Test, baseline, to_json

DATA: Final = Path(__file__).parent / "data" / "problems.jsonl"
MOST_TESTS: Final = 500
LONGEST_TEXT: Final = 32_768
LONGEST_TESTS: Final = 4 << 20
NAME: Final = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$"
HIDDEN_FROM_TASKS: Final = ("id", "split", "difficulty", "slips", "topic")
Name = Annotated[str, StringConstraints(pattern=NAME, max_length=100)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TEXT)]


class TestRow(BaseModel):
    """One test of a user's task: what is passed, and what has to come of it.

    JSON knows no tuples, sets or bytes; where they matter, write tests as ``assert`` lines.
    """

    __test__ = False  # no test of pytest's
    model_config = ConfigDict(extra="forbid")

    args: list[Any] = Field(description="Arguments, in order", examples=[[1, 2]])
    expected: Any = Field(default=None, description="What is returned", examples=[3])
    raises: Name | None = Field(
        default=None, description="Or the class of the exception", examples=["ValueError"]
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> TestRow:
        if ("expected" in self.model_fields_set) == (self.raises is not None):
            raise ValueError("a test has either 'expected' or 'raises'")
        for value in (self.args, self.expected):
            if not values.plain(values.decode(values.encode(value))):
                raise ValueError(
                    f"a value larger than {values.MOST_CHARACTERS} characters or nested too deep"
                )
        return self

    def to_test(self) -> Test:
        """The test."""
        return Test(Call(tuple(self.args)), (Outcome(self.expected, self.raises or ""),))


OneTest = Annotated[
    Annotated[TestRow, Tag("object")] | Annotated[str, Tag("text")],
    Discriminator(lambda value: "text" if isinstance(value, str) else "object"),
]
Tests = Annotated[
    Annotated[list[OneTest], Tag("list")] | Annotated[str, Tag("text")],
    Discriminator(lambda value: "text" if isinstance(value, str) else "list"),
]


class CodeRow(TaskRow):
    """A task of a user's own: what to write, and how it is tested."""

    entry: Name = Field(description="Name of the function", examples=["add"])
    prompt: Text | None = Field(default=None, description="The whole question")
    docstring: Text | None = Field(
        default=None, description="Or what the function does", examples=["Add two numbers."]
    )
    tests: Tests = Field(description="Objects, or assert lines", examples=[["assert add(1, 2) == 3"]])
    solution: Text | None = Field(default=None, description="Code that passes, for demonstrations")
    comparison: str = Field(
        default="python", pattern="^(python|strict)$", description="How results are compared"
    )
    keeps_arguments: bool = Field(default=False, description="Arguments must not be changed")

    @field_validator("difficulty")
    @classmethod
    def _a_share(cls, difficulty: float | None) -> float | None:
        if difficulty is not None and not 0 <= difficulty <= 1:
            raise ValueError("a difficulty lies between 0 and 1")
        return difficulty

    def to_task(self) -> Task:
        """The task.

        Raises:
            UsageError: names the test that cannot be read.
        """
        if (self.prompt is None) == (self.docstring is None):
            raise UsageError("prompt: a task has either a 'prompt' or a 'docstring'")
        tests = self._tests()
        rows = [to_json(test) for test in tests]
        size = len(json.dumps(rows))
        if not 1 <= len(tests) <= MOST_TESTS or size > LONGEST_TESTS:
            raise UsageError(
                f"tests: {len(tests)} of {size} bytes; 1 to {MOST_TESTS} of {LONGEST_TESTS} bytes at most"
            )
        data = {
            "entry": self.entry,
            "prompt": self.prompt or self._question(len(tests[0].call.args)),
            "comparison": self.comparison,
            "keeps_arguments": self.keeps_arguments,
            "baseline": baseline(tests),
            "examples": [],
            "tests": rows,
        }
        if self.solution is not None:
            data["solution"] = self.solution
        return Task(self.task_id(), data, self.split, self.difficulty)

    def _tests(self) -> list[Test]:
        if isinstance(self.tests, str):
            return read_asserts(self.tests, self.entry)
        found: list[Test] = []
        for number, each in enumerate(self.tests):
            if isinstance(each, TestRow):
                found.append(each.to_test())
                continue
            try:
                found += read_asserts(each, self.entry)
            except UsageError as error:
                raise UsageError(f"tests.{number}: {error}") from error
        return found

    def _question(self, arguments: int) -> str:
        counted = f"{arguments} argument{'' if arguments == 1 else 's'}"
        return f"Write the Python function `{self.entry}`, which takes {counted}:\n\n{self.docstring}"


@functools.lru_cache(maxsize=1)
def rows() -> tuple[dict[str, Any], ...]:
    """What the build has written, slips included.

    Raises:
        UsageError: the file is not there.
    """
    try:
        text = DATA.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{DATA.name} is missing ({error.strerror}); write it: python -m rftgym_code.build"
        ) from error
    return tuple(json.loads(line) for line in text.splitlines())


@functools.lru_cache(maxsize=1)
def tasks() -> ListTaskset:
    """The environment's own tasks; shared, since tasks never change."""
    return ListTaskset(
        Task(
            row["id"],
            {name: value for name, value in row.items() if name not in HIDDEN_FROM_TASKS},
            row["split"],
            row["difficulty"],
        )
        for row in rows()
    )
