"""A problem made ready to be judged: secret inputs drawn, the reference asked, cases that tell nothing found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rftgym.errors import UsageError
from rftgym_triton_kernels import cases as cases_of
from rftgym_triton_kernels.cases import Argument, Tensor
from rftgym_triton_kernels.compare import BadReference, Failed, Replica, discriminating, read_results
from rftgym_triton_kernels.problems import Problem
from rftgym_triton_kernels.processes import REFERENCE_LIMITS, Processes
from rftgym_triton_kernels.verdict import CaseVerdict, Stage


@dataclass(frozen=True, slots=True)
class Prepared:
    """A problem with its inputs drawn, decoys for planning, and what the reference makes of it."""

    problem: Problem
    decoys: tuple[list[Argument], ...]
    replicas: tuple[tuple[Replica, ...], ...]
    discriminating: tuple[bool, ...]


def prepare(problem: Problem, key: bytes, drawings: int, processes: Processes) -> Prepared:
    """Draw a problem's secret inputs, and let its reference say what is wanted.

    Args:
        problem: as it came from its file.
        key: of the secret inputs.
        drawings: of every case.
        processes: where the reference runs.
    Raises:
        UsageError: the reference fails on a case.
    """

    def evaluate(header: dict[str, Any], blobs: Sequence[bytes]) -> tuple[Mapping[str, Any], Sequence[bytes]]:
        outcome = processes.with_torch("reference:evaluate", header, blobs, REFERENCE_LIMITS)
        if outcome.status != "ok":
            raise UsageError(
                f"problem {problem.name!r}: its reference ended in {outcome.status}: {outcome.message}"
            )
        return outcome.header, outcome.blobs

    problem = cases_of.choose_reading(problem, evaluate)
    drawn = [
        cases_of.make_inputs(
            case,
            cases_of.case_seed(key, problem.name, index, replica),
            swapped=problem.swapped,
        )
        for index, case in enumerate(problem.cases)
        for replica in range(drawings)
    ]
    packed, blobs = cases_of.pack(drawn)
    header, results = evaluate({"source": problem.reference, "name": problem.name, "cases": packed}, blobs)
    try:
        wanted = read_results(header, results, len(drawn))
    except BadReference as error:
        raise UsageError(f"problem {problem.name!r}: {error}") from error
    replicas: list[Replica] = []
    for number, (arguments, values) in enumerate(zip(drawn, wanted, strict=True)):
        if isinstance(values, Failed):
            case = number // drawings
            raise UsageError(f"problem {problem.name!r}, case {case}: the reference fails: {values.message}")
        replicas.append(Replica(arguments, values))
    grouped = tuple(tuple(replicas[i : i + drawings]) for i in range(0, len(replicas), drawings))
    decoys = tuple(cases_of.decoys(case, swapped=problem.swapped) for case in problem.cases)
    return Prepared(problem, decoys, grouped, tuple(discriminating(problem, each) for each in grouped))


def kept(replica: Replica) -> bool:
    """Whether a result is an input as it is: then making the input contiguous would be the whole task."""
    tensors = [each.values() for each in replica.arguments if isinstance(each, Tensor)]
    return any(
        np.array_equal(want.values, values, equal_nan=True) for want in replica.wanted for values in tensors
    )


def case_verdict(
    prepared: Prepared, index: int, stage: Stage = "passed", kind: str | None = None, message: str = ""
) -> CaseVerdict:
    """The verdict on a case; passed where no kind of failure is given."""
    names = prepared.problem.parameters
    words = ", ".join(
        f"{name} {_described(each)}" for name, each in zip(names, prepared.decoys[index], strict=False)
    )
    return CaseVerdict(words, prepared.discriminating[index], kind is None, kind, message, stage)


def _described(argument: Argument) -> str:
    if not isinstance(argument, Tensor):
        return f"= {argument.value!r}"
    plain = argument.strides == cases_of.contiguous_strides(argument.shape) or 0 in argument.shape
    return f"{argument.dtype}{list(argument.shape)}{'' if plain else ' not contiguous'}"
