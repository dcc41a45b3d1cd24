"""The judge: a query in, a verdict out. What it is compared with never enters the process in which it runs."""

from __future__ import annotations

import functools
import json
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from rftgym import Task
from rftgym.errors import UsageError
from rftgym.sandbox import Outcome
from rftgym_sql.catalogue import SCHEMAS
from rftgym_sql.choosing import luck
from rftgym_sql.compare import same
from rftgym_sql.described import schema_of
from rftgym_sql.mutants import mutants
from rftgym_sql.processes import Processes, Setting
from rftgym_sql.results import Result
from rftgym_sql.states import State, states
from rftgym_sql.tokens import complaint, unsteady
from rftgym_sql.verdict import Kind, Verdict

STATES = 6
ENOUGH = 4
"""A task of the user's own with fewer states gets others besides."""
TRIED = {"sqlite": 16, "duckdb": 10}
"""States from which a task's are chosen."""
MUTANTS = {"sqlite": 40, "duckdb": 16}
BOUNDS = {"rows": 5000, "characters": 1_000_000, "calls": 10_000}
"""Of one answer; a call is a thousand of SQLite's steps."""
OWN_SECONDS = 0.5
"""Processor time that a task's own query, or a mutant, may take on one state in DuckDB."""
FAILURES = [kind for kind in get_args(Kind) if kind not in ("right", "wrong")]
"""Kinds that the process of an answer may name."""
REMEMBERED = 2048


@dataclass(frozen=True, slots=True)
class Prepared:
    """A task's states, and what its own query gives on them."""

    ddl: str
    states: tuple[State, ...]
    results: tuple[Result, ...]
    told: tuple[frozenset[int], ...]

    @property
    def luck(self) -> float:
        """The largest share of states on which one constant result is right; no result at all is one."""
        prints = [repr(sorted(map(repr, result))) for result in self.results]
        return luck(prints)


class Judge:
    """Judges queries; thread-safe, as many at a time as it has workers."""

    def __init__(self, setting: Setting | None = None) -> None:
        self.setting = setting or Setting()
        self.processes = Processes(self.setting)
        self._lock = threading.Lock()
        self._prepared: OrderedDict[str, Prepared] = OrderedDict()

    def close(self) -> None:
        """End the warm process; a new one is started when it is needed."""
        self.processes.close()

    def judge(self, task: Task, query: str | None) -> Verdict:
        """The verdict on a query.

        Args:
            query: as the parser found it; None where it found none.

        Raises:
            UsageError: the task's own query fails.
            InfrastructureError: the sandbox is broken.
        """
        if query is None:
            return Verdict("missing", "there is no query in a ```sql block")
        if why := complaint(query):
            return Verdict("format", f"not one query: {why}")
        if why := unsteady(query):
            return Verdict("refused", why)
        prepared = self.prepared(task)
        header = {
            "engine": self.setting.engine,
            "ddl": prepared.ddl,
            "states": prepared.states,
            "query": query,
            "bounds": BOUNDS,
        }
        return _verdict(self.processes.answer(header), prepared, task.data["order"])

    # ---- what it stands on

    def prepared(self, task: Task) -> Prepared:
        """A task's states with the right results; remembered.

        Raises:
            UsageError: the task's own query fails, or its result is not the only right one.
        """
        key = f"{task.id} {json.dumps(task.data, sort_keys=True)}"
        with self._lock:
            if (known := self._prepared.get(key)) is not None:
                self._prepared.move_to_end(key)
                return known
        made = self._prepare(task)
        with self._lock:
            self._prepared[key] = made
            while len(self._prepared) > REMEMBERED:
                self._prepared.popitem(last=False)
        return made

    def _prepare(self, task: Task) -> Prepared:
        ddl, tried, keep = self._states(task)
        data, engine = task.data, self.setting.engine
        said = self.processes.told(
            "gold",
            {
                "engine": engine,
                "ddl": ddl,
                "states": tried,
                "query": data["query"],
                "mutants": [each.query for each in mutants(data["query"], MUTANTS[engine])],
                "order": data["order"],
                "own_schema": "ddl" in data,
                "wanted": STATES,
                "keep": keep,
                "bounds": {**BOUNDS, "seconds": OWN_SECONDS},
            },
        )
        if said.get("kind") == "state":
            raise UsageError(f"{said['message']}; give 'states' or 'rows' that the schema allows")
        if "message" in said:
            raise UsageError(f"task {task.id!r}: its own query fails ({said['kind']}): {said['message']}")
        if said["unsteady"]:
            raise UsageError(
                f"task {task.id!r}: the result of its own query depends on the order in which rows are stored; add "
                "columns to ORDER BY that leave no ties"
            )
        return Prepared(
            ddl,
            tuple(tried[number] for number in said["chosen"]),
            tuple(said["results"]),
            tuple(frozenset(told) for told in said["told"]),
        )

    def _states(self, task: Task) -> tuple[str, list[State], int]:
        """The schema's statements, states to choose from, and how many of them are given and to be kept."""
        data, n = task.data, TRIED[self.setting.engine]
        if "ddl" not in data:
            schema = SCHEMAS[data["schema"]]
            return schema.ddl(self.setting.engine), states(schema, data["seed"], data["pins"], n), 0
        given: list[State] = list(data["given"])
        if len(given) < ENOUGH and data["tables"]:
            schema, pins = schema_of(data["tables"], data["query"])
            return data["ddl"], [*given, *states(schema, data["seed"], pins, n)], len(given)
        return data["ddl"], given, len(given)


def _verdict(outcome: Outcome, prepared: Prepared, order: Sequence[int] | None) -> Verdict:
    """What the sandbox's answer amounts to."""
    kinds: Mapping[str, Kind] = {"timeout": "timeout", "memory": "memory", "output": "size"}
    if outcome.status != "ok":
        return Verdict(kinds.get(outcome.status, "crash"), outcome.message[:300])
    said = outcome.header
    if said.get("kind") in FAILURES:
        return Verdict(said["kind"], str(said.get("message"))[:300])
    if not _sound(said.get("results"), len(prepared.states)):
        return Verdict("crash", "the query's process gave no sound answer")
    if not said.get("touched"):
        return Verdict("untouched", "the query reads no table of the database")
    right = tuple(
        same(wanted, found, order) for wanted, found in zip(prepared.results, said["results"], strict=True)
    )
    if all(right):
        return Verdict("right", "right on every database", True, right, 1.0)
    message = f"right on {sum(right)} of {len(right)} databases"
    return Verdict("wrong", message, True, right, _beyond(sum(right) / len(right), prepared.luck))


def _sound(results: Any, states: int) -> bool:
    """Whether there are rows for each state; a process in which a hostile query ran may say anything."""
    return (
        isinstance(results, list)
        and len(results) == states
        and all(isinstance(each, list) and all(isinstance(row, list) for row in each) for each in results)
    )


def _beyond(share: float, by_luck: float) -> float:
    """A share of right states, less what luck gives, stretched to reach from 0 to 1."""
    return max(0.0, (share - by_luck) / (1 - by_luck)) if by_luck < 1 else 0.0


@functools.cache
def shared_judge(setting: Setting, process: int) -> Judge:
    """The judge that all environments of a process share which have the same settings."""
    return Judge(setting)
