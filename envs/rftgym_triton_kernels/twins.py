"""Whether a function is one of those held out for validation and test, under whatever name and in whatever words.

Two functions are taken for the same where their values on fixed random inputs are, up to the order of the arguments, a
factor and a constant, with numbers such as a slope or a margin taken from a grid; where a held-out function depends
linearly on its numbers, for any of them. That refuses a little more than the held-out functions themselves.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from rftgym_triton_kernels.plainref import NotPlain, run
from rftgym_triton_kernels.problems import Problem, TensorArgument, problems

Vector = NDArray[np.float64]
Kind = Literal["tensor", "mask", "number"]

ROWS: Final = 32
COLUMNS: Final = 9
MOST_TENSORS: Final = 4
SAME: Final = 1 - 1e-9
GRID: Final = (
    1e-6,
    1e-5,
    1e-4,
    1e-3,
    0.01,
    0.05,
    0.1,
    0.125,
    0.2,
    0.25,
    0.3,
    0.375,
    0.5,
    0.7,
    0.75,
    1.0,
    1.25,
    1.5,
)
COARSE: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 3.0)
NUMBERS: Final = (*GRID, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 10.0, *(-each for each in GRID), -2.0, -3.0)


USUAL: Final = (0.5, 2.0, 3.0, 0.25, 1.5)


@dataclass(slots=True)
class _Family:
    """What one held-out function may look like: directions, and spaces any direction in which counts."""

    name: str
    directions: list[Vector] = field(default_factory=list)
    spaces: list[NDArray[np.float64]] = field(default_factory=list)


def twin(source: str, name: str, kinds: Sequence[Kind], numbers: Sequence[float] = ()) -> str | None:
    """The held-out function that a function equals, or None.

    Args:
        source: of the function, of the plain sort (see `rftgym_triton_kernels.plainref`).
        name: of the function.
        kinds: of its parameters.
        numbers: values of those that are numbers; 0.5, 2 and so on where they are not given.

    Raises:
        NotPlain: the function cannot be evaluated.
    """
    tensors = len(kinds) - kinds.count("number")
    direction = _direction(run(source, name, _arguments(kinds, numbers or USUAL, range(tensors))))
    if direction is None:
        return None
    for family in _families():
        if any(each.shape == direction.shape and abs(each @ direction) > SAME for each in family.directions):
            return family.name
        for basis in family.spaces:
            if len(basis) == len(direction) and float(np.linalg.norm(direction @ basis)) > SAME:
                return family.name
    return None


def kinds_of(problem: Problem) -> list[Kind]:
    """The kinds of a problem's parameters, by its first case."""
    return [
        ("mask" if spec.dtype == "bool" else "tensor") if isinstance(spec, TensorArgument) else "number"
        for spec in problem.cases[0]
    ]


@lru_cache(maxsize=1)
def _families() -> tuple[_Family, ...]:
    """The held-out functions that are of the plain sort; the others are matrix products, layouts and masks."""
    found = []
    for problem in problems().values():
        if problem.split == "train":
            continue
        try:
            found.append(_family(problem))
        except NotPlain:
            continue
    return tuple(found)


def _family(problem: Problem) -> _Family:
    kinds = kinds_of(problem)
    family = _Family(problem.name)
    count = kinds.count("number")
    for order in itertools.permutations(range(len(kinds) - count)):
        drawn = [
            _direction(run(problem.reference, problem.name, _arguments(kinds, numbers, order)))
            for numbers in _grid(count)
        ]
        vectors = [each for each in drawn if each is not None]
        basis = _basis(vectors)
        if basis.shape[1] <= count + 1:
            family.spaces.append(basis)
        else:
            family.directions += vectors
    return family


def _grid(numbers: int) -> Iterator[tuple[float, ...]]:
    return itertools.product(NUMBERS if numbers <= 1 else COARSE, repeat=numbers)


def _arguments(kinds: Sequence[Kind], numbers: Sequence[float], order: Sequence[int]) -> list[Any]:
    """The fixed inputs: matrices in the given order where a tensor is due, else the numbers."""
    places, left = iter(order), iter(numbers)
    arguments: list[Any] = []
    for kind in kinds:
        if kind == "number":
            arguments.append(next(left))
        else:
            matrix = _matrices()[next(places)]
            arguments.append(matrix > 0 if kind == "mask" else matrix)
    return arguments


@lru_cache(maxsize=1)
def _matrices() -> NDArray[np.float64]:
    return np.random.default_rng(20).standard_normal((MOST_TENSORS, ROWS, COLUMNS)) * 1.5


def _direction(values: NDArray[Any]) -> Vector | None:
    """The values without their mean, of length 1; None where they are constant or not finite."""
    flat = values.astype(np.float64).reshape(-1)
    centred = flat - flat.mean()
    length = float(np.linalg.norm(centred))
    if not np.isfinite(length) or length < 1e-9 * max(1.0, float(np.abs(flat).max())):
        return None
    direction: Vector = centred / length
    return direction


def _basis(vectors: Sequence[Vector]) -> NDArray[np.float64]:
    """An orthonormal basis, in columns, of the space that the vectors span."""
    left, values, _ = np.linalg.svd(np.stack(vectors, axis=1), full_matrices=False)
    return left[:, values > 1e-7 * values[0]]
