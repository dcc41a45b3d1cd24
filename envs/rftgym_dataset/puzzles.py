"""The puzzles that the environment brings along, and how they were made: ``python -m rftgym_dataset.puzzles FILE``.

The file in ``data/`` is what counts; a test holds that this procedure still writes it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

Puzzle = dict[str, Any]
SEED = 2026
SPLITS = ("train",) * 7 + ("validation",) + ("test",) * 2
"""Of ten puzzles of a kind: 42, 6 and 12 of all."""
# fmt: off
WORDS = (
    "apple", "bread", "chair", "dance", "eagle", "flame", "grape", "house", "island", "jungle", "kettle",
    "lemon", "mirror", "night", "ocean", "paper", "queen", "river", "stone", "table", "under", "violet",
    "window", "yellow", "zebra", "bottle", "candle", "desert", "engine", "forest",
)
NUMBERS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve",
)
# fmt: on


def puzzles(seed: int = SEED) -> Iterator[Puzzle]:
    """All puzzles, kind by kind; none asks what another asks."""
    for kind, make in KINDS.items():
        rng, asked = Random(f"{seed}:{kind}"), set[str]()
        while len(asked) < len(SPLITS):
            puzzle = make(rng)
            if puzzle["prompt"] not in asked:
                split = SPLITS[len(asked)]
                asked.add(puzzle["prompt"])
                yield {"id": f"{kind}-{len(asked)}", "split": split, **puzzle}


def _sum(rng: Random) -> Puzzle:
    a, b = rng.randint(11, 79), rng.randint(11, 79)
    return {"prompt": f"What is {a} plus {b}?", "answer": a + b, "match": "number", "difficulty": 0.3}


def _sequence(rng: Random) -> Puzzle:
    start, step = rng.randint(1, 20), rng.randint(2, 9)
    terms = ", ".join(str(start + step * index) for index in range(4))
    return {
        "prompt": f"Which number comes next? {terms}",
        "answer": start + 4 * step,
        "match": "number",
        "difficulty": 0.4,
    }


def _reverse(rng: Random) -> Puzzle:
    word = rng.choice(WORDS)
    return {"prompt": f"Write the word {word} backwards.", "answer": word[::-1], "difficulty": 0.6}


def _letters(rng: Random) -> Puzzle:
    word = rng.choice(WORDS)
    return {
        "prompt": f"How many letters does the word {word} have?",
        "answer": [len(word), NUMBERS[len(word)]],
        "difficulty": 0.5,
    }


def _first(rng: Random) -> Puzzle:
    words = rng.sample(WORDS, 3)
    return {
        "prompt": f"Which of these words comes first in a dictionary: {', '.join(words)}?",
        "answer": min(words),
        "difficulty": 0.2,
    }


def _choice(rng: Random) -> Puzzle:
    numbers = rng.sample(range(10, 100), 3)
    options = " ".join(f"{letter}) {number}" for letter, number in zip("ABC", numbers, strict=True))
    return {
        "prompt": f"Which number is the largest? Answer with its letter. {options}",
        "answer": "ABC"[numbers.index(max(numbers))],
        "match": "choice",
        "difficulty": 0.1,
    }


KINDS: dict[str, Callable[[Random], Puzzle]] = {
    "sum": _sum,
    "sequence": _sequence,
    "reverse": _reverse,
    "letters": _letters,
    "first": _first,
    "choice": _choice,
}


def text() -> str:
    """The file's whole content."""
    return "".join(json.dumps(puzzle) + "\n" for puzzle in puzzles())


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text(), encoding="utf-8")
