"""The judge: an answer in, a verdict out. Candidate Python never sees data; what sees data is never candidate Python.

Read :meth:`Judge.judge` from top to bottom for the stages. docs/triton-kernels.md has the threat model.
"""

from __future__ import annotations

import functools
import hashlib
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from rftgym.errors import UsageError
from rftgym.sandbox import Outcome
from rftgym_triton_kernels import cases as cases_of
from rftgym_triton_kernels.cases import Tensor
from rftgym_triton_kernels.compiler import Compiled, Compiler
from rftgym_triton_kernels.compiling import Specialisation, specialise
from rftgym_triton_kernels.extract import Extraction, find_source, formatting, parse, read
from rftgym_triton_kernels.outcomes import difference, misfit, results_of, share_read
from rftgym_triton_kernels.prepared import Prepared, case_verdict, kept, prepare
from rftgym_triton_kernels.problems import Problem
from rftgym_triton_kernels.processes import PLAN_LIMITS, REPLAY_LIMITS, Processes
from rftgym_triton_kernels.prompts import triton_version
from rftgym_triton_kernels.remembered import Remembered
from rftgym_triton_kernels.shortcuts import refuse_shortcuts
from rftgym_triton_kernels.tape import Launch, Tape, validate
from rftgym_triton_kernels.targets import target_of
from rftgym_triton_kernels.verdict import WORTHLESS, CaseVerdict, Kind, Refused, Stage, Verdict

REPLAY_SECONDS = 6.0
MOST_UNREAD = 2 / 3
"""A wrong answer that reads at most this share of an input took a sample of it."""
MOST_CONFIGS = 4
"""Configurations of an autotuner that are tried where the first ones do not fit the target."""
REMEMBERED_VERDICTS = 4096
REMEMBERED_PROBLEMS = 512


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """How answers are judged.

    Attributes:
        target: GPU to compile for, see `targets.TARGETS`.
        secret: key of the secret inputs; None = drawn by the operating system for this process, so that nobody who
            writes an answer can know the inputs. Give one to judge the very same inputs again.
        replicas: drawings of secret inputs for every case.
        workers: sandboxed processes at a time, of each of the two kinds; None = as many as processors.
        allow_unsafe: go on where the machine has too few layers of isolation.
        sandbox: id of the one that answers run in.
    """

    target: str = "cuda:90"
    secret: str | None = None
    replicas: int = 2
    workers: int | None = None
    allow_unsafe: bool = False
    sandbox: str = "local"

    def __post_init__(self) -> None:
        target_of(self.target)
        if self.replicas < 1:
            raise UsageError(
                f"replicas={self.replicas}; every case is judged on at least one drawing of inputs"
            )


@dataclass(slots=True)
class _Progress:
    """Of one answer: what a verdict is made from, filled in stage by stage."""

    formatting: float = 0.0
    compiled: float = 0.0
    cases: list[CaseVerdict] = field(default_factory=list)
    executed: list[bool] = field(default_factory=list)
    kernels: dict[str, dict[str, int]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time that the block takes to a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start


@dataclass(frozen=True, slots=True)
class _Replay:
    """What is replayed.

    Attributes:
        answer: vetted kernels.
        prepared: secret inputs.
        tapes: by case; a verdict where the case cannot be run.
        constants: by case, contents that the wrapper made.
        compiled: by specialisation.
    """

    answer: Extraction
    prepared: Prepared
    tapes: Sequence[Tape | CaseVerdict]
    constants: Sequence[Sequence[bytes]]
    compiled: Mapping[Specialisation, Compiled]


def _specialised(answer: Extraction, launch: Launch) -> Specialisation:
    return specialise(launch, answer.kernels[launch.kernel].unspecialised)


class Judge:
    """Judges answers; thread-safe, and as many at a time as it has workers.

    Starts two warm processes when first used, one that knows torch and one that knows Triton's compiler, from which
    every sandboxed process is forked.

    Raises:
        UsageError: the machine lacks the isolation that untrusted code needs, or Triton is not installed.
    """

    def __init__(self, settings: JudgeSettings | None = None) -> None:
        self.settings = settings or JudgeSettings()
        if triton_version() == (0, 0):
            raise UsageError("Triton is not installed: pip install 'rftgym[triton]' (Linux)")
        text = self.settings.secret
        self._key = (
            secrets.token_bytes(32)
            if text is None
            else hashlib.blake2b(text.encode(), digest_size=32).digest()
        )
        self._processes = Processes(
            self.settings.workers, sandbox=self.settings.sandbox, allow_unsafe=self.settings.allow_unsafe
        )
        self._compiler = Compiler(self._processes, self.settings.target)
        self._problems: Remembered[Prepared] = Remembered(REMEMBERED_PROBLEMS)
        self._verdicts: Remembered[Verdict] = Remembered(REMEMBERED_VERDICTS)

    def close(self) -> None:
        """End the warm processes. The judge starts new ones when it is used again."""
        self._processes.close()

    # ---- the stages

    def judge(self, problem: Problem, completion: str, attempt: int = 0) -> Verdict:
        """The verdict on an answer.

        Args:
            problem: that was posed.
            completion: the answer.
            attempt: every attempt at a problem meets other inputs, so that no message helps with them.

        Raises:
            UsageError: the problem's own reference fails; the problem cannot be judged.
            InfrastructureError: the sandbox is broken.
        """
        source, tagged = find_source(completion)
        if source is None:
            return Verdict(
                "extract", "format", "no code: answer with one module between <kernel> and </kernel>"
            )
        key = hashlib.blake2b(
            b"\0".join(
                [_identity(problem), b"%d %d" % (attempt, tagged), source.encode(errors="surrogatepass")]
            ),
            digest_size=20,
        ).hexdigest()
        verdict = self._verdicts.get(key, lambda: self._judged(problem, source, tagged, attempt))
        if verdict.kind == "limit":  # a busy machine may be to blame: another time it is judged again
            self._verdicts.forget(key)
        return verdict

    def _judged(self, problem: Problem, source: str, tagged: bool, attempt: int) -> Verdict:
        progress = _Progress(formatting=(1 + tagged) / 7)
        try:
            with progress.timed("extract"):
                answer = self._extracted(problem, source, tagged, progress)
            with progress.timed("prepare"):
                prepared = self.prepared(problem, attempt)
            for config in range(MOST_CONFIGS):
                tapes, constants, configs = self._planned(answer, source, prepared, config, progress)
                with progress.timed("compile"):
                    compiled = self._compiled(
                        answer, tapes, progress, last=config + 1 >= min(configs, MOST_CONFIGS)
                    )
                if compiled is not None:
                    break
            job = _Replay(answer, prepared, tapes, constants, compiled or {})
            with progress.timed("replay"):
                replayed = self._replayed(job)
            with progress.timed("compare"):
                self._compared(prepared, tapes, replayed, progress)
                refuse_shortcuts(prepared.replicas, results_of(tapes, replayed), progress.cases)
            with progress.timed("replay"):
                self._refuse_samples(job, progress)
        except Refused as refusal:
            return _verdict(progress, refusal.stage, refusal.kind, refusal.message)
        for number, case in enumerate(progress.cases):
            if not case.passed:
                kind: Kind = (
                    "wrong" if case.kind == "wrong" else "limit" if case.kind == "timeout" else "launch"
                )
                return _verdict(
                    progress, case.stage, kind, f"case {number} ({case.arguments}): {case.message}"
                )
        return _verdict(progress, "passed", "passed", "all cases passed")

    def _extracted(self, problem: Problem, source: str, tagged: bool, progress: _Progress) -> Extraction:
        """Stage 1: vetted kernels, by syntax alone."""
        demands = {"code": True, "tag": tagged}
        tree = parse(source)
        demands |= formatting(tree, problem.name, problem.parameters)
        progress.formatting = sum(demands.values()) / len(demands)
        return read(tree, problem.name, problem.parameters)

    def _planned(
        self, answer: Extraction, source: str, prepared: Prepared, config: int, progress: _Progress
    ) -> tuple[list[Tape | CaseVerdict], list[list[bytes]], int]:
        """Stages 2 and 3: launch tapes (or why a case has none), and constants that wrappers made."""
        packed, blobs = cases_of.pack(prepared.decoys)
        header = {
            "source": source,
            "name": prepared.problem.name,
            "kernels": list(answer.kernels),
            "target": self.settings.target,
            "config": config,
            "cases": packed,
        }
        with progress.timed("plan"):
            outcome = self._processes.with_torch("plan:plan", header, blobs, PLAN_LIMITS)
        if outcome.status != "ok":
            kind: Kind = "limit" if outcome.status in ("timeout", "memory", "output") else "cheat"
            raise Refused(
                "plan", kind, f"the wrapper's process ended in {outcome.status}: {outcome.message}"[:300]
            )
        with progress.timed("validate"):
            return self._validated(answer, prepared, outcome)

    def _validated(
        self, answer: Extraction, prepared: Prepared, outcome: Outcome
    ) -> tuple[list[Tape | CaseVerdict], list[list[bytes]], int]:
        planned = outcome.header.get("cases")
        if not isinstance(planned, list) or len(planned) != len(prepared.decoys):
            raise Refused("validate", "cheat", "the planning process answered something else than tapes")
        configs = outcome.header.get("configs")
        parameters = {name: kernel.parameters for name, kernel in answer.kernels.items()}
        tapes: list[Tape | CaseVerdict] = []
        constants: list[list[bytes]] = []
        for index, case in enumerate(planned):
            arguments = prepared.decoys[index]
            inputs = [each for each in arguments if isinstance(each, Tensor)]
            constants.append(_constants(case, outcome.blobs))
            error = case.get("error") if isinstance(case, dict) else None
            if isinstance(error, dict):
                message = str(error.get("message"))[:400]
                if error.get("kind") == "cheat":
                    raise Refused("plan", "cheat", message)
                tapes.append(case_verdict(prepared, index, "plan", "exception", message))
                continue
            sizes = [*(len(each.data) for each in inputs), *map(len, constants[-1])]
            try:
                tape = validate(
                    case.get("tape") if isinstance(case, dict) else None,
                    kernels=parameters,
                    input_bytes=sizes,
                    inputs=len(inputs),
                    layout_op=prepared.problem.layout_op,
                    arguments=[]
                    if kept(prepared.replicas[index][0])
                    else [(each.shape, each.strides) for each in inputs],
                )
            except Refused as refusal:
                if refusal.kind in WORTHLESS:
                    raise
                tapes.append(case_verdict(prepared, index, "validate", refusal.kind, refusal.message))
            else:
                tapes.append(misfit(prepared, index, tape) or tape)
        if not any(isinstance(tape, Tape) for tape in tapes):
            first = next(tape for tape in tapes if isinstance(tape, CaseVerdict))
            kind: Kind = "wrong" if first.kind == "wrong" else "launch"
            raise Refused(first.stage, kind, f"case 0 ({first.arguments}): {first.message}")
        return tapes, constants, configs if isinstance(configs, int) else 1

    def _compiled(
        self, answer: Extraction, tapes: Sequence[Tape | CaseVerdict], progress: _Progress, *, last: bool
    ) -> dict[Specialisation, Compiled] | None:
        """Stage 4: every distinct launch for the target. None where another configuration is to be tried."""
        wanted = dict.fromkeys(
            _specialised(answer, operation)
            for tape in tapes
            if isinstance(tape, Tape)
            for operation in tape.ops
            if isinstance(operation, Launch) and all(operation.grid)
        )
        results = dict(zip(wanted, self._compiler.compiled(answer, list(wanted)), strict=True))
        failed = [(what, result) for what, result in results.items() if result.error is not None]
        if failed and not last and all(result.too_large for _, result in failed):
            return None
        for what, result in results.items():
            if result.narrows:
                raise Refused(
                    "compile", "shortcut", f"kernel {what.kernel} rounds to 16 bits what is given in 32"
                )
            facts = progress.kernels.setdefault(what.kernel, {})
            for name, value in result.facts.items():
                facts[name] = max(facts.get(name, 0), value)
        progress.compiled = 1 - len(failed) / len(results) if results else 0.0
        if failed:
            what, result = failed[0]
            raise Refused("compile", "compile", f"kernel {what.kernel} does not compile: {result.error}")
        return results

    def _replayed(self, job: _Replay, *, watch: bool = False) -> list[list[Any]]:
        """Stage 5: vetted kernels on secret inputs. By case and drawing, what the process says, and its blobs."""
        blobs: list[bytes] = []
        lowered: dict[Specialisation, int] = {}
        for what, compiled in job.compiled.items():
            lowered[what] = len(blobs)
            blobs.append(compiled.lowered)
        entries: list[dict[str, Any]] = []
        places: list[int] = []
        names: set[str] = set()
        for index, tape in enumerate(job.tapes):
            if not isinstance(tape, Tape):
                continue
            text = tape.model_dump(mode="python", by_alias=True)
            for entry, operation in zip(text["ops"], tape.ops, strict=True):
                if isinstance(operation, Launch) and all(operation.grid):
                    names.add(operation.kernel)
                    entry["lowered"] = lowered[_specialised(job.answer, operation)]
            for replica in job.prepared.replicas[index]:
                contents = [each.data for each in replica.arguments if isinstance(each, Tensor)]
                contents += job.constants[index]
                numbers = list(range(len(blobs), len(blobs) + len(contents)))
                entries.append({"tape": text, "inputs": numbers, "watch": watch})
                places.append(index)
                blobs.extend(contents)
        header = {
            "source": job.answer.module(frozenset(names)),
            "target": self.settings.target,
            "cases": entries,
            "budget_seconds": REPLAY_SECONDS,
        }
        outcome = self._processes.with_triton("replay:replay", header, blobs, REPLAY_LIMITS)
        if outcome.status != "ok":
            kind: Kind = "limit" if outcome.status in ("timeout", "memory", "output") else "launch"
            raise Refused(
                "replay", kind, f"the kernels' process ended in {outcome.status}: {outcome.message}"[:300]
            )
        said = outcome.header.get("cases")
        if not isinstance(said, list) or len(said) != len(entries):
            raise Refused("replay", "launch", "the kernels' process answered something else than results")
        replayed: list[list[Any]] = [[] for _ in job.tapes]
        for index, result in zip(places, said, strict=True):
            replayed[index].append((result, outcome.blobs))
        return replayed

    def _refuse_samples(self, job: _Replay, progress: _Progress) -> None:
        """Of a wrong answer, whether it is wrong because it looked at a part of its inputs only.

        Raises:
            Refused: in every discriminating case with a wrong result, some input was not read by a third or more.
        """
        wrong = {
            index for index, case in enumerate(progress.cases) if case.discriminating and case.kind == "wrong"
        }
        if not wrong:
            return
        tapes = [tape if index in wrong else _SKIPPED for index, tape in enumerate(job.tapes)]
        said = self._replayed(replace(job, tapes=tapes), watch=True)
        shares = [
            min(share_read(tape, drawing) for drawing, _ in drawings)
            for tape, drawings in zip(tapes, said, strict=True)
            if isinstance(tape, Tape)
        ]
        if shares and max(shares) <= MOST_UNREAD:
            raise Refused("compare", "shortcut", "a third or more of an input is never read")

    def _compared(
        self,
        prepared: Prepared,
        tapes: Sequence[Tape | CaseVerdict],
        replayed: Sequence[Sequence[Any]],
        progress: _Progress,
    ) -> None:
        """Stage 6: what came out against the reference."""
        for index, tape in enumerate(tapes):
            if isinstance(tape, CaseVerdict):
                progress.cases.append(tape)
                progress.executed.append(False)
                continue
            failure: tuple[str, str] | None = None
            for replica, (said, blobs) in zip(prepared.replicas[index], replayed[index], strict=True):
                failure = failure or difference(prepared.problem, tape, replica.wanted, said, blobs)
            if failure and failure[0] == "input-changed":
                raise Refused("replay", "cheat", failure[1])
            if failure and failure[0] == "out-of-bounds":
                raise Refused("replay", "memory", f"case {index}: {failure[1]}")
            progress.executed.append(failure is None or failure[0] == "wrong")
            progress.cases.append(
                case_verdict(prepared, index, "compare" if failure[0] == "wrong" else "replay", *failure)
                if failure
                else case_verdict(prepared, index)
            )

    def speedup(self, problem: Problem, completion: str) -> float:
        """Stage 7, for a right answer: eager PyTorch's time over the kernel's, on the largest case. Needs a GPU.

        Raises:
            InfrastructureError: there is no GPU, or the timing process fails.
        """
        from rftgym_triton_kernels.speed import measure

        source, tagged = find_source(completion)
        progress = _Progress()
        prepared = self.prepared(problem)
        answer = self._extracted(problem, source or "", tagged, progress)
        tapes, constants, _ = self._planned(answer, source or "", prepared, 0, progress)
        sizes = [
            sum(buffer.bytes for buffer in tape.buffers) if isinstance(tape, Tape) else 0 for tape in tapes
        ]
        index = sizes.index(max(sizes))
        tape = tapes[index]
        if not isinstance(tape, Tape):
            raise UsageError(f"problem {problem.name!r}: an answer that is not right cannot be timed")
        arguments = prepared.replicas[index][0].arguments
        ((packed,), blobs) = cases_of.pack([arguments])
        return measure(
            answer.module(),
            tape.model_dump(mode="json", by_alias=True),
            [*blobs, *constants[index]],
            reference=problem.reference,
            name=problem.name,
            arguments=packed["arguments"],
        ).speedup

    # ---- what the stages stand on

    def prepared(self, problem: Problem, attempt: int = 0) -> Prepared:
        """A problem's secret inputs and what its reference makes of them; remembered.

        Raises:
            UsageError: the reference fails on a case.
        """
        key = hashlib.blake2b(b"%d" % attempt, key=self._key, digest_size=32).digest()
        return self._problems.get(
            f"{_identity(problem).hex()} {attempt}",
            lambda: prepare(problem, key, self.settings.replicas, self._processes),
        )


@functools.cache
def shared_judge(settings: JudgeSettings, process: int) -> Judge:
    """The judge that all environments of a process share which have the same settings."""
    return Judge(settings)


def _identity(problem: Problem) -> bytes:
    return hashlib.blake2b(repr(problem).encode(), digest_size=20).digest()


def _constants(case: object, blobs: Sequence[bytes]) -> list[bytes]:
    numbers = case.get("constants", []) if isinstance(case, dict) else []
    if not isinstance(numbers, list) or not all(type(n) is int and 0 <= n < len(blobs) for n in numbers):
        raise Refused("validate", "cheat", "constants that the planning process did not send")
    return [bytes(blobs[number]) for number in numbers]


_SKIPPED = CaseVerdict("", False)


def _verdict(progress: _Progress, stage: Stage, kind: Kind, message: str) -> Verdict:
    """The verdict that the progress amounts to; a cheat keeps nothing but its formatting."""
    verdict = Verdict(stage, kind, message, progress.formatting, seconds=progress.seconds)
    if kind in WORTHLESS:
        return verdict
    verdict.compiled, verdict.cases, verdict.kernels = progress.compiled, progress.cases, progress.kernels
    if not progress.cases:
        return verdict
    verdict.success = all(case.passed for case in progress.cases)
    telling = [case.discriminating for case in progress.cases]
    ran = [
        each for each, counts in zip(progress.executed, telling, strict=True) if counts or not any(telling)
    ]
    verdict.executed = sum(ran) / len(ran)
    counted = [case.passed for case in progress.cases if case.discriminating]
    verdict.correct = sum(counted) / len(counted) if counted else float(verdict.success)
    if not verdict.success:  # a case that counts for nothing can fail too
        verdict.correct = min(verdict.correct, len(counted) / (len(counted) + 1))
    return verdict
