"""What is said to the model."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from rftgym_sql.catalogue import SCHEMAS
from rftgym_sql.described import schema_of
from rftgym_sql.states import State, sample
from rftgym_sql.verdict import Verdict

DIALECTS = {"sqlite": "SQLite", "duckdb": "DuckDB"}
SAMPLE_ROWS = 3
LONGEST_CELL = 40


def question(data: Mapping[str, Any], engine: str) -> str:
    """The first message of a task."""
    if "ddl" in data:
        shown = described(data["ddl"], data["given"][0] if data["given"] else _made_up(data))
    else:
        shown = _own_schema(data["schema"], engine)
    columns = f"\nColumns of the result, in this order: {data['columns']}." if data["columns"] else ""
    return (
        f"{shown}\n\nQuestion: {data['question']}{columns}\n\n"
        f"Answer with one {DIALECTS[engine]} query (SELECT or WITH) in a ```sql block."
    )


@lru_cache(maxsize=32)
def _own_schema(name: str, engine: str) -> str:
    return described(SCHEMAS[name].ddl(engine), sample(SCHEMAS[name]))


def _made_up(data: Mapping[str, Any]) -> State:
    """Rows for a user's schema without states of its own."""
    return sample(schema_of(data["tables"], "")[0])


def described(ddl: str, state: State) -> str:
    """A schema, and a few rows of each table."""
    samples = []
    for table, rows in state.items():
        if rows:
            lines = [" | ".join(map(_cell, row)) for row in rows[:SAMPLE_ROWS]]
            samples.append("\n".join([f"{table}:", *lines]))
    shown = "\n\nSome rows:\n" + "\n".join(samples) if samples else ""
    return f"Database:\n{ddl.strip()}{shown}"


def _cell(value: Any) -> str:
    text = "NULL" if value is None else str(value)
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 3] + "..."


def answered(query: str) -> str:
    """A query as a completion."""
    return f"```sql\n{query}\n```"


def closing(verdict: Verdict) -> str:
    """The last words."""
    if verdict.success:
        return "Right."
    return f"Not right ({verdict.kind}): {verdict.message}."
