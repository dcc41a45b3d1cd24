"""SQL queries for questions about generated databases. Hook implementations only."""

from __future__ import annotations

from rftgym import EnvSpec, hookimpl


@hookimpl
def rftgym_environments() -> list[EnvSpec]:
    """The environment."""
    return [
        EnvSpec(
            id="sql",
            entry_point="rftgym_sql.env:SqlEnv",
            summary="Write one query for a question and a schema; judged on several databases (SQLite or DuckDB)",
            gymnasium_id="rftgym/Sql-v0",
            default_model="smollm2-135m",
            train_defaults={
                "sampling.max_tokens": 160,
                "trainer.steps": 60,
                "evaluation.n": 64,
                "evaluation.every": 20,
            },
        )
    ]
