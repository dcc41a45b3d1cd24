"""What is particular about single datasets of reasoning-gym 0.1.25, found by running and reading all of them.

Everything else treats them alike. ``docs/adapters/reasoning-gym.md`` says the same for people.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

REFUSED: Final[Mapping[str, str]] = {
    "composite": "it is a mix of datasets: say reasoning-gym:chain_sum:2,reasoning-gym:countdown",
}
"""Datasets that are no environment, and why."""

POOLS: Final[Mapping[str, int]] = {
    "acre": 4_000,
    "gsm_symbolic": 65_536,
    "list_functions": 65_536,
    "word_ladder": 20_000,
}
"""Datasets that lay out all their items when they are made, or refuse to be large: so many items are drawn from."""

APART: Final[Mapping[str, str]] = {
    "bf": "prints a dot to standard output for each item",
    "list_functions": "draws from Python's global generator",
    "pool_matrix": "seeds NumPy's global generator",
    "intermediate_integration": "its items follow the order of a set",
    "isomorphic_strings": "its items follow the order of a set of strings",
    "knight_swap": "its items follow the order of a set of strings",
    "polynomial_multiplication": "its items follow the order of a set",
    "ransom_note": "its items follow the order of a set of strings",
    "word_ladder": "its items follow the order of a set of strings",
}
"""Datasets whose items are made in a process of their own: with a fixed hash seed, and global generators that are
seeded for every item."""

EXECUTES: Final[Mapping[str, str]] = {
    "codeio": "runs programs that a language model wrote, some of which write files",
}
"""Datasets whose items are made in the sandbox."""

CHANGES_ENTRY: Final = frozenset({"knight_swap"})
"""Datasets whose scorer writes into the entry that it is given."""

VAST: Final = frozenset(
    {
        "advanced_geometry", "countdown", "futoshiki", "game_of_life", "polynomial_equations", "rearc", "sokoban",
        "sudoku", "zebra_puzzles",
    }
)  # fmt: skip
"""Datasets whose items take milliseconds, and of which no two of the items that were drawn were the same. With their
default configuration, their splits are told apart by the draw alone and not by the question."""

FEW: Final = frozenset(
    {
        "acre", "coin_flip", "game_of_life_halting", "intermediate_integration", "jugs", "knight_swap",
        "largest_island", "polynomial_multiplication", "puzzle24", "quantum_lock", "rubiks_cube", "simple_integration",
        "string_synthesis", "tower_of_hanoi", "word_ladder",
    }
)  # fmt: skip
"""Datasets that are slow to draw from or have few questions: a larger share of them is held out."""

UNREADABLE: Final[Mapping[str, tuple[type[Exception], ...]]] = {
    "boxnet": (AttributeError, IndexError, KeyError, TypeError),
    "calendar_arithmetic": (OverflowError,),
    "game_of_life": (KeyError,),
    "prime_factorization": (ValueError,),
    "survo": (ValueError,),
}
"""What a scorer raises where an answer has not the form that was asked for: 0 then, and no failure."""
