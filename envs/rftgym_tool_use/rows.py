"""A line of a ``--tasks`` file: a question, its tables, what must be looked up, and the answer."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field, StringConstraints, field_validator, model_validator

from rftgym import Task, TaskRow
from rftgym_tool_use.calculator import evaluate, number, shown
from rftgym_tool_use.tools import ToolError

_LINE = r"^[^\s\x00-\x1f<>](?:[^\x00-\x1f<>]*[^\s\x00-\x1f<>])?$"
"""One line without tags, and without blanks around it."""
Name = Annotated[str, StringConstraints(max_length=100, pattern=_LINE)]
Value = Annotated[str, StringConstraints(max_length=200, strip_whitespace=True, pattern=_LINE)]
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
    """Numbers as text without exponents, as the calculator reads them; the rest as it is, for pydantic to judge."""
    if isinstance(value, float) and math.isfinite(value):
        return format(Decimal(repr(value)), "f")
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
