"""Wrong answers that do less than was asked for: told from honest mistakes, because they would earn partial credit.

A kernel that writes zeros compiles and runs. So does one that adds up the first half of a row, or computes in half
precision, and either may pass a case or two. Only answers that failed come here; a right one is right however it is
done.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rftgym_triton_kernels.cases import Tensor
from rftgym_triton_kernels.compare import Replica
from rftgym_triton_kernels.dtypes import FLOATS, ITEMSIZE, decode
from rftgym_triton_kernels.verdict import CaseVerdict, Refused

NEAR: Final = (0.02, 0.01)
"""Relative to the value, and to the root mean square of all values: bfloat16 errs by less, a wrong formula by more."""
Results = Sequence[NDArray[Any]]


def refuse_shortcuts(
    replicas: Sequence[Sequence[Replica]],
    results: Sequence[Sequence[Results]],
    cases: Sequence[CaseVerdict],
) -> None:
    """Look at the discriminating cases that ran and have a wrong result.

    Args:
        replicas: by case and drawing, the inputs and what is wanted.
        results: by case and drawing, what came out; empty for a case that did not run.
        cases: verdicts.
    Raises:
        Refused: one explanation fits all of them: the result does not depend on the inputs, it is one of the inputs, or
            it is near everywhere and nowhere near enough.
    """
    failed = [
        (replicas[index], results[index])
        for index, case in enumerate(cases)
        if case.discriminating and case.kind == "wrong" and results[index]
    ]
    if not failed:
        return
    explanations: Sequence[tuple[str, Callable[[Sequence[Replica], Sequence[Results]], bool]]] = (
        ("the result does not depend on the inputs", _constant),
        ("the result is a copy of an input", _copied),
        ("the result is near everywhere: computed in a lower precision, or by an approximation", _near),
    )
    for words, explains in explanations:
        if all(explains(drawn, got) for drawn, got in failed):
            raise Refused("compare", "shortcut", words)


def decoded(data: bytes, dtype: str, shape: Sequence[int]) -> NDArray[Any]:
    """A result's elements; NaN where the process sent too few or too many."""
    if len(data) != math.prod(shape) * ITEMSIZE[dtype]:
        return np.full(shape, np.nan)
    return decode(data, dtype).reshape(shape)


def _constant(drawn: Sequence[Replica], got: Sequence[Results]) -> bool:
    """The same in all elements of every drawing, or the same in all drawings though their inputs differ."""
    several = [result for results in got for result in results if result.size > 1]
    if several and all(_equal(result, np.full_like(result, result.flat[0])) for result in several):
        return True
    firsts = got[0]
    return len(got) > 1 and all(
        _equal(first, other) for results in got[1:] for first, other in zip(firsts, results, strict=True)
    )


def _copied(drawn: Sequence[Replica], got: Sequence[Results]) -> bool:
    return all(
        any(_equal(result, copy) for copy in _inputs(replica, result.size))
        for replica, results in zip(drawn, got, strict=True)
        for result in results
    )


def _inputs(replica: Replica, size: int) -> list[NDArray[Any]]:
    tensors = [each for each in replica.arguments if isinstance(each, Tensor)]
    arrays = [array for each in tensors for array in (each.values(), decode(each.data, each.dtype))]
    return [array for array in arrays if array.size == size]


def _equal(result: NDArray[Any], other: NDArray[Any]) -> bool:
    """Element by element in row-major order; numbers that 16 bits cannot hold may be rounded."""
    left, right = result.astype(np.float64).reshape(-1), other.astype(np.float64).reshape(-1)
    return left.size == right.size and bool(np.allclose(left, right, rtol=1e-2, atol=1e-6, equal_nan=True))


def _near(drawn: Sequence[Replica], got: Sequence[Results]) -> bool:
    return all(
        want.dtype in FLOATS and _is_near(result, want.values)
        for replica, results in zip(drawn, got, strict=True)
        for want, result in zip(replica.wanted, results, strict=True)
    )


def _is_near(result: NDArray[Any], want: NDArray[Any]) -> bool:
    finite = np.isfinite(want)
    if not want.size or not finite.any() or not np.array_equal(np.isfinite(result), finite):
        return False
    values = want[finite]
    allowed = NEAR[0] * np.abs(values) + NEAR[1] * np.sqrt(np.mean(values * values))
    return bool((np.abs(result[finite] - values) <= allowed).all())
