"""SQLite inside the sandbox: databases in memory, which let queries read their tables and do nothing else."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from rftgym_sql.results import Bounds, Result, Unfit, collected

Rows = Mapping[str, Sequence[Sequence[Any]]]
STEPS_A_CALL = 1000
LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 1_000_000,  # bytes of a value or a row
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_COLUMN: 200,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 200,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 50,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 100_000,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 50,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 200,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 0,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}
FUNCTIONS = frozenset(
    """abs avg ceil ceiling char coalesce concat concat_ws count cume_dist date datetime dense_rank exp first_value
    floor format glob group_concat hex ifnull iif instr julianday lag last_value lead length like likelihood likely ln
    log log10 log2 lower ltrim max min mod nth_value ntile nullif percent_rank pow power printf quote rank replace
    round row_number rtrim sign sqrt strftime string_agg substr substring sum time timediff total trim trunc typeof
    unicode unixepoch unlikely upper""".split()  # noqa: SIM905  # easier to read than 80 quoted words
)
"""What queries may call: neither chance, nor the clock, nor the library's insides."""
OWN_TABLES = (
    "sqlite_",
    "pragma_",
    "json_",
    "fts",
    "rtree",
    "dbstat",
    "bytecode",
    "tables_used",
    "generate_series",
)
"""What the names of the library's own tables begin with."""
NAMES = """
SELECT type, name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite~_%' ESCAPE '~'
"""
_ROW_ID = re.compile(r"\bINTEGER(\s+PRIMARY\s+KEY)", re.IGNORECASE)
_KINDS = (
    ("not authorized", "refused"),
    ("prohibited", "refused"),
    ("one statement", "refused"),
    ("interrupted", "timeout"),
    ("syntax error", "syntax"),
    ("incomplete input", "syntax"),
    ("unrecognized token", "syntax"),
    ("no such", "name"),
    ("ambiguous column", "name"),
    ("too big", "size"),
    ("too many", "size"),
    ("too large", "size"),
    ("too long", "size"),
    ("too complex", "size"),
    ("stack overflow", "size"),
    ("out of memory", "memory"),
)


class SqliteDatabase:
    """A database that holds one state of a schema after the other.

    Args:
        ddl: CREATE TABLE statements.
        bounds: of what is asked.

    Attributes:
        bounds: what is left of them: the steps are shared by all queries until others are set.
        tables: their names.
        touched: tables of the schema that queries have read, in lower case.
    """

    def __init__(self, ddl: str, bounds: Bounds) -> None:
        self._ddl, self.bounds = ddl, bounds
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        self._connection.text_factory = lambda raw: raw.decode(errors="replace")
        self._connection.execute("PRAGMA temp_store = MEMORY")  # there is nowhere to write to
        self._connection.executescript(f"BEGIN;{ddl};COMMIT")
        found = self._connection.execute(NAMES).fetchall()
        self.tables = [name for kind, name in found if kind == "table"]
        self._readable = {name.lower() for _, name in found}
        self.touched: set[str] = set()
        self._asked = False
        # Once for all: another one would have every statement compiled again.
        self._connection.set_authorizer(self._allow)

    def fill(self, rows: Rows, now: bool = True) -> None:
        """Hold these rows, by table, and no others.

        Args:
            now: else an engine may wait until a query reads a table. SQLite is too quick to gain by that.
        """
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._connection.execute("BEGIN")
        for table, values in rows.items():
            if values:
                marks = ",".join("?" * len(values[0]))
                sql = f'INSERT INTO "{table}" VALUES ({marks})'  # noqa: S608  # the task's own table, in a sandbox
                self._connection.executemany(sql, values)
        for which, value in LIMITS.items():
            self._connection.setlimit(which, value)

    def _allow(self, action: int, first: str | None, second: str | None, *_: object) -> int:
        """What a query may do: read the schema's tables, and call harmless functions."""
        if not self._asked:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_READ and first is not None:
            if first.lower() in self._readable:
                self.touched.add(first.lower())
                return sqlite3.SQLITE_OK
            # COUNT(*) of a WITH's own table is asked for by that name and without a column.
            named = not second and not first.lower().startswith(OWN_TABLES)
            return sqlite3.SQLITE_OK if named else sqlite3.SQLITE_DENY
        if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in FUNCTIONS:
            return sqlite3.SQLITE_OK
        allowed = action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE)
        return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY

    def turned(self) -> SqliteDatabase:
        """Another one, empty, that goes through rows in the other direction wherever a query does not say in which."""
        # An id that is SQLite's own number of a row would keep rows in its order, whatever order they come in.
        kept = "AUTOINCREMENT" in self._ddl.upper()
        other = SqliteDatabase(self._ddl if kept else _ROW_ID.sub(r"INT\1", self._ddl), self.bounds)
        other._connection.execute("PRAGMA reverse_unordered_selects = ON")
        return other

    def rows(self, table: str) -> list[list[Any]]:
        """All that a table holds."""
        sql = f'SELECT * FROM "{table}"'  # noqa: S608  # the task's own table, in a sandbox
        found = [list(row) for row in self._connection.execute(sql)]
        if any(isinstance(value, bytes) for row in found for value in row):
            raise ValueError(f"table {table} holds bytes; use text, or whole numbers")
        return found

    def run(self, statements: str) -> None:
        """Statements of the task's author."""
        self._connection.executescript(statements)

    def ask(self, query: str) -> Result:
        """The rows that a query gives.

        Raises:
            Unfit: it fails, or goes beyond the bounds.
        """
        self._asked = True
        self._connection.set_progress_handler(self.bounds.spend, STEPS_A_CALL)
        try:
            with closing(self._connection.execute(query)) as cursor:
                return collected(cursor, self.bounds)
        except MemoryError as error:
            raise Unfit("memory", "it needs too much memory") from error
        except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
            text = str(error)
            kind = next((kind for words, kind in _KINDS if words in text), "runtime")
            said = "more steps than a query may take" if kind == "timeout" else text
            raise Unfit(kind, said) from error
        finally:
            self._connection.set_progress_handler(None, STEPS_A_CALL)
            self._asked = False

    def close(self) -> None:
        """Let go of the memory."""
        self._connection.close()
