"""Datasets of the hub, through ``datasets``; the only part of this package that may use the network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rftgym.data.containers import SUFFIXES
from rftgym.data.parquet import plain
from rftgym.data.records import SPLIT_NAMES, BadRow, RawRow, Refused, one_line
from rftgym.errors import UsageError

_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def is_hub_id(name: str) -> bool:
    """Whether a name can be ``owner/name``."""
    return _ID.fullmatch(name) is not None and not name.lower().endswith(SUFFIXES)


def hub_rows(name: str) -> Iterator[tuple[str, str | None, Iterator[RawRow | BadRow]]]:
    """The splits of a dataset, each as a file whose rows are numbered from 1.

    Raises:
        UsageError: it cannot be had, say because there is no network.
    """
    for split, rows in _loaded(name).items():
        said = SPLIT_NAMES.get(re.split(r"[^a-z]", str(split).lower(), maxsplit=1)[0])
        source = f"{name}:{split}"
        yield source, said, _raw(source, rows)


def _loaded(name: str) -> dict[str, Any]:
    import datasets

    try:
        loaded: dict[str, Any] = datasets.load_dataset(name)
    except Exception as error:  # network, hub and loading scripts fail in a dozen classes
        raise UsageError(
            f"no file or folder {name}, and as a dataset of the hub it cannot be had "
            f"({type(error).__name__}: {one_line(str(error), 160)}); fetch it where there is a network, with "
            f"`hf download --repo-type dataset {name} --local-dir DIRECTORY`, and name that directory"
        ) from error
    return loaded


def _raw(source: str, rows: Any) -> Iterator[RawRow | BadRow]:
    for number, row in enumerate(rows, start=1):
        try:
            yield RawRow(number, {key: plain(value) for key, value in row.items()})
        except Refused as refusal:
            yield BadRow(source, number, str(refusal))
