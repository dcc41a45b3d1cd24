"""Rows of foreign data sets as tasks: ids by content, splits by hash."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rftgym.errors import UsageError
from rftgym.types import Task

Row = Mapping[str, Any]
PARTS = 10
"""One of so many parts is held out for validation, and one for the test where there is no other."""


def tasks_of(
    name: str, rows: Iterable[Row], held_out: Iterable[Row] | None, numbering: str
) -> tuple[Task, ...]:
    """Tasks of a data set and of its evaluation set.

    An id is a hash of the row's content, so it stays when rows are added or reordered; a copy of a row gets "-2". Rows
    of the evaluation set are the test split, and are left out of the others. One row in ten of the rest is validation;
    without an evaluation set one in ten is test.

    Args:
        numbering: the field that only numbers the rows.

    Raises:
        UsageError: a row is no JSON.
    """
    test = None if held_out is None else _by_key(name, held_out, numbering)
    tested = {key for key, _ in test or ()}
    rest = [(key, row) for key, row in _by_key(name, rows, numbering) if key not in tested]
    splits = _splits([key for key, _ in rest], with_test=test is None)
    seen: Counter[str] = Counter()
    tasks = []
    for key, row in [*rest, *(test or ())]:
        seen[key] += 1
        id = key if seen[key] == 1 else f"{key}-{seen[key]}"
        tasks.append(Task(id, row, splits.get(key, "test")))
    return tuple(tasks)


def _by_key(name: str, rows: Iterable[Row], numbering: str) -> list[tuple[str, Row]]:
    found: list[tuple[str, Row]] = []
    for row in rows:
        plain = _plain(name, row)
        content = json.dumps({k: v for k, v in plain.items() if k != numbering}, sort_keys=True)
        found.append((hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:12], plain))
    return found


def _plain(name: str, row: Row) -> dict[str, Any]:
    try:
        plain: dict[str, Any] = json.loads(json.dumps(row))
    except (TypeError, ValueError) as error:
        wrong = [key for key, value in row.items() if not _is_json(value)]
        raise UsageError(
            f"verifiers:{name}: column {', '.join(wrong)} of its data is no JSON ({error}), "
            "so it can't be stored with a trajectory"
        ) from error
    return plain


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True


def _splits(keys: Sequence[str], *, with_test: bool) -> dict[str, str]:
    """Split by key. A set of some rows has at least one in each split."""
    held_out = ["validation", "test"] if with_test else ["validation"]
    splits = {
        key: held_out[part] if (part := int(key, 16) % PARTS) < len(held_out) else "train" for key in keys
    }
    for split in held_out:
        train = sorted(key for key, where in splits.items() if where == "train")
        if split not in splits.values() and len(train) > 1:
            splits[train[0]] = split
    return splits
