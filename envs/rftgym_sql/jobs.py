"""The functions that run inside the sandbox. They are told queries, and never which of their results would be right.

:func:`answer` runs a candidate's query. :func:`gold`, in another process, runs the task's own query and its mutants on
many states, and chooses those that tell them apart. :func:`load` and :func:`describe` read a task of the user's own.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from rftgym_sql.choosing import Trial, choose
from rftgym_sql.compare import same
from rftgym_sql.duck import DuckDatabase
from rftgym_sql.results import Bounds, Result, Unfit
from rftgym_sql.sqlite import SqliteDatabase

TOLD_ENOUGH = 3
"""A mutant that so many states tell from the query is not tried on further ones."""
_ROW_ID = re.compile(r"\bINTEGER(\s+PRIMARY\s+KEY)", re.IGNORECASE)
Header = Mapping[str, Any]
Said = tuple[dict[str, Any], tuple[()]]
Database = SqliteDatabase | DuckDatabase


def answer(header: Header, blobs: Sequence[memoryview]) -> Said:
    """Run one query on every state.

    Returns:
        "results" by state, and "touched": tables that were read; or, at the first failure, "kind" and "message".
    """
    results: list[Result] = []
    try:
        with closing(_open(header)) as database:
            for rows in header["states"]:
                database.fill(rows)
                results.append(database.ask(header["query"]))
    except Unfit as error:
        return {"kind": error.kind, "message": str(error)[:300]}, ()
    return {"results": results, "touched": sorted(database.touched)}, ()


def gold(header: Header, blobs: Sequence[memoryview]) -> Said:
    """Run a task's own query, and its mutants, on many states; choose some.

    Returns:
        "chosen": numbers of states; "results" of the query on them; "told": numbers of the mutants that each state
        tells from the query; "unsteady": numbers of chosen states on which the result is not the only right one. Or
        "kind" and "message" where the query fails.
    """
    try:
        trials = _trials(header)
        chosen = choose(trials, header["wanted"], keep=header["keep"])
        unsteady = _unsteady(header, chosen)
    except Unfit as error:
        return {"kind": error.kind, "message": str(error)[:300]}, ()
    return {
        "chosen": [trial.number for trial in chosen],
        "results": [trial.result for trial in chosen],
        "told": [sorted(trial.told) for trial in chosen],
        "unsteady": unsteady,
    }, ()


def _trials(header: Header) -> list[Trial]:
    """What the query, and its mutants, make of each state."""
    times = Counter[int]()
    trials: list[Trial] = []
    with closing(_open(header)) as database:
        for number, rows in enumerate(header["states"]):
            _fill(database, number, rows)
            result = database.ask(header["query"])
            places = [place for place in range(len(header["mutants"])) if times[place] < TOLD_ENOUGH]
            told = {
                place
                for place in places
                if not _alike(database, header["mutants"][place], result, header["order"])
            }
            times.update(told)
            trials.append(Trial(number, result, frozenset(told)))
    return trials


def _fill(database: Database, number: int, rows: Mapping[str, Any]) -> None:
    try:
        database.fill(rows)
    except Exception as error:
        raise Unfit("runtime", f"state {number + 1} cannot be made: {error}") from error


def _alike(database: Database, mutant: str, result: Result, order: Sequence[int] | None) -> bool:
    """Whether a mutant gives the result too."""
    try:
        return same(result, database.ask(mutant), order)
    except Unfit:
        return False


def _unsteady(header: Header, trials: Sequence[Trial]) -> list[int]:
    """States whose result is another one with rows stored the other way round, so that it is not the only right one."""
    # An id that is SQLite's own number of a row would keep rows in its order, whatever order they come in.
    ddl = header["ddl"] if "AUTOINCREMENT" in header["ddl"].upper() else _ROW_ID.sub(r"INT\1", header["ddl"])
    found = []
    with closing(_open({**header, "ddl": ddl})) as database:
        database.turn_round()
        for trial in trials:
            stored = header["states"][trial.number]
            database.fill({table: values[::-1] for table, values in stored.items()})
            if not same(trial.result, database.ask(header["query"]), header["order"]):
                found.append(trial.number)
    return found


def load(header: Header, blobs: Sequence[memoryview]) -> Said:
    """Run each state's INSERT statements; "states": the rows by table; or "state", a number, and "message"."""
    states: list[dict[str, Any]] = []
    for number, statements in enumerate(header["states"]):
        try:
            with closing(_open(header)) as database:
                database.run(";".join(statements) + ";")
                states.append({table: database.rows(table) for table in database.tables})
        except Exception as error:  # noqa: BLE001  # two engines' own exceptions; told to the task's author
            return {"state": number, "message": f"{type(error).__name__}: {error}"[:300]}, ()
    return {"states": states}, ()


def describe(header: Header, blobs: Sequence[memoryview]) -> Said:
    """Tables, columns and keys of CREATE TABLE statements, as SQLite reads them; or "message" where it cannot."""
    connection = sqlite3.connect(":memory:")
    try:
        connection.executescript(header["ddl"])
    except sqlite3.Error as error:
        return {"message": str(error)}, ()
    tables = []
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid"):
        columns = connection.execute(f'PRAGMA table_info("{name}")').fetchall()
        keys = connection.execute(f'PRAGMA foreign_key_list("{name}")').fetchall()
        unique = [
            [column for _, _, column in connection.execute(f'PRAGMA index_info("{index[1]}")')]
            for index in connection.execute(f'PRAGMA index_list("{name}")').fetchall()
            if index[2]
        ]
        tables.append(
            {
                "name": name,
                "columns": [[column[1], column[2], bool(column[3]), int(column[5])] for column in columns],
                "references": [[key[3], key[2], key[4]] for key in keys],
                "unique": unique,
            }
        )
    return {"tables": tables}, ()


def _open(header: Header) -> Database:
    kind = DuckDatabase if header["engine"] == "duckdb" else SqliteDatabase
    return kind(header["ddl"], Bounds(**header["bounds"]))
