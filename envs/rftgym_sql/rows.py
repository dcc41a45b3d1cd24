"""Tasks of the user's own: lines of a ``--tasks`` file, and what is made of them for an engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from rftgym import Task
from rftgym.env import TaskRow
from rftgym.errors import RftgymError, UsageError
from rftgym.tasks import SPLITS, ListTaskset
from rftgym_sql.judge import BOUNDS, Judge
from rftgym_sql.tokens import complaint, unsteady, without_end

Text = Annotated[str, StringConstraints(min_length=1, max_length=20_000)]
Cell = int | float | Annotated[str, StringConstraints(max_length=10_000)] | None
Table = Annotated[list[list[Cell]], Field(max_length=2000)]


class SqlRow(TaskRow):
    """One line of a ``--tasks`` file.

    Attributes:
        ddl: "schema" in the file: CREATE TABLE statements.
        question: what is asked.
        query: that answers it.
        columns: what the columns of the result are, in words.
        ordered: the order of rows matters; the query's ORDER BY then must leave no ties.
        states: database states, each a list of INSERT statements.
        rows: database states, each with the rows of its tables by name.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    ddl: Text = Field(alias="schema")
    question: Text
    query: Text
    columns: Annotated[str, StringConstraints(max_length=1000)] = ""
    ordered: bool = False
    states: Annotated[
        list[Annotated[list[Text], Field(max_length=2000)]], Field(max_length=20, default_factory=list)
    ]
    rows: Annotated[list[dict[str, Table]], Field(max_length=20, default_factory=list)]
    difficulty: Annotated[float, Field(ge=0, le=1)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_state(cls, row: Any) -> Any:
        """A single state need not stand in a list."""
        return (
            {**row, "rows": [row["rows"]]}
            if isinstance(row, dict) and isinstance(row.get("rows"), dict)
            else row
        )

    @model_validator(mode="after")
    def _sound(self) -> SqlRow:
        self.query = without_end(self.query)
        if why := complaint(self.query) or unsteady(self.query):
            raise ValueError(f"query: {why}")
        if self.states and self.rows:
            raise ValueError("give 'states' or 'rows', not both")
        return self


class FileTaskset(ListTaskset):
    """Tasks that know where they stand.

    Attributes:
        places: "file, line 3", by id.
    """

    def __init__(self, tasks: Sequence[Task], places: Mapping[str, str]) -> None:
        super().__init__(tasks)
        self.places = places

    def finished(self, judge: Judge) -> FileTaskset:
        """The same tasks, ready for a judge's engine: states loaded, the schema described, the query tried.

        Raises:
            UsageError: a task cannot be used; names its line.
        """
        tasks = [self.item(split, index) for split in SPLITS for index in range(self.size(split))]
        with ThreadPoolExecutor(judge.setting.workers) as pool:
            done = list(pool.map(lambda task: self._finished(task, judge), tasks))
        return FileTaskset(done, self.places)

    def _finished(self, task: Task, judge: Judge) -> Task:
        try:
            ready = _with_states(task, judge)
            prepared = judge.prepared(ready)
            if prepared.luck == 1:
                raise UsageError(
                    "query: its result is the same on every database, so a constant would be right; give 'states' in "
                    "which it differs"
                )
            if not (verdict := judge.judge(ready, task.data["query"])).success:
                raise UsageError(f"query: it is too costly for an answer ({verdict.kind}): {verdict.message}")
        except RftgymError as error:
            raise UsageError(f"{self.places.get(task.id, task.id)}: {error}") from error
        return ready


def _with_states(task: Task, judge: Judge) -> Task:
    """A task with its given states as rows, and with a description of its schema from which others are generated."""
    data, engine = task.data, judge.setting.engine
    if "given" in data:
        return task
    job = {"engine": engine, "ddl": data["ddl"], "bounds": BOUNDS}
    given = data["rows"] or data["states"]
    loaded = judge.processes.told("load", {**job, "states": given or [[]]})
    if "message" in loaded:
        raise UsageError(f"{'rows' if data['rows'] else 'states'}: {loaded['message']}")
    described = judge.processes.told("describe", job)
    tables = described.get("tables", [])
    if not tables and not given:
        raise UsageError(
            f"schema: no states can be made from it ({described.get('message', 'no table')}); give 'states'"
        )
    own = {
        "ddl": data["ddl"],
        "question": data["question"],
        "columns": data["columns"],
        "query": data["query"],
        "order": None if data["ordered"] else [],
        "given": loaded["states"] if given else [],
        "tables": tables,
        "seed": task.id,
    }
    return replace(task, data=own)
