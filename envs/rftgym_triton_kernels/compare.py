"""The comparison: trusted, numpy only, on raw bytes. What a child wrote is data here, never an object.

`read_results` checks what the reference's process answered, `mismatch` compares one result of an answer with it, and
`discriminating` says whether a case tells a right answer from a lazy one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

import numpy as np
from numpy.typing import NDArray

from rftgym_triton_kernels.cases import Argument, Tensor
from rftgym_triton_kernels.dtypes import FLOATS, ITEMSIZE, OVERFLOW, Bytes, decode, rounded
from rftgym_triton_kernels.problems import MOST_DIMENSIONS, MOST_ELEMENTS, Problem, Tolerance

MOST_RESULTS: Final = 64


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """One result of the reference.

    Attributes:
        dtype: what it returns for the case's own dtypes.
        values: in the result's shape: float64 and rounded into ``dtype``, or int64, or uint8 (0 and 1) for "bool".
        exact: before the rounding; the same array where nothing is rounded.
    """

    dtype: str
    values: NDArray[Any]
    exact: NDArray[Any]

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes."""
        return self.values.shape


class BadReference(Exception):
    """The reference's process answered something that it should not."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A case which the reference cannot do."""

    message: str


@dataclass(frozen=True, slots=True)
class Replica:
    """One drawing of a case: the inputs and what the reference makes of them."""

    arguments: Sequence[Argument]
    wanted: Sequence[Wanted]


# ---- what the reference says


def read_results(
    header: Mapping[str, Any], blobs: Sequence[Bytes], cases: int
) -> list[tuple[Wanted, ...] | Failed]:
    """The results of `rftgym_triton_kernels.reference.evaluate`, case by case.

    Args:
        header: the child's.
        blobs: the child's.
        cases: how many were asked for.

    Raises:
        BadReference: the child's answer is not in the agreed form.
    """
    answers = header.get("cases")
    if not isinstance(answers, list) or len(answers) != cases:
        raise BadReference("the reference's process did not answer case by case")
    return [_case(answer, blobs) for answer in answers]


def _case(answer: Any, blobs: Sequence[Bytes]) -> tuple[Wanted, ...] | Failed:
    if not isinstance(answer, dict):
        raise BadReference("a case's answer is no object")
    if answer.get("ok") is not True:
        return Failed(str(answer.get("message", "no reason given"))[:500])
    results = answer.get("results")
    if not isinstance(results, list) or not 1 <= len(results) <= MOST_RESULTS:
        raise BadReference("a case's results are not a list")
    return tuple(_wanted(result, blobs) for result in results)


def _wanted(result: Any, blobs: Sequence[Bytes]) -> Wanted:
    """One result, its dtype, shape and size checked."""
    if not isinstance(result, dict):
        raise BadReference("a result is no object")
    dtype, shape, index = result.get("dtype"), result.get("shape"), result.get("blob")
    if type(dtype) is not str or dtype not in ITEMSIZE:
        raise BadReference(f"a result of dtype {dtype!r} cannot be judged")
    if not _is_shape(shape):
        raise BadReference("a result's shape cannot be judged")
    if type(index) is not int or not 0 <= index < len(blobs):
        raise BadReference("a result has no values")
    carrier = "float64" if dtype in FLOATS else "bool" if dtype == "bool" else "int64"
    if len(blobs[index]) != math.prod(shape) * ITEMSIZE[carrier]:
        raise BadReference("a result has too few or too many values")
    exact = decode(blobs[index], carrier).reshape(shape)
    return Wanted(dtype, rounded(exact, dtype) if dtype in FLOATS else exact, exact)


def _is_shape(shape: Any) -> TypeGuard[list[int]]:
    if not isinstance(shape, list) or len(shape) > 2 * MOST_DIMENSIONS:
        return False
    return all(type(size) is int and size >= 0 for size in shape) and math.prod(shape) <= MOST_ELEMENTS


# ---- what the answer says


def mismatch(
    data: Bytes, dtype: str, shape: Sequence[int], wanted: Wanted, tolerance: Tolerance
) -> str | None:
    """What is wrong with one result; None where it is right. The words hold no value of the inputs or the results.

    A float is right where it is NaN, or the same infinity, or a number within ``atol + rtol * |wanted|``, just where
    the reference's (rounded into the dtype) is. Only a number so near to the dtype's largest that the tolerance reaches
    past it may be infinite as well. Integers and booleans are exact.

    Args:
        data: the elements in C order.
        dtype: of the result.
        shape: of the result.
        wanted: the reference's result.
        tolerance: rtol and atol, see `Problem.tolerance`.
    """
    if dtype != wanted.dtype:
        return f"the result has dtype {dtype}, {wanted.dtype} is wanted"
    if tuple(shape) != wanted.shape:
        return f"the result has shape {list(shape)}, {list(wanted.shape)} is wanted"
    if len(data) != wanted.values.size * ITEMSIZE[dtype]:
        return f"the result has {len(data)} bytes, {wanted.values.size * ITEMSIZE[dtype]} are wanted"
    got = decode(data, dtype).reshape(wanted.shape)
    if dtype not in FLOATS:
        wrong = got != wanted.values
        return _share("wrong elements", wrong) if wrong.any() else None
    return _float_mismatch(got, wanted, tolerance)


def _float_mismatch(got: NDArray[Any], wanted: Wanted, tolerance: Tolerance) -> str | None:
    want = wanted.values
    nan = np.isnan(got) & ~np.isnan(want)
    if nan.any():
        return _share("NaN instead of numbers", nan)
    wrong = ~_close(got, wanted, tolerance)
    if not wrong.any():
        return None
    infinite = wrong & np.isinf(got) & np.isfinite(want)
    if infinite.any():
        return _share("infinite instead of finite numbers", infinite)
    return _share("wrong elements", wrong) + _size_of_error(got, want, wrong, tolerance)


def _close(got: NDArray[Any], wanted: Wanted, tolerance: Tolerance) -> NDArray[np.bool_]:
    """Where a float64 array (of numbers that fit the dtype) is right."""
    rtol, atol = tolerance
    want, exact = wanted.values, wanted.exact
    with np.errstate(invalid="ignore", over="ignore"):
        allowed = atol + rtol * np.abs(want)
        near = np.abs(got - want) <= allowed
        same = (got == want) | (np.isnan(got) & np.isnan(want))
        right: NDArray[np.bool_] = np.where(np.isfinite(want) & np.isfinite(got), near, same)
        limit = OVERFLOW[wanted.dtype]
        magnitude = np.abs(exact)
        reach = np.minimum(atol + rtol * magnitude, magnitude / 16)
        edge = np.isfinite(exact) & (np.abs(magnitude - limit) <= reach)
        if edge.any():
            beyond = np.isinf(got) & (np.sign(got) == np.sign(exact))
            close = np.isfinite(got) & (np.abs(got - exact) <= reach)
            right |= edge & (beyond | close)
    return right


def _share(what: str, where: NDArray[np.bool_]) -> str:
    """How many elements are meant (at least one), and which is the first."""
    count = int(np.count_nonzero(where))
    if not where.shape:
        return what.replace("elements", "value")
    first = ", ".join(str(int(each)) for each in np.unravel_index(int(where.argmax()), where.shape))
    return f"{what}: {count} of {where.size}, the first at [{first}]"


def _size_of_error(
    got: NDArray[Any], want: NDArray[Any], wrong: NDArray[np.bool_], tolerance: Tolerance
) -> str:
    """The largest error as a power of ten of tolerances: enough to tell a bug from an inaccuracy."""
    rtol, atol = tolerance
    numbers = wrong & np.isfinite(got) & np.isfinite(want)
    if not numbers.any():
        return ""
    with np.errstate(over="ignore", divide="ignore"):
        worst = float(np.max(np.abs(got - want)[numbers] / (atol + rtol * np.abs(want))[numbers]))
    if not math.isfinite(worst):
        return ""
    return f", by up to 1e{max(1, math.ceil(math.log10(worst)))} times the tolerance"


# ---- what a lazy answer would get


def discriminating(problem: Problem, replicas: Sequence[Replica]) -> bool:
    """Whether a case tells a right answer from one that does not compute.

    It does not where every result is passed, in all drawings of the case, by one of: a constant, whichever; NaN or an
    infinity; a copy of an input (cast to the result's dtype, as it is, in the order of its storage, or transposed). A
    transposed copy is no lazy answer where the problem is about layout. Results without elements tell nothing.

    Args:
        problem: says the tolerances and whether it is about layout.
        replicas: drawings of the case. With a single one, a result of one element is passed by a constant.
    """
    if not replicas:
        return False
    counts = {len(replica.wanted) for replica in replicas}
    if len(counts) != 1:
        return True
    return any(
        not _lazy(problem, replicas, [replica.wanted[index] for replica in replicas])
        for index in range(counts.pop())
    )


def _lazy(problem: Problem, replicas: Sequence[Replica], wanted: Sequence[Wanted]) -> bool:
    """Whether a lazy answer passes one result in all drawings."""
    tolerances = [problem.tolerance(each.dtype) for each in wanted]
    if _constant(wanted, tolerances):
        return True
    passed_by = [
        {
            key
            for key, copied in _copies(replica.arguments, problem.layout_op)
            if copied.size == each.values.size and _same(copied.reshape(each.shape), each, tolerance)
        }
        for replica, each, tolerance in zip(replicas, wanted, tolerances, strict=True)
    ]
    return bool(set.intersection(*passed_by))


def _constant(wanted: Sequence[Wanted], tolerances: Sequence[Tolerance]) -> bool:
    """Whether one number passes everywhere: the ranges that are allowed around the elements have one in common."""
    values = np.concatenate([each.values.reshape(-1).astype(np.float64) for each in wanted])
    if not values.size or np.isnan(values).all():
        return True
    if not np.isfinite(values).all():
        return bool((values == values[0]).all())
    allowed = np.concatenate(
        [
            atol + rtol * np.abs(each.values.reshape(-1).astype(np.float64))
            for each, (rtol, atol) in zip(wanted, tolerances, strict=True)
        ]
    )
    return bool(np.max(values - allowed) <= np.min(values + allowed))


def _copies(arguments: Sequence[Argument], layout_op: bool) -> Iterator[tuple[tuple[int, str], NDArray[Any]]]:
    """Each input in the ways in which it can be handed back, under (its index, the way)."""
    for index, tensor in enumerate(arguments):
        if not isinstance(tensor, Tensor):
            continue
        yield (index, "as it is"), tensor.values()
        yield (index, "as stored"), decode(tensor.data, tensor.dtype)
        if not layout_op and len(tensor.shape) >= 2:
            yield (index, "transposed"), tensor.values().swapaxes(-1, -2)


def _same(copied: NDArray[Any], wanted: Wanted, tolerance: Tolerance) -> bool:
    if wanted.dtype in FLOATS:
        return bool(_close(rounded(copied.astype(np.float64), wanted.dtype), wanted, tolerance).all())
    if wanted.dtype == "bool":
        return bool(np.array_equal(copied != 0, wanted.values != 0))
    with np.errstate(invalid="ignore"):
        return bool(np.array_equal(copied.astype(np.int64), wanted.values))
