"""Whether a generated function can be judged at all.

Its values have to be finite and of moderate size, depend on each of its parameters, and come out the same, up to the
tolerance, when each step is computed in a narrower dtype.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rftgym_triton_kernels.dtypes import INTEGERS, rounded
from rftgym_triton_kernels.plainref import run

ROWS: Final = 24
COLUMNS: Final = 150
MANY_ROWS: Final = 600
"""For float32, whose inputs go up to the largest scale: one row in hundreds cancels to a small difference of large
numbers, whose rounding error no tolerance covers, and a case meets some dozen rows each time that it is drawn."""
LARGEST: Final = 1e3
SPREAD: Final = 0.02
HEADROOM: Final = 3
SCALES: Final = (20.0, 5.0)


@dataclass(frozen=True, slots=True)
class Grade:
    """What kinds of cases a function is fit for.

    Attributes:
        float16: its values in float16 are within the tolerance.
        bfloat16: in bfloat16.
        scale: how large inputs may be; 1 where nothing beyond a deviation of 1 is safe.
        reduces: it has one value a row.
        index: it returns integers.
    """

    float16: bool
    bfloat16: bool
    scale: float
    reduces: bool
    index: bool


def grade(
    source: str,
    name: str,
    tensors: Sequence[bool],
    numbers: Sequence[float],
    tolerances: Mapping[str, Sequence[float]],
) -> Grade | None:
    """The grade of a function of the plain sort, or None where it is not tame even on float32 inputs of size 1.

    Args:
        source: of the function.
        name: of the function.
        tensors: for each parameter whether it is a tensor.
        numbers: values of those that are none.
        tolerances: rtol and atol by dtype.
    """

    def passes(scale: float, dtype: str) -> bool:
        rows = MANY_ROWS if dtype == "float32" else ROWS
        return _agrees(source, name, _arguments(tensors, numbers, scale, rows), dtype, tolerances[dtype])

    arguments = _arguments(tensors, numbers, 1.0)
    idle: list[bool] = []
    values = run(source, name, arguments, lambda value, operands: idle.append(_idle(value, operands)))
    if any(idle) or values.ndim not in {1, 2} or not _varied(values) or not passes(1.0, "float32"):
        return None
    if not _uses_all(source, name, arguments, values):
        return None
    index = str(values.dtype) in INTEGERS
    half = passes(1.0, "float16")
    return Grade(
        float16=half,
        bfloat16=half and passes(1.0, "bfloat16"),
        scale=next((scale for scale in SCALES if not index and passes(scale, "float32")), 1.0),
        reduces=values.ndim == 1,
        index=index,
    )


def _arguments(
    tensors: Sequence[bool], numbers: Sequence[float], scale: float, rows: int = ROWS
) -> list[Any]:
    rng = np.random.default_rng(7)
    left = iter(numbers)
    return [rng.standard_normal((rows, COLUMNS)) * scale if tensor else next(left) for tensor in tensors]


def _idle(value: Any, operands: Sequence[Any]) -> bool:
    """Whether an operation does nothing: a constant comes out, or one of its operands again."""
    if not isinstance(value, np.ndarray):
        return False
    if not value.size or bool((value == value.reshape(-1)[0]).all()):
        return True
    return any(np.shape(each) == value.shape and bool((each == value).all()) for each in operands)


def _varied(values: NDArray[Any]) -> bool:
    """Finite, of moderate size, and for the most part different from one another."""
    if not np.isfinite(values).all():
        return False
    counts = np.unique(values, return_counts=True)[1]
    return bool(np.abs(values).max() < LARGEST and values.std() > SPREAD and counts.max() < 0.7 * values.size)


def _agrees(source: str, name: str, arguments: Sequence[Any], dtype: str, tolerance: Sequence[float]) -> bool:
    """Whether every step computed in a dtype gives what float64 gives, on inputs that the dtype can hold."""
    inputs = [rounded(each, dtype) if isinstance(each, np.ndarray) else each for each in arguments]
    want = run(source, name, inputs)
    # numpy has no bfloat16: float16 is computed instead, whose errors are an eighth
    carrier = np.float16 if dtype in {"float16", "bfloat16"} else np.float32
    factor = 8 if dtype == "bfloat16" else 1
    same = [each.astype(carrier) if isinstance(each, np.ndarray) else each for each in inputs]
    got = run(source, name, same)
    if not np.isfinite(want).all() or got.shape != want.shape:
        return False
    if str(want.dtype) in INTEGERS:
        return bool(np.array_equal(got, want))
    rtol, atol = tolerance
    error = np.abs(got.astype(np.float64) - want) * factor
    return bool((error * (1 if factor > 1 else HEADROOM) <= atol + rtol * np.abs(want)).all())


def _uses_all(source: str, name: str, arguments: Sequence[Any], values: NDArray[Any]) -> bool:
    """Whether each parameter matters, and for tensors, in a good part of the elements."""
    for place, argument in enumerate(arguments):
        changed = list(arguments)
        changed[place] = (
            np.roll(argument, 1, axis=-1) * 1.1 if isinstance(argument, np.ndarray) else argument * 1.3 + 0.1
        )
        other = run(source, name, changed)
        if np.mean(np.abs(other - values) > 1e-3) < 0.2:
            return False
    return True
