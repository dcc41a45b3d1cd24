"""The functions that run inside the sandbox. They are told queries, and never which of their results would be right.

:func:`answer` runs a candidate's query. :func:`gold`, in another process, runs the task's own query and its mutants on
many states, and chooses those that tell them apart. :func:`load` and :func:`describe` read a task of the user's own.
"""

from __future__ import annotations

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
HOPELESS = ("syntax", "name", "refused", "timeout")
"""Kinds of failure that a query shows on every state, or that would take too long to see again."""
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
        database = _open(header)  # which ends with this process
        for rows in header["states"]:
            database.fill(rows, now=False)
            results.append(database.ask(header["query"]))
    except Unfit as error:
        return {"kind": error.kind, "message": str(error)[:300]}, ()
    return {"results": results, "touched": sorted(database.touched)}, ()


def gold(header: Header, blobs: Sequence[memoryview]) -> Said:
    """Run a task's own query, and its mutants, on many states; choose some.

    Returns:
        "chosen": numbers of states; "results" of the query on them; "told": numbers of the mutants that each state
        tells from the query; "unsteady": numbers of chosen states on which the result is not the only right one. Or
        "kind" and "message" where the query fails; the kind is "state" where a state cannot be made.
    """
    try:
        with closing(_open(header)) as database:
            trials = _trials(database, header)
            chosen = choose(trials, header["wanted"], keep=header["keep"])
            unsteady = _unsteady(database.turned(), header, chosen)
    except Unfit as error:
        return {"kind": error.kind, "message": str(error)[:300]}, ()
    return {
        "chosen": [trial.number for trial in chosen],
        "results": [trial.result for trial in chosen],
        "told": [sorted(trial.told) for trial in chosen],
        "unsteady": unsteady,
    }, ()


def _trials(database: Database, header: Header) -> list[Trial]:
    """What the query, and its mutants, make of each state."""
    left = dict(enumerate(header["mutants"]))
    times = Counter[int]()
    trials: list[Trial] = []
    for number, rows in enumerate(header["states"]):
        try:
            database.fill(rows, now=header["own_schema"])
        except Exception as error:
            raise Unfit("state", _unmade(number, error)) from error
        result = _asked(database, header, header["query"])
        told = _told(database, header, left, result)
        times.update(told)
        left = {place: query for place, query in left.items() if times[place] < TOLD_ENOUGH}
        trials.append(Trial(number, result, told))
    return trials


def _asked(database: Database, header: Header, query: str) -> Result:
    """What a query gives, within bounds of its own."""
    database.bounds = Bounds(**header["bounds"])
    return database.ask(query)


def _told(database: Database, header: Header, mutants: dict[int, str], result: Result) -> frozenset[int]:
    """Places of the mutants that give another result; those that never come to one are removed."""
    told = set()
    for place, query in list(mutants.items()):
        try:
            if not same(result, _asked(database, header, query), header["order"]):
                told.add(place)
        except Unfit as error:
            if error.kind in HOPELESS:
                del mutants[place]
            else:
                told.add(place)
    return frozenset(told)


def _unsteady(database: Database, header: Header, trials: Sequence[Trial]) -> list[int]:
    """States whose result is another one with rows stored the other way round, so that it is not the only right one."""
    found = []
    for trial in trials:
        rows = {table: values[::-1] for table, values in header["states"][trial.number].items()}
        database.fill(rows, now=False)
        if not same(trial.result, _asked(database, header, header["query"]), header["order"]):
            found.append(trial.number)
    return found


def load(header: Header, blobs: Sequence[memoryview]) -> Said:
    """Make each state, from INSERT statements or from rows; "states": the rows by table; or a "message"."""
    states: list[dict[str, Any]] = []
    for number, given in enumerate(header["states"]):
        try:
            with closing(_open(header)) as database:
                if isinstance(given, dict):
                    database.fill(given)
                else:
                    database.run(";".join(given) + ";")
                states.append({table: database.rows(table) for table in database.tables})
        except Exception as error:  # noqa: BLE001  # two engines' own exceptions; told to the task's author
            return {"message": _unmade(number, error)}, ()
    return {"states": states}, ()


def _unmade(number: int, error: Exception) -> str:
    """Why a state cannot be made, without the excerpt of a statement that DuckDB adds after an empty line."""
    why, _, _ = str(error).partition("\n\n")
    return f"state {number + 1} cannot be made: {why[:300]}"


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
