"""Trajectories on disk: gzip-compressed JSON lines, one episode a line, exact to the last bit.

A file is written as a whole; more episodes for it are a further gzip member, again written with the whole.
Every field of a :class:`rftgym.Trajectory` stands under its own name; masks are not stored, since the lengths of
the token lists are the mask. Log-probabilities that are float32 values, as samplers make them, are written with
the nine digits that tell every float32 from every other (IEEE 754-2019, 5.12.2) and cast back when read; all
others as float64.
"""

from __future__ import annotations

import gzip
import json
import zlib
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rftgym.errors import RftgymError
from rftgym.runs.atomic import write_bytes
from rftgym.runs.strictjson import tagged, untagged
from rftgym.types import Failure, Message, Score, Task, Trajectory, Turn

COMPRESSION = 3
"""Of gzip: level 6 takes twice the time for 6% less."""


def write_trajectories(path: Path, trajectories: Iterable[Trajectory]) -> None:
    """Write a file of trajectories, or add to one that is there."""
    lines = b"".join(encode(trajectory) + b"\n" for trajectory in trajectories)
    before = path.read_bytes() if path.exists() else b""
    write_bytes(path, before + gzip.compress(lines, COMPRESSION, mtime=0))


def read_trajectories(path: Path) -> Iterator[Trajectory]:
    """The trajectories of a file, in the order in which they were written.

    Raises:
        RftgymError: the file is damaged; says where.
    """
    count = 0
    try:
        with gzip.open(path, "rb") as file:
            for line in file:
                count += 1
                yield decode(line)
    except (EOFError, OSError, zlib.error, ValueError, KeyError, TypeError) as error:
        raise RftgymError(f"{path} is damaged near line {count}: {type(error).__name__}: {error}") from error


def encode(trajectory: Trajectory) -> bytes:
    """One trajectory as one line of ASCII JSON, without its line end."""
    t, task, score = trajectory, trajectory.task, trajectory.score
    posed = {"id": task.id, "data": task.data, "split": task.split, "difficulty": task.difficulty}
    record = {
        **tagged({"env": t.env, "task": posed, "seed": t.seed, "group": t.group, "sample": t.sample}),
        **tagged({"policy": t.policy, "policy_version": t.policy_version}),
        "turns": [_turn(turn) for turn in t.turns],
        "closing": _messages(t.closing),
        **tagged({"terminated": t.terminated, "truncated": t.truncated}),
        "failures": [tagged(asdict(failure)) for failure in t.failures],
        "score": None if score is None else tagged(asdict(score)),
    }
    return json.dumps(record, separators=(",", ":"), allow_nan=False).encode("ascii")


def decode(line: bytes | str) -> Trajectory:
    """The trajectory that :func:`encode` was given.

    Raises:
        ValueError, KeyError, TypeError: the line is not one that it made.
    """
    record = json.loads(line)
    turns, closing, score = record.pop("turns"), record.pop("closing"), untagged(record.pop("score"))
    fields = untagged(record)
    fields["task"] = Task(**fields["task"])
    fields["failures"] = [Failure(**failure) for failure in fields["failures"]]
    return Trajectory(
        **fields,
        turns=[_read_turn(turn) for turn in turns],
        closing=_read_messages(closing),
        score=None if score is None else Score(**score),
    )


def _turn(turn: Turn) -> dict[str, Any]:
    logprobs, dtype = _logprobs(turn.logprobs)
    return {
        "messages": _messages(turn.messages),
        "completion": tagged(turn.completion),
        "prompt_ids": [int(token) for token in turn.prompt_ids],
        "completion_ids": [int(token) for token in turn.completion_ids],
        "logprobs": logprobs,
        "logprobs_dtype": dtype,
        "stop_reason": turn.stop_reason,
        "answer": tagged(turn.answer),
        "well_formed": tagged(turn.well_formed),
        "info": tagged(turn.info),
        "rewards": tagged(turn.rewards),
        "seconds": tagged(turn.seconds),
    }


def _read_turn(record: Mapping[str, Any]) -> Turn:
    values: list[float] = untagged(record["logprobs"])
    return Turn(
        messages=_read_messages(record["messages"]),
        completion=untagged(record["completion"]),
        prompt_ids=tuple(record["prompt_ids"]),
        completion_ids=tuple(record["completion_ids"]),
        logprobs=tuple(array("f", values) if record["logprobs_dtype"] == "float32" else values),
        stop_reason=record["stop_reason"],
        answer=untagged(record["answer"]),
        well_formed=record["well_formed"],
        info=untagged(record["info"]),
        rewards=untagged(record["rewards"]),
        seconds=untagged(record["seconds"]),
    )


def _logprobs(values: Sequence[float]) -> tuple[list[Any], str]:
    exact = [float(value) for value in values]
    narrow = array("f", exact)
    if all(a == b or b != b for a, b in zip(narrow, exact, strict=True)):  # b != b: NaN is NaN in every width
        return [tagged(float(f"{value:.9g}")) for value in exact], "float32"
    return tagged(exact), "float64"


def _messages(messages: Iterable[Message]) -> list[dict[str, Any]]:
    return [{"role": message.role, "content": tagged(message.content)} for message in messages]


def _read_messages(records: Iterable[Mapping[str, Any]]) -> tuple[Message, ...]:
    return tuple(Message(record["role"], untagged(record["content"])) for record in records)
