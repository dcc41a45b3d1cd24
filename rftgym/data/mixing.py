"""What a trainer learns from: several sources with weights, without duplicates, in an order that a seed decides."""

from __future__ import annotations

import hashlib
import json
import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from rftgym.data.reading import Rows, lines, read
from rftgym.data.records import Example
from rftgym.errors import UsageError
from rftgym.types import Message

LARGEST_WEIGHT = 100.0


@dataclass(slots=True)
class Mixture:
    """Examples to learn from.

    Attributes:
        examples: in the order in which to learn from them; an example of a source with weight 2 is there twice.
        rows: the sources as they were read.
        report: what was read, repeated and left out, one line each, for people.
        duplicates: rows left out because the same conversation stood before them.
        conflicting: examples whose prompt stands elsewhere with another answer. They are kept.
        held_out: rows left out because they are of another split, by split.
        leaking: examples whose prompt is also held out. They are kept.
    """

    examples: list[Example]
    rows: list[Rows]
    report: list[str] = field(default_factory=list)
    duplicates: int = 0
    conflicting: int = 0
    held_out: dict[str, int] = field(default_factory=dict)
    leaking: list[Example] = field(default_factory=list)


def load(
    sources: Sequence[str],
    *,
    seed: int,
    n: int | None = None,
    max_bad_share: float = 0.0,
    split: str | None = "train",
) -> Mixture:
    """Read and mix sources as a person names them: ``load(["a.jsonl", "b.csv=2"], seed=0)``.

    Args:
        sources: each a file, a folder or a hub id, perhaps with ``=WEIGHT`` behind it; see :func:`mixed`.
        seed, n, split: see :func:`mixed`.
        max_bad_share: the share of a source's rows that may be unusable.

    Raises:
        UsageError: see :func:`rftgym.data.read` and :func:`mixed`.
    """
    weighed = [weighted(source) for source in sources]
    rows = [(read(name, max_bad_share=max_bad_share), weight) for name, weight in weighed]
    return mixed(rows, seed=seed, n=n, split=split)


def weighted(source: str) -> tuple[str, float]:
    """``"b.csv=2"`` as ``("b.csv", 2.0)``; a source whose own name looks like this is taken as it is.

    Raises:
        UsageError: the weight is no number above 0, or above :data:`LARGEST_WEIGHT`.
    """
    name, equals, text = source.rpartition("=")
    if not equals or _exists(source):
        return source, 1.0
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not name or not 0 < weight <= LARGEST_WEIGHT:
        raise UsageError(
            f"{source!r}: expected SOURCE=WEIGHT with a weight above 0 and at most {LARGEST_WEIGHT:g}"
        )
    return name, weight


def _exists(name: str) -> bool:
    try:
        return Path(name).exists()
    except OSError:  # a name that is too long, say
        return False


def mixed(
    sources: Sequence[tuple[Rows, float]], *, seed: int, n: int | None = None, split: str | None = "train"
) -> Mixture:
    """Mix sources.

    Of conversations that are equal but for white space and the form of their characters, the first stays. Then each
    source's examples are repeated by its weight (2: each twice; 0.5: a half that the seed chooses), and all are
    shuffled.

    Args:
        sources: rows with weights.
        seed: of the choice and of the order.
        n: this many of the mixture; None: all.
        split: rows that say that they are of another split are left out (those that say nothing are of "train"); None
            takes all.

    Raises:
        UsageError: nothing is left, or less than ``n``.
    """
    result = Mixture([], [rows for rows, _ in sources])
    groups = _unique(result, split)
    _find_conflicts(result, groups)
    for index, ((rows, weight), group) in enumerate(zip(sources, groups, strict=True)):
        taken = _repeated(group, weight, Random(f"{seed}:{index}:weight"))
        result.examples += taken
        of = f"{rows.source}: {rows.count} rows of format {rows.format}"
        result.report.append(f"{of}, weight {weight:g}, {len(taken)} examples")
    Random(f"{seed}:order").shuffle(result.examples)
    _report(result)
    if not result.examples:
        raise UsageError(f"{_names(result)}: no row of split {split!r} is there to learn from")
    if n is not None and not 0 < n <= len(result.examples):
        raise UsageError(f"{_names(result)}: {n} examples asked for, and there are {len(result.examples)}")
    result.examples = result.examples[:n]
    return result


def _names(result: Mixture) -> str:
    return ", ".join(rows.source for rows in result.rows) or "no source"


def _unique(result: Mixture, split: str | None) -> list[list[Example]]:
    """The examples to keep, by source; what is left out is counted."""
    seen: set[bytes] = set()
    held: Counter[str] = Counter()
    held_prompts: set[bytes] = set()
    groups: list[list[Example]] = []
    for rows in result.rows:
        groups.append([])
        for example in rows.examples:
            own = example.split or "train"
            if split is not None and own != split:
                held[own] += 1
                held_prompts.add(prompt_key(example))
            elif (key := content_key(example)) in seen:
                result.duplicates += 1
            else:
                seen.add(key)
                groups[-1].append(example)
    result.held_out = dict(held)
    if held_prompts:
        result.leaking = [each for group in groups for each in group if prompt_key(each) in held_prompts]
    return groups


def _find_conflicts(result: Mixture, groups: Iterable[Iterable[Example]]) -> None:
    prompts = Counter(prompt_key(each) for group in groups for each in group if each.prompt)
    result.conflicting = sum(count for count in prompts.values() if count > 1)


def _repeated(examples: Sequence[Example], weight: float, rng: Random) -> list[Example]:
    whole = int(weight)
    part = round((weight - whole) * len(examples))
    if not whole and not part and examples:
        part = 1
    return [*examples] * whole + rng.sample(examples, part)


def _report(result: Mixture) -> None:
    for rows in result.rows:
        more = f" (the first {len(rows.bad)} of {rows.bad_count})" if rows.bad_count > len(rows.bad) else ""
        result.report += [f"bad row left out{more}: {bad}" for bad in rows.bad]
        result.report += rows.notes
    if result.duplicates:
        result.report.append(f"{_rows(result.duplicates)} left out: the same conversation stands before")
    if result.conflicting:
        result.report.append(
            f"{_rows(result.conflicting)} with the prompt of another and a different answer, kept"
        )
    for name, count in result.held_out.items():
        result.report.append(f"{_rows(count)} of split {name!r} left out")
    if result.leaking:
        result.report.append(
            f"{_rows(len(result.leaking))} with a prompt that is also held out, so a test on it says nothing: "
            f"{lines(result.leaking)}"
        )


def _rows(count: int) -> str:
    return f"{count} row{'s' if count != 1 else ''}"


# ---- what is the same


def normalised(text: str) -> str:
    """Text in the composed form of Unicode (NFC), with one space where there is any white space."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def content_key(example: Example) -> bytes:
    """Equal for conversations that are the same after normalisation."""
    return _key(example.messages, example.plain)


def prompt_key(example: Example) -> bytes:
    """Equal for examples whose prompts are the same after normalisation; of a text without turns, the text."""
    return _key(example.prompt or example.messages, example.plain)


def _key(messages: Iterable[Message], plain: bool) -> bytes:
    said = [plain, *([message.role, normalised(message.content)] for message in messages)]
    return hashlib.blake2b(json.dumps(said).encode("ascii"), digest_size=16).digest()
