"""Tells whether a function equals a problem that is held out, by its values on fixed inputs.

Demonstrations and practice must not contain a validation or test problem under any name, nor with other names for its
arguments, nor as what a more general function gives for usual numbers.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from rftgym_triton_kernels.templates import MASKS

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

NUMBERS: Final = (0.37, -1.21, 2.43, 0.73)
"""What stands for the numbers of a function, in order."""
USUAL: Final = (1.0, -1.0, 2.0, 0.5, 0.1, 0.01, 3.0, 1e-5)
"""What a held-out function's numbers may be fixed at."""


KEPT: Final = 25
"""Values in a fingerprint: all of a matrix."""


def rows(*splits: str) -> list[dict[str, Any]]:
    """The bundled problems of the splits, as they stand in the file."""
    text = resources.files("rftgym_triton_kernels").joinpath("data", "problems.jsonl").read_text("utf-8")
    return [row for row in map(json.loads, text.splitlines()) if row["split"] in splits]


def numbers_of(row: dict[str, Any], parameters: Sequence[str]) -> list[str]:
    """Which of a problem's parameters are no tensors, by its first case."""
    return [
        name for name, value in zip(parameters, row["cases"][0], strict=False) if not isinstance(value, dict)
    ]


@lru_cache(maxsize=1)
def _inputs() -> list[Tensor]:
    """Fixed square matrices (float64), of which every template takes some."""
    import torch

    generator = torch.Generator().manual_seed(20)
    return [1.5 * torch.randn(5, 5, generator=generator, dtype=torch.float64) for _ in range(5)]


def compiled(name: str, reference: str) -> Callable[..., Tensor]:
    """The function that a reference of our own defines."""
    import torch

    names: dict[str, Any] = {"torch": torch}
    exec(compile(reference, "<reference>", "exec"), names)  # noqa: S102  # written here or bundled, never a policy's
    function: Callable[..., Tensor] = names[name]
    return function


def print_of(
    function: Callable[..., Tensor], names: Sequence[str], numbers: Collection[str], chosen: Sequence[Any]
) -> str | None:
    """A function's values on arguments in short; None where it can't be computed or says nothing."""
    import torch

    tensors = iter([value for value in chosen if isinstance(value, torch.Tensor)])
    floats = iter([value for value in chosen if not isinstance(value, torch.Tensor)])
    arguments: list[Any] = []
    for name in names:
        value = next(floats) if name in numbers else next(tensors)
        arguments.append(value > 0 if name in MASKS else value)
    try:
        result = function(*arguments).double().flatten()
    except (ArithmeticError, RuntimeError, TypeError, ValueError):
        return None
    return " ".join(f"{value:.4g}" for value in result[:KEPT].tolist())


def fingerprint(name: str, reference: str, names: Sequence[str], numbers: Collection[str]) -> str | None:
    """What `held_out_prints` is compared with; None where the function does not run."""
    tensors = _inputs()[: len(names) - len(numbers)]
    if len(tensors) + len(numbers) != len(names) or len(numbers) > len(NUMBERS):
        return None
    return print_of(compiled(name, reference), names, numbers, [*tensors, *NUMBERS[: len(numbers)]])


@lru_cache(maxsize=1)
def held_out_prints() -> frozenset[str]:
    """Fingerprints of the validation and test problems, for every order of the arguments and for usual numbers."""
    found = set[str]()
    for row in rows("validation", "test"):
        names = row["signature"].partition("(")[2].removesuffix(")").replace(" ", "").split(",")
        numbers = numbers_of(row, names)
        function = compiled(row["name"], row["reference"])
        for chosen in _choices(len(names) - len(numbers), len(numbers)):
            if "@" in row["reference"]:
                chosen[-1] = chosen[-1][0]  # a matrix times a vector, which is no product of two matrices
            shown = print_of(function, names, numbers, chosen)
            if shown is not None:
                found.add(shown)
    return frozenset(found - _nothing())


def _nothing() -> set[str]:
    """Fingerprints of the identity, to which several functions come down."""
    return {print_of(lambda x: x, ["x"], [], [each]) or "" for each in _inputs()}


def _choices(tensors: int, numbers: int) -> Iterator[list[Any]]:
    """Arguments of a held-out function that a practice function's may equal."""
    for ordered in itertools.permutations(_inputs()[: tensors + (tensors < 3)], tensors):
        for fixed in itertools.product((*NUMBERS[: max(numbers, 1)], *USUAL), repeat=numbers):
            yield [*ordered, *fixed]
