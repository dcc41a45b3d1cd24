"""The functions that run inside the sandbox. They are told queries, and never which of their results would be right.

:func:`answer` runs a candidate's query. :func:`gold`, in another process, runs the task's own query and its mutants on
many states, and chooses those that tell them apart. :func:`load` and :func:`describe` read a task of the user's own.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rftgym_sql.choosing import Trial, choose
from rftgym_sql.compare import same
from rftgym_sql.duck import DuckState
from rftgym_sql.results import Bounds, Result, Unfit
from rftgym_sql.sqlite import SqliteState

TOLD_ENOUGH = 3
"""A mutant that so many states tell from the query is not tried on further ones."""
_ROW_ID = re.compile(r"\bINTEGER(\s+PRIMARY\s+KEY)", re.IGNORECASE)
Header = Mapping[str, Any]
Said = tuple[dict[str, Any], tuple[()]]


def answer(header: Header, blobs: Sequence[memoryview]) -> Said:
    """Run one query on every state.

    Returns:
        "results" by state, and "touched": tables that were read; or, at the first failure, "kind" and "message".
    """
    bounds = Bounds(**header["bounds"])
    results: list[Result] = []
    touched: set[str] = set()
    try:
        for rows in header["states"]:
            state = _open(header, rows, bounds)
            state.protect()
            results.append(state.ask(header["query"]))
            touched |= state.touched
            state.close()
    except Unfit as error:
        return {"kind": error.kind, "message": str(error)[:300]}, ()
    return {"results": results, "touched": sorted(touched)}, ()


def gold(header: Header, blobs: Sequence[memoryview]) -> Said:
    """Run a task's own query, and its mutants, on many states; choose some.

    Returns:
        "chosen": numbers of states; "results" of the query on them; "told": numbers of the mutants that each state
        tells from the query; "unsteady": numbers of chosen states on which the result is not the only right one. Or
        "kind" and "message" where the query fails.
    """
    try:
        trials = list[Trial]()
        times = Counter[int]()
        for number, rows in enumerate(header["states"]):
            places = [place for place in range(len(header["mutants"])) if times[place] < TOLD_ENOUGH]
            trials.append(_trial(header, number, rows, places))
            times.update(trials[-1].told)
        chosen = choose(trials, header["wanted"], keep=header["keep"])
        unsteady = [trial.number for trial in chosen if not _steady(header, trial)]
    except Unfit as error:
        return {"kind": error.kind, "message": str(error)[:300]}, ()
    return {
        "chosen": [trial.number for trial in chosen],
        "results": [trial.result for trial in chosen],
        "told": [sorted(trial.told) for trial in chosen],
        "unsteady": unsteady,
    }, ()


def _trial(header: Header, number: int, rows: Mapping[str, Any], places: Sequence[int]) -> Trial:
    """What the query, and its mutants at these places, make of one state."""
    bounds = Bounds(**header["bounds"])
    try:
        state = _open(header, rows, bounds)
    except Exception as error:
        raise Unfit("runtime", f"state {number + 1} cannot be made: {error}") from error
    state.protect()
    result = state.ask(header["query"])
    told = set()
    for place in places:
        try:
            if not same(result, state.ask(header["mutants"][place]), header["order"]):
                told.add(place)
        except Unfit:
            told.add(place)
    state.close()
    return Trial(number, result, frozenset(told))


def _steady(header: Header, trial: Trial) -> bool:
    """Whether the result is the same with rows stored the other way round; else it is not the only right one."""
    rows = {table: values[::-1] for table, values in header["states"][trial.number].items()}
    # An id that is SQLite's own number of a row would keep rows in its order, whatever order they come in.
    ddl = header["ddl"] if "AUTOINCREMENT" in header["ddl"].upper() else _ROW_ID.sub(r"INT\1", header["ddl"])
    state = _open({**header, "ddl": ddl}, rows, Bounds(**header["bounds"]))
    state.turn_round()
    state.protect()
    found = state.ask(header["query"])
    state.close()
    return same(trial.result, found, header["order"])


def load(header: Header, blobs: Sequence[memoryview]) -> Said:
    """Run each state's INSERT statements; "states": the rows by table; or "state", a number, and "message"."""
    states: list[dict[str, Any]] = []
    for number, statements in enumerate(header["states"]):
        try:
            state = _open(header, {}, Bounds(**header["bounds"]))
            state.run(";".join(statements) + ";")
            states.append({table: state.rows(table) for table in state.tables})
            state.close()
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


def _open(header: Header, rows: Mapping[str, Any], bounds: Bounds) -> SqliteState | DuckState:
    kind = DuckState if header["engine"] == "duckdb" else SqliteState
    return kind(header["ddl"], rows, bounds)
