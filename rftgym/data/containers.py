"""Files as rows: JSON lines, a JSON array, CSV. What a file is, its content decides.

Whatever a file holds, memory stays bounded: lines are read up to a limit and the rest of a longer one is skipped.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from rftgym.data.jsontext import array_rows, row_of
from rftgym.data.parquet import parquet_rows
from rftgym.data.records import (
    JSON,
    LONGEST_ROW_BYTES,
    BadRow,
    RawRow,
    Refused,
    check_utf8,
    decoded,
    one_line,
)
from rftgym.errors import UsageError

SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")
"""Of the files that are read from a folder."""
LONGEST_FIELD_CHARS = 131_072
"""Of a CSV field: the csv module's own limit, which belongs to the whole process and is left as it is."""
CHUNK_BYTES = 1024**2
_BOM = b"\xef\xbb\xbf"
_DELIMITERS = (",", ";", "\t")
_FOREIGN = {
    b"\x1f\x8b": "gzip-compressed: unpack it first (gunzip)",
    b"PK\x03\x04": "a zip archive: unpack it first (unzip)",
    b"\x28\xb5\x2f\xfd": "zstd-compressed: unpack it first (unzstd)",
    b"\xff\xfe": "UTF-16 text: save it as UTF-8",
    b"\xfe\xff": "UTF-16 text: save it as UTF-8",
    b"ARROW1": "an Arrow file: save it as parquet (Dataset.to_parquet)",
}

RawRows = Iterator[RawRow | BadRow]
Reader = Callable[[Path], RawRows]


def rows_of(path: Path) -> RawRows:
    """The rows of a file, in order; a row that cannot be read is there as a :class:`BadRow`.

    Raises:
        UsageError: the file cannot be read, is empty, or is none of the containers that are known.
    """
    try:
        yield from reader_of(path)(path)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error


def reader_of(path: Path) -> Reader:
    """Who reads a file, by its first kilobytes, and by its name where they leave it open.

    Raises:
        UsageError: nobody does; says what it looks like.
        OSError: it cannot be opened.
    """
    with path.open("rb") as file:
        head = file.read(65_536)
    if not head:
        raise UsageError(f"{path} is empty")
    for magic, what in _FOREIGN.items():
        if head.startswith(magic):
            raise UsageError(f"{path}, line 1: it is {what}")
    suffix, text = path.suffix.lower(), head.removeprefix(_BOM).lstrip()
    if head.startswith(b"PAR1") or suffix == ".parquet":
        return parquet_rows
    if suffix in (".csv", ".tsv"):
        return csv_rows
    if text.startswith(b"["):
        return array_file_rows
    if suffix == ".json" and text.startswith(b"{") and not _ends_on_its_line(text):
        raise UsageError(
            f"{path}, line 1: one JSON object over several lines; write a list of rows ([...]), or one object a line"
        )
    if text.startswith(b"{") or suffix in SUFFIXES:
        return jsonl_rows
    raise UsageError(
        f"{path}, line 1: neither JSON lines, a JSON list, CSV nor parquet; it begins with "
        f"{one_line(decoded(text[:30]))!r} (files of CSV end in .csv)"
    )


def _ends_on_its_line(text: bytes) -> bool:
    return text.split(b"\n", 1)[0].rstrip().endswith(b"}")


# ---- lines


def lines_of(file: IO[bytes], limit: int = LONGEST_ROW_BYTES) -> Iterator[tuple[int, bytes | None]]:
    """The lines of a file with their numbers, from 1; None in place of one that is longer than ``limit`` bytes.

    A byte order mark at the beginning is left out. The rest of a line that is too long is read past in pieces.
    """
    number = 0
    while line := file.readline(limit + 2):  # a line of exactly the limit, and its end (\r\n)
        number += 1
        whole = line.endswith(b"\n")
        while not whole and (rest := file.readline(CHUNK_BYTES)):
            line, whole = b"", rest.endswith(b"\n")
        if number == 1:
            line = line.removeprefix(_BOM)
        content = line.rstrip(b"\r\n")
        yield number, content if line and len(content) <= limit else None


def jsonl_rows(path: Path, limit: int = LONGEST_ROW_BYTES) -> RawRows:
    """The rows of a JSON-lines file; blank lines are none."""
    with path.open("rb") as file:
        for number, line in lines_of(file, limit):
            if line is None:
                yield BadRow(str(path), number, f"the line is longer than {limit:,} bytes")
            elif line.strip():
                yield row_of(number, str(path), decoded(line))


def array_file_rows(path: Path, limit: int = LONGEST_ROW_BYTES) -> RawRows:
    """The rows of a file that holds one JSON array."""
    with path.open("rb") as file:
        if file.read(len(_BOM)) != _BOM:
            file.seek(0)
        yield from array_rows(file, str(path), limit)


# ---- CSV


class _CsvLines:
    """A file's lines for the csv module, which counts them; stops a record that goes on and on."""

    def __init__(self, file: IO[bytes], limit: int) -> None:
        self._lines, self._limit = lines_of(file, limit), limit
        self.number, self.record_chars = 0, 0

    def __iter__(self) -> _CsvLines:
        return self

    def __next__(self) -> str:
        self.number, line = next(self._lines)
        if line is None:
            raise Refused(f"the line is longer than {self._limit:,} bytes")
        text = decoded(line) + "\n"
        self.record_chars += len(text)
        if self.record_chars > self._limit:
            raise Refused(f"the row is longer than {self._limit:,} characters: is a quote not closed?")
        return text


def csv_rows(path: Path, limit: int = LONGEST_ROW_BYTES) -> RawRows:
    """The rows of a CSV file with a header, by the names of its columns; an empty cell is no field.

    The delimiter is the one of comma, semicolon and tab that stands most often in the first line. A row's line is that
    on which it begins; cells may hold line breaks within quotes.

    Raises:
        UsageError: the header has a nameless column, one name twice, or cannot be read.
    """
    with path.open("rb") as file:
        first = decoded(next(lines_of(file, limit))[1] or b"")
        file.seek(0)
        lines = _CsvLines(file, limit)
        delimiter = max(_DELIMITERS, key=first.count)
        records = _records(csv.reader(lines, delimiter=delimiter, strict=True), lines)
        columns = _columns(path, next(records, None))
        for number, cells in records:
            try:
                yield RawRow(number, _by_column(columns, cells))
            except Refused as refusal:
                yield BadRow(str(path), number, str(refusal))


def _records(reader: Iterator[list[str]], lines: _CsvLines) -> Iterator[tuple[int, list[str] | Refused]]:
    """Records, or what is wrong with them, with the lines on which they begin; the module goes on after an error."""
    while True:
        first, lines.record_chars = lines.number + 1, 0
        try:
            cells = next(reader)
        except StopIteration:
            return
        except Refused as refusal:
            yield first, refusal
        except csv.Error as error:
            yield first, Refused(_csv_reason(str(error)))
        else:
            if cells:
                yield first, cells


def _csv_reason(error: str) -> str:
    if "unexpected end of data" in error:
        return "a quote that opens in this row is not closed before the end of the file"
    if "field limit" in error:
        return f"a field is longer than {LONGEST_FIELD_CHARS:,} characters: is a quote not closed?"
    return f"not CSV ({error})"


def _columns(path: Path, header: tuple[int, list[str] | Refused] | None) -> list[str]:
    if header is None:
        raise UsageError(f"{path} holds no rows")
    number, cells = header
    names = [] if isinstance(cells, Refused) else [cell.strip() for cell in cells]
    reason = str(cells) if isinstance(cells, Refused) else ""
    for name in names:
        if not name:
            reason = "a column of the header has no name"
        elif names.count(name) > 1:
            reason = f"the header names the column {name!r} twice"
    if reason:
        raise UsageError(f"{path}, line {number}: {one_line(reason)}")
    return names


def _by_column(columns: list[str], cells: list[str] | Refused) -> dict[str, JSON]:
    if isinstance(cells, Refused):
        raise cells
    if len(cells) != len(columns):
        raise Refused(
            f"the row has {len(cells)} field{'s' if len(cells) > 1 else ''}, and the header {len(columns)}"
        )
    for name, cell in zip(columns, cells, strict=True):
        check_utf8(cell, f"column {name!r}")
    return {name: cell for name, cell in zip(columns, cells, strict=True) if cell}
