"""Families of corpus tasks: a Java text with blanks, its Python translation, wrong translations, and inputs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from string import Template
from typing import Any, Literal

from rftgym.errors import UsageError
from rftgym_transpile.corpus.draws import Inputs

Split = Literal["train", "validation", "test"]
Category = Literal[
    "control flow",
    "arithmetic",
    "strings",
    "arrays",
    "collections",
    "recursion",
    "classes",
    "generics",
    "exceptions",
    "streams",
]


@dataclass(frozen=True, slots=True)
class Case:
    """One variant of a family.

    Attributes:
        id: of the task.
        source: Java.
        entry: the method's or class's name.
        solution: the right translation.
        mutants: wrong translations.
        inputs: from which the hidden tests' are chosen.
        kept: how many of them, from the first on, are chosen in any case.
    """

    id: str
    source: str
    entry: str
    solution: str
    mutants: tuple[str, ...]
    inputs: tuple[Any, ...]
    kept: int


@dataclass(frozen=True, slots=True)
class Family:
    """Tasks that differ in constants, operators and names only; all in one split.

    Attributes:
        name: in kebab case.
        split: of all its tasks.
        category: what it is about.
        difficulty: from 0 to 1.
        entry: the method's or class's name; may have blanks.
        java: the Java text; `$NAME` is a blank.
        python: the right translation, with the same blanks.
        inputs: makes the hidden tests' inputs.
        mutants: changes of the translation that make it wrong: a part of it, and what to put there.
        variants: what the blanks are filled with.
        simple: within reach of a model of a few million parameters, which knows the practice methods only.
    """

    name: str
    split: Split
    category: Category
    difficulty: float
    entry: str
    java: str
    python: str
    inputs: Inputs
    mutants: Sequence[tuple[str, str]]
    variants: Sequence[Mapping[str, object]] = ({},)
    simple: bool = False

    def cases(self) -> Iterator[Case]:
        """The family's tasks.

        Raises:
            UsageError: a blank that no variant fills, or a mutant whose part is not in the translation.
        """
        java, python = (textwrap.dedent(each).strip("\n") for each in (self.java, self.python))
        wrong = tuple(_changed(self.name, python, part, by) for part, by in self.mutants)
        for number, variant in enumerate(self.variants):
            blanks = {name: str(value) for name, value in variant.items()}
            try:
                filled = [Template(each).substitute(blanks) for each in (java, self.entry, python, *wrong)]
            except (KeyError, ValueError) as error:
                raise UsageError(
                    f"family {self.name!r}, variant {number}: blank {error} is not filled"
                ) from error
            inputs = tuple(self.inputs.make(Random(f"rftgym-transpile:corpus:{self.name}:{number}")))
            yield Case(
                f"{self.name}-{number}",
                filled[0],
                filled[1],
                filled[2],
                tuple(filled[3:]),
                inputs,
                self.inputs.kept,
            )


def _changed(name: str, text: str, part: str, by: str) -> str:
    if part not in text:
        raise UsageError(f"family {name!r}: {part!r} is not in the translation; mutants change a part of it")
    return text.replace(part, by, 1)


def over(**blanks: Sequence[object]) -> list[dict[str, object]]:
    """Variants from columns: the first of each, the second of each, and so on."""
    return [dict(zip(blanks, row, strict=True)) for row in zip(*blanks.values(), strict=True)]
