"""Records the corpus: runs every input through the real JVM and writes data/tasks.jsonl.gz.

``PYTHONPATH=envs python -m rftgym_transpile.corpus.record`` does it; the bytes are the same wherever Java behaves as
its specification says. ``--check`` writes nothing and says which tasks would change.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final

from rftgym.errors import ContractError
from rftgym_transpile.corpus.draws import TESTS
from rftgym_transpile.corpus.families import families
from rftgym_transpile.corpus.family import Case, Family
from rftgym_transpile.corpus.tasks import RECORDED, records
from rftgym_transpile.jvm import Jvm
from rftgym_transpile.programs import Program, Ran

BATCH: Final = 50
LARGEST_BYTES: Final = 2_000_000


def recorded(chosen: Iterable[Family]) -> list[dict[str, Any]]:
    """The records of some families, with what the JVM says.

    Raises:
        ContractError: a Java text does not compile, does not end, or does not take its inputs.
        UsageError: no JDK is installed.
    """
    pairs = [(family, case) for family in chosen for case in family.cases()]
    found: list[dict[str, Any]] = []
    with Jvm() as jvm:
        for start in range(0, len(pairs), BATCH):
            batch = pairs[start : start + BATCH]
            programs = [Program(case.source, case.entry, case.inputs) for _, case in batch]
            for (family, case), ran in zip(batch, jvm.run(programs), strict=True):
                found.append(_record(family, case, ran))
    return found


def _record(family: Family, case: Case, ran: Ran) -> dict[str, Any]:
    if ran.status != "ok" or len(ran.expected) != len(case.inputs):
        raise ContractError(f"corpus task {case.id!r}: {ran.status}: {ran.message}")
    chosen = chosen_tests(ran.expected, case.kept)
    return {
        "id": case.id,
        "split": family.split,
        "difficulty": family.difficulty,
        "family": family.name,
        "category": family.category,
        "simple": family.simple,
        "entry": case.entry,
        "java": case.source,
        "solution": case.solution,
        "inputs": [ran.inputs[i] for i in chosen],
        "expected": [ran.expected[i] for i in chosen],
    }


def chosen_tests(expected: Sequence[Any], kept: int, count: int = TESTS) -> list[int]:
    """Which inputs a task is recorded with, by number: different results in turn, so that rare ones are not rare.

    Args:
        expected: what the JVM says of each input.
        kept: inputs, from the first on, that are chosen in any case.
        count: how many are chosen at most.
    """
    groups: dict[str, list[int]] = {}
    for number, result in enumerate(expected):
        groups.setdefault(json.dumps(result), []).append(number)
    turns = sorted((turn, number) for group in groups.values() for turn, number in enumerate(group))
    first = list(range(min(kept, count, len(expected))))
    return sorted([*first, *[number for _, number in turns if number >= kept][: count - len(first)]])


def packed(lines: Sequence[dict[str, Any]]) -> bytes:
    """Records as the bytes of a file: one JSON object a line, compressed without a date."""
    text = "".join(json.dumps(each, ensure_ascii=True, separators=(",", ":")) + "\n" for each in lines)
    return gzip.compress(text.encode("ascii"), compresslevel=9, mtime=0)


def differing(old: Iterable[dict[str, Any]], new: Iterable[dict[str, Any]]) -> list[str]:
    """Ids of tasks that are not the same in both."""
    before, after = ({each["id"]: each for each in lines} for lines in (old, new))
    return sorted(id for id in {*before, *after} if before.get(id) != after.get(id))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser(
        description="Record the corpus of Java tasks with the JVM of this machine."
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail where a recorded task would change"
    )
    wanted = parser.parse_args(arguments)
    fresh = recorded(families())
    if wanted.check:
        changed = differing(records(), fresh)
        sys.stdout.write(f"{len(fresh)} tasks, {len(changed)} differ {' '.join(changed[:20])}\n")
        return 1 if changed else 0
    data = packed(fresh)
    if len(data) > LARGEST_BYTES:
        raise ContractError(f"{RECORDED.name} would have {len(data)} bytes; it may have {LARGEST_BYTES}")
    RECORDED.parent.mkdir(exist_ok=True)
    RECORDED.write_bytes(data)
    sys.stdout.write(f"{len(fresh)} tasks, {len(data)} bytes: {RECORDED.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
