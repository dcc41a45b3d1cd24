"""Trajectories on disk: gzip-compressed JSON lines, one episode a line, exact to the last bit.

A file is written as a whole; more episodes for it are a further gzip member, again written with the whole. Token ids are plain
lists. Log-probabilities that are float32 values, as samplers make them, are written with the nine digits that tell every
float32 from every other (IEEE 754-2019, 5.12.2) and cast back when read; all others as float64.
"""

from __future__ import annotations

import gzip
import json
import math
import zlib
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rftgym.errors import RftgymError
from rftgym.runs.atomic import write_bytes
from rftgym.runs.strictjson import nonfinite, tagged, untagged
from rftgym.types import Failure, Message, Score, Task, Trajectory, Turn

COMPRESSION = 6


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
    line = 0
    try:
        with gzip.open(path, "rb") as file:
            for line, text in enumerate(file, 1):
                yield decode(text)
    except (EOFError, OSError, zlib.error, ValueError, KeyError, TypeError) as error:
        raise RftgymError(f"{path} is damaged after line {line}: {type(error).__name__}: {error}") from error


def encode(trajectory: Trajectory) -> bytes:
    """One trajectory as one line of ASCII JSON."""
    score = trajectory.score
    record = {
        "env": tagged(trajectory.env),
        "task": {
            "id": tagged(trajectory.task.id),
            "data": tagged(dict(trajectory.task.data)),
            "split": tagged(trajectory.task.split),
            "difficulty": _real(trajectory.task.difficulty),
        },
        "seed": int(trajectory.seed),
        "group": tagged(trajectory.group),
        "sample": int(trajectory.sample),
        "policy": tagged(trajectory.policy),
        "policy_version": int(trajectory.policy_version),
        "turns": [_turn(turn) for turn in trajectory.turns],
        "closing": _messages(trajectory.closing),
        "terminated": bool(trajectory.terminated),
        "truncated": bool(trajectory.truncated),
        "failures": [tagged(asdict(failure)) for failure in trajectory.failures],
        "score": score and {**_scores(score.components), "reward": _real(score.reward), "success": _flag(score.success)},
    }
    return json.dumps(record, separators=(",", ":"), allow_nan=False).encode("ascii")
