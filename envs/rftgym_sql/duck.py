"""DuckDB inside the sandbox: one connection without files, network or settings, whose tables are made anew by state."""

from __future__ import annotations

import contextlib
import functools
import signal
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from rftgym_sql.results import Bounds, Result, Unfit, collected
from rftgym_sql.sqlite import Rows
from rftgym_sql.tokens import Token, tokens

CONFIG: Final[Mapping[str, str | bool | int | float | list[str]]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",  # else a table may be a variable of the Python that asks
    "temp_directory": "",
    "threads": "1",
    "memory_limit": "200MB",
}
NAMES = """
SELECT kind, name FROM (
  SELECT 1 AS place, 'VIEW' AS kind, view_name AS name, view_oid AS number FROM duckdb_views() WHERE NOT internal
  UNION ALL SELECT 2, 'TABLE', table_name, table_oid FROM duckdb_tables()
  UNION ALL SELECT 3, 'TYPE', type_name, type_oid FROM duckdb_types() WHERE NOT internal
  UNION ALL SELECT 4, 'SEQUENCE', sequence_name, sequence_oid FROM duckdb_sequences()
) ORDER BY place, number
"""
"""What a schema has made, in an order in which it can be removed."""
WARM_DDL = """
CREATE TABLE first (id INTEGER PRIMARY KEY, word VARCHAR);
CREATE TABLE second (id INTEGER PRIMARY KEY, first_id INTEGER, number DOUBLE);
"""
WARM_QUERY = """
SELECT f.word, COUNT(s.id), AVG(s.number), MAX(s.number) FROM first f LEFT JOIN second s ON s.first_id = f.id
WHERE f.id > 0 GROUP BY f.id, f.word HAVING COUNT(s.id) >= 0 ORDER BY f.word LIMIT 5
"""


class DuckDatabase:
    """A database that holds one state of a schema after the other. It is like `sqlite.SqliteDatabase`."""

    def __init__(self, ddl: str, bounds: Bounds) -> None:
        import duckdb

        self.bounds = bounds
        self._duckdb = duckdb
        self._connection = connected()
        self._connection.execute(without_references(ddl))
        names = self._connection.execute(NAMES).fetchall()
        self.tables = [name for kind, name in names if kind == "TABLE"]
        self._by_name = {name.lower(): name for name in self.tables}
        self._views = {name.lower() for kind, name in names if kind == "VIEW"}
        self._rows: Rows = {}
        self._stale: set[str] = set()
        self._holding: set[str] = set()
        self._known: dict[str, tuple[Any, frozenset[str]]] = {}
        self.touched: set[str] = set()

    def fill(self, rows: Rows, now: bool = True) -> None:
        """Hold these rows, by table, and no others. Unless it has to be now, a table gets its own when it is read."""
        if unknown := [name for name in rows if name.lower() not in self._by_name]:
            raise ValueError(f"no such table: {', '.join(unknown)}")
        self._rows = {self._by_name[name.lower()]: values for name, values in rows.items()}
        self._stale = {*self.tables}
        if now:
            self._refresh(self.tables)

    def _refresh(self, tables: Iterable[str]) -> None:
        """Put the rows of the present state into these tables, where they do not hold them yet."""
        stale = sorted(self._stale.intersection(tables))
        emptied = [table for table in stale if table in self._holding]
        self._run_together([(f'DELETE FROM "{table}"', None) for table in emptied])  # noqa: S608  # the task's own
        filled = [table for table in stale if self._rows.get(table)]
        self._run_together([_insertion(table, self._rows[table]) for table in filled])
        self._holding = (self._holding - {*emptied}) | {*filled}
        self._stale -= {*stale}

    def _run_together(self, statements: Sequence[tuple[str, list[Any] | None]]) -> None:
        """In one transaction, which takes half the time of several."""
        if not statements:
            return
        self._connection.execute("BEGIN")
        try:
            for statement, values in statements:
                self._connection.execute(statement, values)
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def rows(self, table: str) -> list[list[Any]]:
        """All that a table holds."""
        sql = f'SELECT * FROM "{table}"'  # noqa: S608  # the task's own table, in a sandbox
        return collected(self._connection.execute(sql), self.bounds)

    def turned(self) -> DuckDatabase:
        """Itself: DuckDB goes through rows as they were stored."""
        return self

    def run(self, statements: str) -> None:
        """Statements of the task's author."""
        self._connection.execute(statements)

    def ask(self, query: str) -> Result:
        """The rows that a query gives.

        Raises:
            Unfit: it fails, or goes beyond the bounds.
        """
        try:
            statement, read = self._read(query)
            self._refresh(self.tables if read & self._views else [self._by_name[name] for name in read])
            with _ended_after(self.bounds.seconds):
                found = collected(self._connection.execute(statement), self.bounds)
        except (self._duckdb.Error, RuntimeError, ValueError, OverflowError) as error:
            raise Unfit(self._kind(error), " ".join(str(error).split())[:300]) from error
        except MemoryError as error:
            raise Unfit("memory", "it needs too much memory") from error
        self.touched |= read
        return found

    def _read(self, query: str) -> tuple[Any, frozenset[str]]:
        """A query as a statement, and the tables that it reads; remembered, for it is asked in several states."""
        if query not in self._known:
            statements = self._connection.extract_statements(query)
            if len(statements) != 1 or statements[0].type != self._duckdb.StatementType.SELECT:
                raise Unfit("refused", "only one SELECT is allowed")
            read = frozenset(name.lower() for name in self._connection.get_table_names(query))
            if unknown := read - {*self._by_name, *self._views}:
                raise Unfit("name", f"no such table: {', '.join(sorted(unknown))}")
            self._known[query] = statements[0], read
        return self._known[query]

    def _kind(self, error: Exception) -> str:
        if "interrupted" in str(error).lower():
            return "timeout"
        kinds = (
            (self._duckdb.ParserException, "syntax"),
            (self._duckdb.BinderException, "name"),
            (self._duckdb.CatalogException, "name"),
            (self._duckdb.PermissionException, "refused"),
            (self._duckdb.OutOfMemoryException, "memory"),
        )
        return next((kind for exception, kind in kinds if isinstance(error, exception)), "runtime")

    def close(self) -> None:
        """Remove all that the schema's statements have made."""
        for kind, name in self._connection.execute(NAMES).fetchall():
            self._connection.execute(f'DROP {kind} IF EXISTS "{name}"')


@functools.cache
def connected() -> Any:
    """The one connection of this process.

    Connecting takes longer than all of a job's queries. Therefore the sandbox does it before any job, and each job's
    process begins with a copy, in which the code of the usual ways is warm.
    """
    import duckdb

    connection = duckdb.connect(":memory:", config=dict(CONFIG))
    with contextlib.suppress(duckdb.Error):  # before 2.0 there are no such threads, and no such setting
        connection.execute("SET async_threads = 0")
    connection.execute("SET lock_configuration = true")
    return connection


def warm_up() -> None:
    """Make ready a process from which others are forked."""
    database = DuckDatabase(WARM_DDL, Bounds(rows=100, characters=100, calls=0))
    database.fill({"first": [[1, "a"], [2, None]], "second": [[1, 1, 0.5], [2, 1, 2.5]]})
    database.ask(WARM_QUERY)
    database.close()


@contextlib.contextmanager
def _ended_after(seconds: float) -> Iterator[None]:
    """End a query after so much processor time, by a signal, which DuckDB looks out for; 0: never."""

    def end(*_: object) -> None:
        raise RuntimeError("interrupted")

    before = signal.signal(signal.SIGPROF, end) if seconds else None
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        if seconds:
            signal.signal(signal.SIGPROF, before)


def _insertion(table: str, rows: Sequence[Sequence[Any]]) -> tuple[str, list[Any]]:
    """A statement that puts rows into a table, and its values by column: text of as many values is slow to read."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    made = ",".join(["unnest(?)"] * len(columns))
    return f'INSERT INTO "{table}" SELECT {made}', columns


def without_references(ddl: str) -> str:
    """CREATE TABLE statements without foreign keys, which DuckDB would check row by row, in the order of insertion."""
    pieces, kept = [piece for piece in tokens(ddl) if piece.kind != "space"], list[str]()
    place = 0
    while place < len(pieces):
        piece = pieces[place]
        following = pieces[place + 1].upper if place + 1 < len(pieces) else ""
        if piece.text == "," and following in ("FOREIGN", "CONSTRAINT") and _names_a_table(pieces, place + 1):
            place = _behind(pieces, place + 1)
        elif piece.upper == "REFERENCES":
            place = _behind(pieces, place + 1, stop=_COLUMN_WORDS)
        else:
            kept.append(piece.text)
            place += 1
    return " ".join(kept)


_COLUMN_WORDS = ("NOT", "NULL", "PRIMARY", "UNIQUE", "DEFAULT", "CHECK")


def _names_a_table(pieces: Sequence[Token], start: int) -> bool:
    return any(piece.upper == "REFERENCES" for piece in pieces[start : _behind(pieces, start)])


def _behind(pieces: Sequence[Token], start: int, stop: Sequence[str] = ()) -> int:
    """The place behind a constraint: of the next comma or closing bracket on its level, or of a word of the column."""
    depth = 0
    for place in range(start, len(pieces)):
        depth += {"(": 1, ")": -1}.get(pieces[place].text, 0)
        if depth < 0 or (not depth and (pieces[place].text == "," or pieces[place].upper in stop)):
            return place
    return len(pieces)


def literal(value: Any) -> str:
    """A plain value as SQL."""
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)
