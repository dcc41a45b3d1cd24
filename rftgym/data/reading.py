"""One source as rows: a file, a folder of files, or a dataset of the hub; every row checked, every refusal kept."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rftgym.data import formats
from rftgym.data.containers import SUFFIXES, RawRows, rows_of
from rftgym.data.hub import hub_rows, is_hub_id
from rftgym.data.records import SPLIT_NAMES, BadRow, Example, RawRow, Refused, one_line
from rftgym.errors import UsageError
from rftgym.types import Message

SHOWN_BAD_ROWS = 20
"""Bad rows that are kept with their reasons; the others are counted."""
_MARKUP = re.compile(r"<\|im_start\|>|<\|start_header_id\|>|\[INST\]|<start_of_turn>")
_NOT_ROWS = {"dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json"}
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(slots=True)
class Rows:
    """What a source holds.

    Attributes:
        source: as it was named.
        format: the name of its rows' format; of a folder whose files differ, all of them.
        examples: the good rows, in order.
        bad: the first rows that cannot be used, with their reasons; ``bad_count`` counts all.
        notes: what somebody should know who trains on this, one line each.
        files: that were read.
    """

    source: str
    format: str = ""
    examples: list[Example] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    bad_count: int = 0
    notes: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """All rows, good and bad."""
        return len(self.examples) + self.bad_count

    def check(self, max_bad_share: float) -> None:
        """Refuse a source with too many bad rows.

        Raises:
            UsageError: it has no usable row, or more bad ones than ``max_bad_share`` of all; names the first of them.
        """
        if not self.count:
            raise UsageError(f"{self.source} holds no rows")
        if self.examples and self.bad_count <= max_bad_share * self.count:
            return
        share = f"{self.bad_count} of {self.count} row{'s' if self.count > 1 else ''} bad"
        allowed = "none may be" if max_bad_share == 0 else f"a share of {max_bad_share:g} may be"
        raise UsageError(f"{self.bad[0]} ({share}, {allowed}; `rftgym data inspect` shows them)")


def read(source: str | Path, *, max_bad_share: float = 0.0) -> Rows:
    """The rows of a source.

    Args:
        source: a file (JSON lines, a JSON list, CSV, parquet), a folder of such files, or a hub id ``owner/name``.
        max_bad_share: the share of rows, from 0 to 1, that may be unusable.

    Raises:
        UsageError: it cannot be read, or too many of its rows are bad; names the file, the line and the reason.
    """
    if not 0 <= max_bad_share <= 1:
        raise UsageError(f"max_bad_share={max_bad_share}: a share lies between 0 and 1")
    rows = scan(source)
    rows.check(max_bad_share)
    return rows


def scan(source: str | Path) -> Rows:
    """The rows of a source however many of them are bad: for whoever wants to see all that is wrong.

    Raises:
        UsageError: it cannot be read at all.
    """
    found = Rows(str(source))
    names: list[str] = []
    for name, split, raw in _files(source):
        found.files.append(name)
        before = found.count
        kind = _take(found, name, split, raw)
        if found.count == before:
            raise UsageError(f"{name} holds no rows")
        names += [kind] if kind else []
    found.format = ", ".join(dict.fromkeys(names)) or "unknown"
    _note_markup(found)
    return found


def _files(source: str | Path) -> Iterator[tuple[str, str | None, RawRows]]:
    """The files of a source with the split that their name says, and their rows."""
    path = Path(source)
    if not str(source).strip():
        raise UsageError("no file named: the name is empty")
    try:
        path.stat()
    except (OSError, ValueError) as error:
        if is_hub_id(str(source)):
            yield from hub_rows(str(source))
            return
        why = "no such file or folder" if isinstance(error, FileNotFoundError) else str(error)
        raise UsageError(f"cannot read {one_line(str(source))}: {one_line(why)}") from error
    if path.is_dir():
        for file in _in_folder(path):
            yield str(file), _split_of_name(file), rows_of(file)
    elif path.is_file():
        yield str(path), None, rows_of(path)
    else:
        raise UsageError(f"{source} is neither a file nor a folder")


def _in_folder(folder: Path) -> list[Path]:
    found: list[Path] = []
    for parent, folders, names in os.walk(folder):  # follows no links
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [
            Path(parent, name)
            for name in sorted(names)
            if Path(name).suffix.lower() in SUFFIXES and name not in _NOT_ROWS and not name.startswith(".")
            if Path(parent, name).is_file()
        ]
    if not found:
        raise UsageError(f"nothing to read in {folder}: no file in it ends in {', '.join(SUFFIXES)}")
    return found


def _split_of_name(file: Path) -> str | None:
    """``test-00000-of-00001.parquet`` is of split "test", as in the hub's own folders."""
    return SPLIT_NAMES.get(re.split(r"[^a-z]", file.name.lower(), maxsplit=1)[0])


def _take(found: Rows, name: str, split: str | None, raw: RawRows) -> str | None:
    """Add a file's rows; its format is that of its first good one."""
    kind: formats.Format | None = None
    first = 0
    for row in raw:
        try:
            if isinstance(row, BadRow):
                raise Refused(row.reason)
            own = _format(row)
            if kind is not None and own.name != kind.name:
                raise Refused(
                    f"the row is of format {own.name!r}, and the rows from line {first} on of {kind.name!r}"
                )
            found.examples.append(_example(row, own, name, split))
            if kind is None:
                kind, first = own, row.line
        except Refused as refusal:
            found.bad_count += 1
            if len(found.bad) < SHOWN_BAD_ROWS:
                found.bad.append(BadRow(name, row.line, one_line(str(refusal))))
    return kind.name if kind else None


def _format(row: RawRow) -> formats.Format:
    """A row's format; a field that is null counts as missing where the others make a format without it."""
    given = {name: value for name, value in row.value.items() if value is not None}
    kind = formats.format_of(given) or formats.format_of(row.value)
    if kind is None:
        raise Refused(formats.unknown(row.value))
    return kind


def _example(row: RawRow, kind: formats.Format, source: str, split: str | None) -> Example:
    extra = formats.further_fields(row.value, kind)
    if split is not None:
        extra.setdefault("split", split)
    _check_split(extra.get("split"))
    messages = kind.messages(row.value)
    plain = kind.name == "text"
    if messages[-1].role == "user" and extra.get("answer") is not None:
        messages.append(Message("assistant", formats.answer_text(extra["answer"])))
    check_messages(messages, plain=plain)
    return Example(tuple(messages), extra, source, row.line, plain)


def _check_split(said: object) -> None:
    if said is not None and said != "" and (not isinstance(said, str) or said.lower() not in SPLIT_NAMES):
        raise Refused(f"'split' is {said!r}; it must be one of train, validation, test")


def check_messages(messages: Sequence[Message], *, plain: bool = False) -> None:
    """Whether a conversation can be learnt from.

    Raises:
        Refused: a content is blank or holds a NUL or half a character, or the roles are not a system message or none,
            then user and assistant in turns, the assistant last.
    """
    for number, message in enumerate(messages, start=1):
        where = f"message {number} ({message.role})" if len(messages) > 1 else "the text"
        if not message.content.strip():
            raise Refused(f"{where} is empty")
        if "\0" in message.content:
            raise Refused(f"{where} holds a NUL character")
        if not message.content.isascii() and (half := _SURROGATE.search(message.content)):
            raise Refused(f"{where} holds half a character (the lone surrogate U+{ord(half[0]):04X})")
    if not plain:
        _check_turns([message.role for message in messages])


def _check_turns(roles: list[str]) -> None:
    skipped = 1 if roles[0] == "system" else 0
    for index, role in enumerate(roles[skipped:]):
        expected = ("user", "assistant")[index % 2]
        if role != expected:
            number = index + skipped + 1
            before = f"after one of the {roles[number - 2]}" if number > 1 else "at the beginning"
            raise Refused(f"message {number} is of the {role}, and {before} one of the {expected} must come")
    if roles[-1] != "assistant":
        raise Refused(
            f"the conversation ends with a message of the {roles[-1]}, so there is nothing to learn"
        )


def _note_markup(found: Rows) -> None:
    marked = Counter(
        each.source for each in found.examples if each.plain and _MARKUP.search(each.messages[0].content)
    )
    for source, count in marked.items():
        found.notes.append(
            f"{source}: {count} text{'s hold' if count > 1 else ' holds'} chat markup such as <|im_start|>, and is "
            "learnt from as text; write the conversations as 'messages' to have the model's own chat template"
        )


def lines(places: Iterable[Example], most: int = 5) -> str:
    """Places of examples for people: ``a.jsonl, line 3; a.jsonl, line 8``."""
    shown = [f"{each.source}, line {each.line}" for each in places]
    more = f" and {len(shown) - most} more" if len(shown) > most else ""
    return "; ".join(shown[:most]) + more
