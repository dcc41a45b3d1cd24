"""Cases: from argument specifications and a seed to concrete inputs, as raw bytes; numpy only."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rftgym_triton_kernels.dtypes import FLOATS, INTEGERS, ITEMSIZE, decode, encode
from rftgym_triton_kernels.problems import Case, Constant, Problem, TensorArgument

Evaluate = Callable[[dict[str, Any], Sequence[bytes]], tuple[Mapping[str, Any], Sequence[bytes]]]
"""Runs `rftgym_triton_kernels.reference.evaluate`, in a sandbox."""

_DECOY: Final = b"decoy"


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor argument. The storage begins with the first element and ends with the last: the offset is 0.

    Attributes:
        data: the storage.
        dtype: of the elements.
        shape: sizes.
        strides: in elements.
    """

    data: bytes
    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def values(self) -> NDArray[Any]:
        """The elements in the tensor's shape: float64, int64, or uint8 for "bool"."""
        flat = decode(self.data, self.dtype)
        steps = tuple(stride * flat.itemsize for stride in self.strides)
        return np.lib.stride_tricks.as_strided(flat, self.shape, steps, writeable=False)


@dataclass(frozen=True, slots=True)
class Value:
    """An argument that is no tensor."""

    value: Constant


Argument = Tensor | Value


def make_inputs(case: Case, seed: int | bytes, *, swapped: bool = False) -> list[Argument]:
    """The arguments of a case; the same seed gives the same bytes on every machine.

    Args:
        case: the specifications.
        seed: of the values; the i-th argument depends on the seed and on i only.
        swapped: see `Problem.swapped`.
    """
    key = seed if isinstance(seed, bytes) else str(seed).encode()
    return [
        _tensor(spec, _generator(key, index), swapped) if isinstance(spec, TensorArgument) else Value(spec)
        for index, spec in enumerate(case)
    ]


def decoys(case: Case, *, swapped: bool = False) -> list[Argument]:
    """Arguments of the same dtypes, shapes and strides whose values tell nothing: to plan with."""
    return make_inputs(case, _DECOY, swapped=swapped)


def case_seed(key: bytes, name: str, case: int, replica: int) -> bytes:
    """The seed of one drawing of one case; whoever lacks the key cannot tell it.

    Args:
        key: the secret, at most 64 bytes.
        name: of the problem.
        case: its number.
        replica: which of the drawings.
    """
    return hashlib.blake2b(f"{name}:{case}:{replica}".encode(), key=key, digest_size=32).digest()


def pack(cases: Iterable[Sequence[Argument]]) -> tuple[list[dict[str, Any]], list[bytes]]:
    """Arguments as a JSON value and blobs, as `rftgym_triton_kernels.reference.evaluate` reads them."""
    blobs: list[bytes] = []
    packed = []
    for arguments in cases:
        entries: list[dict[str, Any]] = []
        for each in arguments:
            if isinstance(each, Value):
                entries.append({"value": each.value})
                continue
            entries.append(
                {
                    "tensor": {
                        "blob": len(blobs),
                        "dtype": each.dtype,
                        "shape": list(each.shape),
                        "strides": list(each.strides),
                    }
                }
            )
            blobs.append(each.data)
        packed.append({"arguments": entries})
    return packed, blobs


def choose_reading(problem: Problem, evaluate: Evaluate) -> Problem:
    """Settle what ``t`` means for a problem: whether ``shape`` is the shape before or after the transposition.

    Before it, unless the reference fails on some case when it is read so, and on fewer when it is read the other way.
    All cases of a problem are read alike. Costs nothing where no case has a ``t`` that matters.

    Args:
        problem: as it came from the file.
        evaluate: runs the reference; nothing secret is passed.
    """
    matters = [case for case in problem.cases if any(_reads_two_ways(spec) for spec in case)]
    if not matters or sum(isinstance(spec, TensorArgument) for case in matters for spec in case) == len(
        matters
    ):
        return problem  # no other tensor whose shape could disagree
    failures = {}
    for swapped in (False, True):
        entries, blobs = pack(decoys(case, swapped=swapped) for case in matters)
        header, _ = evaluate(
            {"source": problem.reference, "name": problem.name, "cases": entries, "brief": True}, blobs
        )
        failures[swapped] = len(matters) - _succeeded(header)
        if not failures[swapped]:
            break
    return replace(problem, swapped=min(failures, key=lambda swapped: (failures[swapped], swapped)))


def contiguous_strides(shape: Sequence[int]) -> tuple[int, ...]:
    """Strides in elements of a tensor in C order, as torch counts them (a size of 0 counts as 1)."""
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= max(size, 1)
    return tuple(reversed(strides))


def _succeeded(header: Mapping[str, Any]) -> int:
    """In how many cases the reference ran; the header comes from a process that nobody trusts."""
    answers = header.get("cases")
    if not isinstance(answers, list):
        return 0
    return sum(isinstance(each, dict) and each.get("ok") is True for each in answers)


def _reads_two_ways(spec: TensorArgument | Constant) -> bool:
    return isinstance(spec, TensorArgument) and spec.t and spec.shape[-1] != spec.shape[-2]


def _generator(key: bytes, index: int) -> np.random.Generator:
    digest = hashlib.blake2b(key + b":%d" % index, digest_size=16).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "little")))


def _tensor(spec: TensorArgument, rng: np.random.Generator, swapped: bool) -> Tensor:
    stored = spec.shape
    if spec.t and swapped:
        stored = (*stored[:-2], stored[-1], stored[-2])
    data = encode(_values(spec, math.prod(stored), rng), spec.dtype)
    shape, strides = stored, contiguous_strides(stored)
    if spec.t:
        shape = (*shape[:-2], shape[-1], shape[-2])
        strides = (*strides[:-2], strides[-1], strides[-2])
    if len(data) != math.prod(shape) * ITEMSIZE[spec.dtype]:
        raise AssertionError(f"{len(data)} bytes for {spec}")
    return Tensor(data, spec.dtype, shape, strides)


def _values(spec: TensorArgument, n: int, rng: np.random.Generator) -> NDArray[Any]:
    """The elements before they are rounded."""
    if spec.kind == "mask" or spec.dtype == "bool":
        bits = rng.random(n) < 0.5
        return bits if spec.dtype == "bool" else bits * spec.scale + spec.offset
    if spec.kind == "sign":
        return np.where(rng.random(n) < 0.5, -1.0, 1.0) * spec.scale + spec.offset
    if spec.dtype in INTEGERS:
        return rng.integers(0, spec.high, n) + int(spec.offset)
    if spec.dtype not in FLOATS:
        raise AssertionError(spec.dtype)
    unit = rng.random(n) if spec.kind == "uniform" else rng.standard_normal(n)
    return unit * spec.scale + spec.offset
