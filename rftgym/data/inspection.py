"""What there is to know about files before training on them, as plain JSON values."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from statistics import median
from typing import Any, get_args

from rftgym.data.mixing import mixed, prompt_key
from rftgym.data.reading import Rows
from rftgym.data.records import Example
from rftgym.errors import UsageError
from rftgym.types import Message, Role

Facts = dict[str, Any]
FEW_EXAMPLES = 100
"""Below this many, supervised fine-tuning rarely generalises; reinforcement fine-tuning may: it makes its own data."""
BINS = 10
SHOWN = 5
"""Rows with text that the tokenizer refuses, by line."""


class TokenLengths:
    """Counts an example's tokens as training would see them: chat template, end-of-sequence tokens and all.

    Args:
        policy: one with a tokenizer and a chat format, that is, with weights.

    Attributes:
        context: tokens that the model can take; None where its configuration does not say.

    Raises:
        UsageError: the policy has no tokenizer.
    """

    def __init__(self, policy: Any) -> None:
        if not hasattr(policy, "chat") or not hasattr(policy, "tokenizer"):
            raise UsageError(
                f"model {policy.id!r} has no tokenizer here; name one with weights, say --model tiny"
            )
        self._chat, self._end = policy.chat, policy.tokenizer.eos_token_id
        config = policy.model.config.get_text_config()
        self.context: int | None = getattr(config, "max_position_embeddings", None)

    def __call__(self, example: Example) -> int:
        """Tokens of an example.

        Raises:
            UsageError: a message holds what the tokenizer takes for a control token.
        """
        tokens, said = 0, list[Message]()
        begun = example.plain
        for message in example.messages:
            if message.role != "assistant":
                said.append(message)
                continue
            if said:
                tokens += len(
                    self._chat.continuation(said, ended_by=self._end) if begun else self._chat.opening(said)
                )
            tokens += len(self._chat.completion(message.content)) + 1
            begun, said = True, []
        return tokens


def inspected(
    sources: Sequence[Rows],
    count_tokens: Callable[[Example], int],
    *,
    max_length: int,
) -> Facts:
    """Everything that ``rftgym data inspect --json`` prints but the model's name.

    Args:
        sources: as :func:`rftgym.data.scan` gives them, bad rows included.
        max_length: in tokens; what is longer would be cut.
    """
    examples = [example for rows in sources for example in rows.examples]
    if not examples:
        return {**_counts(sources), "examples": 0, "notes": [note for rows in sources for note in rows.notes]}
    mixture = mixed([(rows, 1.0) for rows in sources], seed=0, split=None)
    notes = [note for rows in sources for note in rows.notes]
    lengths, untokenised = _lengths(mixture.examples, count_tokens)
    return {
        **_counts(sources),
        "examples": len(mixture.examples),
        "duplicates": mixture.duplicates,
        "same_prompt_other_answer": mixture.conflicting,
        "fields": sorted({name for example in examples for name in example.extra}),
        "splits": dict(Counter(example.split or "" for example in mixture.examples)),
        "roles": _roles(mixture.examples),
        "turns": _turns(mixture.examples),
        "tokens": _token_facts(lengths, max_length),
        "leaks": _leaks(examples),
        "notes": notes + untokenised,
    }


def _counts(sources: Sequence[Rows]) -> Facts:
    return {
        "sources": [
            {
                "source": rows.source,
                "format": rows.format,
                "files": len(rows.files),
                "rows": rows.count,
                "bad": rows.bad_count,
            }
            for rows in sources
        ],
        "bad_rows": [
            {"source": bad.source, "line": bad.line, "reason": bad.reason}
            for rows in sources
            for bad in rows.bad
        ],
    }


def _roles(examples: Iterable[Example]) -> Facts:
    counts = Counter(message.role for each in examples for message in each.messages)
    return {role: counts[role] for role in get_args(Role) if counts[role]}


def _turns(examples: Iterable[Example]) -> Facts:
    """How many examples have how many completions; texts without turns have none."""
    counts = Counter(
        0 if each.plain else sum(m.role == "assistant" for m in each.messages) for each in examples
    )
    return {str(turns): counts[turns] for turns in sorted(counts)}


def _lengths(
    examples: Iterable[Example], count_tokens: Callable[[Example], int]
) -> tuple[list[int], list[str]]:
    lengths, refused = [], []
    for example in examples:
        try:
            lengths.append(count_tokens(example))
        except UsageError as error:
            refused.append(f"{example.source}, line {example.line}: {error}")
    more = [f"and {len(refused) - SHOWN} more such rows"] if len(refused) > SHOWN else []
    return sorted(lengths), refused[:SHOWN] + more


def _token_facts(lengths: Sequence[int], max_length: int) -> Facts:
    """Lengths are sorted."""
    if not lengths:
        return {"max_length": max_length, "total": 0, "truncated": 0, "truncated_share": 0.0, "histogram": []}
    truncated = sum(length > max_length for length in lengths)
    return {
        "max_length": max_length,
        "total": sum(lengths),
        "min": lengths[0],
        "median": median(lengths),
        "p90": lengths[math.ceil(0.9 * len(lengths)) - 1],
        "max": lengths[-1],
        "truncated": truncated,
        "truncated_share": truncated / len(lengths),
        "histogram": histogram(lengths),
    }


def histogram(values: Sequence[int], bins: int = BINS) -> list[Facts]:
    """At most ``bins`` bins of one round width over the values: "from" and "to" (both inclusive), and "count"."""
    low, high = min(values), max(values)
    width = next(each for each in _round_widths() if high // each - low // each < bins)
    counts = Counter(value // width for value in values)
    return [
        {"from": place * width, "to": (place + 1) * width - 1, "count": counts[place]}
        for place in range(low // width, high // width + 1)
    ]


def _round_widths() -> Iterator[int]:
    scale = 1
    while True:
        yield from (scale, 2 * scale, 5 * scale)
        scale *= 10


def _leaks(examples: Iterable[Example]) -> list[Facts]:
    """Rows whose prompt also stands in a row of another split, as pairs with the first such row."""
    first: dict[bytes, Example] = {}
    leaks = []
    for example in examples:
        if example.split is None:
            continue
        other = first.setdefault(prompt_key(example), example)
        if other.split != example.split:
            leaks.append({"one": _place(other), "other": _place(example)})
    return leaks


def _place(example: Example) -> Facts:
    return {"source": example.source, "line": example.line, "split": example.split}
