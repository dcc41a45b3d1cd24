"""Parquet, through pyarrow: a row is its number. What a file unpacks to is looked at before it is unpacked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import Any

from rftgym.data.records import (
    DEEPEST,
    JSON,
    LONGEST_ROW_BYTES,
    BadRow,
    RawRow,
    Refused,
    one_line,
)
from rftgym.errors import UsageError

LARGEST_GROUP_BYTES = 2 * 1024**3
"""Of a row group, unpacked: the least that has to be held at once."""
BATCH_BYTES = 64 * 1024**2
BATCH_ROWS = 256


def parquet_rows(path: Path, limit: int = LONGEST_ROW_BYTES) -> Iterator[RawRow | BadRow]:
    """The rows of a parquet file; a missing value is null.

    Raises:
        UsageError: it is no parquet, damaged, or has a row group that unpacks to too much.
    """
    import pyarrow
    import pyarrow.parquet

    number = 0
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            _check_columns(path, file.schema_arrow.names)
            _check_groups(path, file.metadata)
            for batch in file.iter_batches(batch_size=_batch_rows(file.metadata), use_threads=False):
                for index in range(batch.num_rows):
                    number += 1
                    yield _row(batch.slice(index, 1), number, str(path), limit)
    except (pyarrow.ArrowException, OSError) as error:
        where = f"row {number + 1} or later: " if number else ""
        raise UsageError(f"{path}, {where}not readable as parquet: {_first_line(error)}") from error


def _check_columns(path: Path, names: Sequence[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1:
            raise UsageError(f"{path}: it has {count} columns of the name {one_line(name)!r}")


def _check_groups(path: Path, metadata: Any) -> None:
    for index in range(metadata.num_row_groups):
        size = metadata.row_group(index).total_byte_size
        if size > LARGEST_GROUP_BYTES:
            raise UsageError(
                f"{path}, row group {index + 1} unpacks to {size / 1e9:.1f} GB, and at most "
                f"{LARGEST_GROUP_BYTES / 1e9:.1f} GB can be read: write it with smaller row groups"
            )


def _batch_rows(metadata: Any) -> int:
    total = sum(metadata.row_group(index).total_byte_size for index in range(metadata.num_row_groups))
    average = max(1, total // max(1, metadata.num_rows))
    return int(max(1, min(BATCH_ROWS, BATCH_BYTES // average)))


def _row(slice_: Any, number: int, source: str, limit: int) -> RawRow | BadRow:
    if slice_.nbytes > limit:
        return BadRow(source, number, f"the row is longer than {limit:,} bytes")
    try:
        (values,) = slice_.to_pylist()
        return RawRow(number, {name: plain(each) for name, each in values.items()})
    except Refused as refusal:
        return BadRow(source, number, str(refusal))
    except UnicodeDecodeError as error:  # Arrow does not check texts that a foreign writer made
        return BadRow(
            source,
            number,
            f"not UTF-8: byte 0x{error.object[error.start]:02x} at byte {error.start + 1} of a text",
        )
    except (ValueError, OverflowError) as error:  # Arrow's times reach farther than Python's
        return BadRow(source, number, f"a value of it does not exist in Python ({one_line(str(error))})")


def plain(value: Any, depth: int = 1) -> JSON:
    """A value of Arrow's as JSON: dates as ISO text, decimals as numbers, NaN as null, missing struct fields left out.

    Raises:
        Refused: it has no counterpart, or is nested too deeply.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else None
    if depth > DEEPEST:
        raise Refused(f"nested deeper than {DEEPEST} levels")
    if isinstance(value, dict):
        return {str(name): plain(each, depth + 1) for name, each in value.items() if each is not None}
    if isinstance(value, list | tuple):
        return [plain(each, depth + 1) for each in value]
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    raise Refused(f"a value of type {type(value).__name__} is no text, number or list")


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
