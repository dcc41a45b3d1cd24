"""Rows of a file as tasks: what is asked, what is accepted, and which split a row belongs to."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ConfigDict, Field

from rftgym import Task, TaskRow
from rftgym.data import JSON, Example, prompt_key
from rftgym.errors import UsageError
from rftgym.tasks import SPLITS
from rftgym_dataset.matching import Match, check_accepted, known_match

SHARES = {"validation": 0.1, "test": 0.1}
"""Of the rows that name no split; the others are to train on."""


class DatasetRow(TaskRow):
    """A row as one would write it by hand; docs/data.md has the other formats that a ``--tasks`` file may be in.

    Further fields stay with the task, for rewards of your own.
    """

    model_config = ConfigDict(extra="allow")

    prompt: str | list[dict[str, str]] = Field(
        description="The question, or the messages up to it", examples=["What is 6 times 7?"]
    )
    answer: str | float | bool | list[Any] | dict[str, Any] = Field(
        description="What is right: a text, a number, or a list of all that are accepted", examples=["42"]
    )
    match: Match | None = Field(
        None, description="How answers are compared; 'normalised' where nothing is said"
    )


@dataclass(frozen=True, slots=True)
class Posed:
    """A row that poses a task.

    Attributes:
        example: where it comes from.
        accepted: right answers.
        match: how to compare; None: as the environment does.
        split: that the row names, or None.
        prompt: equal for rows that ask the same.
    """

    example: Example
    accepted: tuple[JSON, ...]
    match: Match | None
    split: str | None
    prompt: bytes


def tasks_of(examples: Sequence[Example]) -> list[Task]:
    """The tasks of a file's rows, in their order.

    A row without an id gets one from its prompt and answer; equal rows are told apart by a number. A row without a
    split is put into one by a hash of its prompt, see :func:`splits_of`.

    Raises:
        UsageError: a row poses no task, cannot be judged, or asks in one split what another asks in another split;
            names its line.
    """
    posed = []
    for example in examples:
        try:
            posed.append(_posed(example))
        except UsageError as error:
            raise UsageError(f"{_where(example)}: {error}") from error
    splits = splits_of(posed)
    ids = _ids(posed)
    return [_task(row, id, splits[row.prompt]) for row, id in zip(posed, ids, strict=True)]


def _posed(example: Example) -> Posed:
    if example.plain:
        raise UsageError("a text without turns asks nothing; give rows a 'prompt' and an 'answer'")
    match = _match(example.extra.get("match"))
    answer = example.extra.get("answer")
    if answer is None:
        answer = example.answer
    accepted = tuple(answer) if isinstance(answer, list) and match != "json" else (answer,)
    check_accepted(match or "normalised", accepted)
    return Posed(example, accepted, match, example.split, prompt_key(example))


def _match(said: JSON) -> Match | None:
    return None if said is None or said == "" else known_match(said)


def _task(row: Posed, id: str, split: str) -> Task:
    example = row.example
    data = {
        "messages": [{"role": message.role, "content": message.content} for message in example.prompt],
        "accepted": list(row.accepted),
        "match": row.match,
        "shown": example.answer,
        "fields": {name: value for name, value in example.extra.items() if name not in ("id", "split")},
    }
    return Task(id, data, split, _difficulty(example))


def _difficulty(example: Example) -> float | None:
    said = example.extra.get("difficulty")
    if said is None or said == "":
        return None
    try:
        number = float(said) if isinstance(said, int | float | str) else -1.0
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise UsageError(f"{_where(example)}: difficulty {said!r:.40} is no number from 0 to 1")
    return number


def _ids(posed: Sequence[Posed]) -> list[str]:
    seen: Counter[str] = Counter()
    ids = []
    for row in posed:
        given = row.example.extra.get("id")
        if given is None or given == "":
            content = row.prompt + json.dumps([row.accepted, row.match], sort_keys=True).encode()
            id = hashlib.blake2b(content, digest_size=6).hexdigest()
            seen[id] += 1
            ids.append(id if seen[id] == 1 else f"{id}-{seen[id]}")
        elif isinstance(given, str | int | float):
            ids.append(str(given))
        else:
            raise UsageError(f"{_where(row.example)}: id {given!r:.40}; it must be text or a number")
    return ids


def _where(example: Example) -> str:
    return f"{example.source}, line {example.line}"


# ---- splits


def splits_of(posed: Sequence[Posed]) -> dict[bytes, str]:
    """The split of each prompt: that which a row names, else 80% train, 10% validation, 10% test by its hash.

    So a row stays in its split whatever rows come later. Where chance leaves a split without a row, though three rows
    name none, the prompt whose hash comes first moves there from "train".

    Raises:
        UsageError: two rows with one prompt name different splits.
    """
    named: dict[bytes, Posed] = {}
    for row in posed:
        if row.split is not None:
            other = named.setdefault(row.prompt, row)
            if other.split != row.split:
                raise UsageError(
                    f"{_where(row.example)}: it is of split {row.split!r}, and {_where(other.example)} asks the same "
                    f"in split {other.split!r}; what is trained on must not be tested on"
                )
    splits = {prompt: str(row.split) for prompt, row in named.items()}
    free = sorted({row.prompt for row in posed} - set(splits), key=_place)
    splits.update({prompt: _by_place(_place(prompt)) for prompt in free})
    if len(free) >= len(SPLITS):
        _fill(splits, free)
    return splits


def _place(prompt: bytes) -> float:
    """A prompt's place between 0 and 1, by hash."""
    digest = hashlib.blake2b(b"split:" + prompt, digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def _by_place(place: float) -> str:
    edge = 0.0
    for split, share in SHARES.items():
        edge += share
        if place < edge:
            return split
    return "train"


def _fill(splits: dict[bytes, str], free: Sequence[bytes]) -> None:
    """Give each split at least one prompt, from the split that has most to spare."""
    for split in SPLITS:
        if split in splits.values():
            continue
        counts: Mapping[str, int] = Counter(splits[prompt] for prompt in free)
        richest = max(counts, key=lambda name: counts[name])
        if counts[richest] > 1:
            splits[next(prompt for prompt in free if splits[prompt] == richest)] = split
