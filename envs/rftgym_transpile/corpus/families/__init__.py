"""All families of the corpus, by category."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from rftgym_transpile.corpus.family import Family

MODULES: Final = (
    "simple_decisions",
    "simple_loops",
    "simple_arrays",
    "simple_texts",
    "control_flow",
    "arithmetic",
    "strings",
    "arrays",
    "collections",
    "recursion",
    "classes",
    "generics",
    "exceptions",
    "streams",
)


def families() -> tuple[Family, ...]:
    """Every family, in the order in which tasks are recorded."""
    found: list[Family] = []
    for name in MODULES:
        found += import_module(f"{__name__}.{name}").FAMILIES
    return tuple(found)
