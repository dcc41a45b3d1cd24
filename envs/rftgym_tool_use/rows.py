"""A line of a ``--tasks`` file: a question, its tables, what must be looked up, and the answer."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints, field_validator, model_validator

from rftgym import Task, TaskRow
from rftgym_tool_use.calculator import evaluate, number, shown
from rftgym_tool_use.tools import ToolError

Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f<>]+$")]
Value = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f<>]+$")]
MOST_TABLES = 20
MOST_KEYS = 1000
MOST_NEEDED = 8


class ToolUseRow(TaskRow):
    """A question over tables. Numbers may be given as numbers; all are kept as text."""

    question: Annotated[str, StringConstraints(min_length=1, max_length=2000)]
    tables: Annotated[
        dict[Name, Annotated[dict[Name, Value], Field(min_length=1, max_length=MOST_KEYS)]],
        Field(min_length=1, max_length=MOST_TABLES),
    ]
    needed: Annotated[list[tuple[Name, Name]], Field(min_length=1, max_length=MOST_NEEDED)]
    answer: Value
    expression: Value | None = None

    @field_validator("tables", mode="before")
    @classmethod
    def _texts(cls, tables: Any) -> Any:
        if not isinstance(tables, dict):
            return tables
        return {
            table: {key: _text(value) for key, value in rows.items()} if isinstance(rows, dict) else rows
            for table, rows in tables.items()
        }

    @field_validator("answer", mode="before")
    @classmethod
    def _answer(cls, answer: Any) -> Any:
        return _text(answer)

    @model_validator(mode="after")
    def _sound(self) -> ToolUseRow:
        for table, _ in self.needed:  # the key may be missing: then that is the fact
            if table not in self.tables:
                raise ValueError(
                    f"'needed' names table {table!r}; tables are {', '.join(sorted(self.tables))}"
                )
        if len(set(self.needed)) < len(self.needed):
            raise ValueError("'needed' names a fact twice")
        if self.expression is not None:
            try:
                value = evaluate(self.expression)
            except ToolError as error:
                raise ValueError(f"'expression' cannot be computed: {error}") from error
            if value != number(self.answer):
                raise ValueError(f"'expression' is {shown(value)}, 'answer' is {self.answer}")
        return self

    def to_task(self) -> Task:
        """The task, with the data that the procedural ones have."""
        task = TaskRow.to_task(self)
        return Task(
            task.id,
            {**task.data, "needed": [list(each) for each in self.needed]},
            task.split,
            task.difficulty,
        )


def _text(value: Any) -> Any:
    """Numbers as text; anything else as it is, for pydantic to judge."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
