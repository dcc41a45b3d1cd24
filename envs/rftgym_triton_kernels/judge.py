"""The judge: an answer in, a verdict out. Candidate Python never sees data; what sees data is never candidate Python.

Read :meth:`Judge.judge` from top to bottom for the stages. docs/triton-kernels.md has the threat model.
"""

from __future__ import annotations

import functools
import hashlib
import os
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from numpy.typing import NDArray

from rftgym.errors import InfrastructureError, UsageError
from rftgym.sandbox import Job, Limits, LocalSandbox, Outcome, commands
from rftgym_triton_kernels import cases as cases_of
from rftgym_triton_kernels.cases import Argument, Tensor
from rftgym_triton_kernels.compare import (
    BadReference,
    Failed,
    Replica,
    Wanted,
    discriminating,
    mismatch,
    read_results,
)
from rftgym_triton_kernels.compiling import (
    Specialisation,
    amd_facts,
    assembled,
    assembler,
    cache_key,
    specialise,
)
from rftgym_triton_kernels.extract import Extraction, extract, find_source, formatting, parse
from rftgym_triton_kernels.problems import Problem
from rftgym_triton_kernels.prompts import triton_version
from rftgym_triton_kernels.shortcuts import decoded, refuse_shortcuts
from rftgym_triton_kernels.tape import Launch, Tape, validate
from rftgym_triton_kernels.targets import target_of
from rftgym_triton_kernels.verdict import WORTHLESS, CaseVerdict, Kind, Refused, Stage, Verdict

PACKAGE = "rftgym_triton_kernels"
GIB = 1 << 30
PLAN_LIMITS = Limits(wall_seconds=5, cpu_seconds=4, memory_bytes=2 * GIB, processes=16)
REFERENCE_LIMITS = Limits(
    wall_seconds=60, cpu_seconds=60, memory_bytes=4 * GIB, output_bytes=GIB // 2, processes=16
)
COMPILE_LIMITS = Limits(wall_seconds=30, cpu_seconds=25, memory_bytes=2 * GIB, processes=16)
PTXAS_LIMITS = Limits(wall_seconds=30, cpu_seconds=25, memory_bytes=2 * GIB, processes=16)
REPLAY_LIMITS = Limits(
    wall_seconds=15, cpu_seconds=12, memory_bytes=2 * GIB, output_bytes=GIB // 2, processes=16
)
REPLAY_SECONDS = 6.0
MOST_CONFIGS = 4
"""Configurations of an autotuner that are tried where the first ones do not fit the target."""
REMEMBERED_VERDICTS = 4096
REMEMBERED_PROBLEMS = 512
REMEMBERED_COMPILATIONS = 65_536
T = TypeVar("T")


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
    """

    target: str = "cuda:90"
    secret: str | None = None
    replicas: int = 2
    workers: int | None = None
    allow_unsafe: bool = False

    def __post_init__(self) -> None:
        target_of(self.target)
        if self.replicas < 1:
            raise UsageError(
                f"replicas={self.replicas}; every case is judged on at least one drawing of inputs"
            )


@dataclass(frozen=True, slots=True)
class Compiled:
    """What the compiler made of a specialisation.

    Attributes:
        error: why it refused; None where it did not.
        facts: "registers", "spills" and "shared" (bytes).
        too_large: the reason is the target's size, so another configuration may fit.
        narrows: it rounds to 16 bits though nothing that it is given has 16 bits.
    """

    error: str | None = None
    facts: Mapping[str, int] = field(default_factory=dict)
    too_large: bool = False
    narrows: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """A problem with its inputs drawn, decoys for planning, and what the reference makes of it."""

    problem: Problem
    decoys: tuple[list[Argument], ...]
    replicas: tuple[tuple[Replica, ...], ...]
    discriminating: tuple[bool, ...]


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
        self._compilations: _Remembered[Compiled] = _Remembered(REMEMBERED_COMPILATIONS)
        self._problems: _Remembered[Prepared] = _Remembered(REMEMBERED_PROBLEMS)
        self._verdicts: _Remembered[Verdict] = _Remembered(REMEMBERED_VERDICTS)
        self._lock = threading.Lock()
        self._sandboxes: tuple[LocalSandbox, LocalSandbox] | None = None

    def close(self) -> None:
        """End the warm processes. The judge starts new ones when it is used again."""
        with self._lock:
            for sandbox in self._sandboxes or ():
                sandbox.close()
            self._sandboxes = None

    # ---- the stages

    def judge(self, problem: Problem, completion: str) -> Verdict:
        """The verdict on an answer.

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
            b"\0".join([_identity(problem), str(tagged).encode(), source.encode(errors="surrogatepass")]),
            digest_size=20,
        ).hexdigest()
        return self._verdicts.get(key, lambda: self._judged(problem, source, tagged))

    def _judged(self, problem: Problem, source: str, tagged: bool) -> Verdict:
        progress = _Progress(formatting=(1 + tagged) / 7)
        try:
            with progress.timed("extract"):
                answer = self._extracted(problem, source, tagged, progress)
            with progress.timed("prepare"):
                prepared = self.prepared(problem)
            for config in range(MOST_CONFIGS):
                tapes, constants, configs = self._planned(answer, source, prepared, config, progress)
                with progress.timed("compile"):
                    too_large = self._compiled(
                        answer, tapes, progress, last=config + 1 >= min(configs, MOST_CONFIGS)
                    )
                if not too_large:
                    break
            with progress.timed("replay"):
                replayed = self._replayed(answer, prepared, tapes, constants)
            with progress.timed("compare"):
                self._compared(prepared, tapes, replayed, progress)
                refuse_shortcuts(prepared.replicas, _results(tapes, replayed), progress.cases)
        except Refused as refusal:
            return _verdict(progress, refusal.stage, refusal.kind, refusal.message)
        for number, case in enumerate(progress.cases):
            if not case.passed:
                kind: Kind = (
                    "wrong" if case.kind == "wrong" else "limit" if case.kind == "timeout" else "launch"
                )
                stage: Stage = "compare" if kind == "wrong" else "replay"
                return _verdict(progress, stage, kind, f"case {number} ({case.arguments}): {case.message}")
        return _verdict(progress, "passed", "passed", "all cases passed")

    def _extracted(self, problem: Problem, source: str, tagged: bool, progress: _Progress) -> Extraction:
        """Stage 1: vetted kernels, by syntax alone."""
        demands = {"code": True, "tag": tagged}
        demands |= formatting(parse(source), problem.name, problem.parameters)
        progress.formatting = sum(demands.values()) / len(demands)
        return extract(source, problem.name, problem.parameters)

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
            outcome = self._run(0, f"{PACKAGE}.plan:plan", header, blobs, PLAN_LIMITS)
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
                tapes.append(_case_verdict(prepared, index, "exception", message))
                continue
            sizes = [*(len(each.data) for each in inputs), *map(len, constants[-1])]
            try:
                tape = validate(
                    case.get("tape") if isinstance(case, dict) else None,
                    kernels=parameters,
                    input_bytes=sizes,
                    inputs=len(inputs),
                    layout_op=prepared.problem.layout_op,
                    arguments=[(each.shape, each.strides) for each in inputs]
                    if prepared.discriminating[index]
                    else (),
                )
            except Refused as refusal:
                if refusal.kind == "cheat":
                    raise
                tapes.append(_case_verdict(prepared, index, refusal.kind, refusal.message))
            else:
                tapes.append(_misfit(prepared, index, tape) or tape)
        if not any(isinstance(tape, Tape) for tape in tapes):
            first = next(tape for tape in tapes if isinstance(tape, CaseVerdict))
            kind: Kind = "wrong" if first.kind == "wrong" else "launch"
            raise Refused("plan", kind, f"case 0 ({first.arguments}): {first.message}")
        return tapes, constants, configs if isinstance(configs, int) else 1

    def _compiled(
        self, answer: Extraction, tapes: Sequence[Tape | CaseVerdict], progress: _Progress, *, last: bool
    ) -> bool:
        """Stage 4: every distinct launch for the target. True where another configuration is to be tried."""
        wanted = dict.fromkeys(
            specialise(operation, answer.kernels[operation.kernel].unspecialised)
            for tape in tapes
            if isinstance(tape, Tape)
            for operation in tape.ops
            if isinstance(operation, Launch) and all(operation.grid)
        )
        results = dict(zip(wanted, self._compilations_of(answer, list(wanted)), strict=True))
        failed = [(what, result) for what, result in results.items() if result.error is not None]
        if failed and not last and all(result.too_large for _, result in failed):
            return True
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
        return False

    def _replayed(
        self,
        answer: Extraction,
        prepared: Prepared,
        tapes: Sequence[Tape | CaseVerdict],
        constants: Sequence[Sequence[bytes]],
    ) -> list[list[Any]]:
        """Stage 5: vetted kernels on secret inputs. By case and drawing, what the process says, and its blobs."""
        blobs: list[bytes] = []
        entries: list[dict[str, Any]] = []
        places: list[int] = []
        names: set[str] = set()
        for index, tape in enumerate(tapes):
            if not isinstance(tape, Tape):
                continue
            names.update(operation.kernel for operation in tape.ops if isinstance(operation, Launch))
            text = tape.model_dump(mode="python", by_alias=True)
            for replica in prepared.replicas[index]:
                contents = [each.data for each in replica.arguments if isinstance(each, Tensor)]
                contents += constants[index]
                entries.append({"tape": text, "inputs": list(range(len(blobs), len(blobs) + len(contents)))})
                places.append(index)
                blobs.extend(contents)
        header = {
            "source": answer.module(frozenset(names)),
            "target": self.settings.target,
            "cases": entries,
            "budget_seconds": REPLAY_SECONDS,
        }
        outcome = self._run(1, f"{PACKAGE}.replay:replay", header, blobs, REPLAY_LIMITS)
        if outcome.status != "ok":
            kind: Kind = "limit" if outcome.status in ("timeout", "memory", "output") else "launch"
            raise Refused(
                "replay", kind, f"the kernels' process ended in {outcome.status}: {outcome.message}"[:300]
            )
        said = outcome.header.get("cases")
        if not isinstance(said, list) or len(said) != len(entries):
            raise Refused("replay", "launch", "the kernels' process answered something else than results")
        replayed: list[list[Any]] = [[] for _ in tapes]
        for index, result in zip(places, said, strict=True):
            replayed[index].append((result, outcome.blobs))
        return replayed

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
                failure = failure or _difference(prepared.problem, tape, replica.wanted, said, blobs)
            if failure and failure[0] == "input-changed":
                raise Refused("replay", "cheat", failure[1])
            if failure and failure[0] == "out-of-bounds":
                raise Refused("replay", "memory", f"case {index}: {failure[1]}")
            progress.executed.append(failure is None or failure[0] == "wrong")
            progress.cases.append(
                _case_verdict(prepared, index, *failure)
                if failure
                else _case_verdict(prepared, index, None, "")
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

    def prepared(self, problem: Problem) -> Prepared:
        """A problem's secret inputs and what its reference makes of them; remembered.

        Raises:
            UsageError: the reference fails on a case.
        """
        return self._problems.get(_identity(problem).hex(), lambda: self._prepare(problem))

    def _prepare(self, problem: Problem) -> Prepared:
        def evaluate(
            header: dict[str, Any], blobs: Sequence[bytes]
        ) -> tuple[Mapping[str, Any], Sequence[bytes]]:
            outcome = self._run(0, f"{PACKAGE}.reference:evaluate", header, blobs, REFERENCE_LIMITS)
            if outcome.status != "ok":
                raise UsageError(
                    f"problem {problem.name!r}: its reference ended in {outcome.status}: {outcome.message}"
                )
            return outcome.header, outcome.blobs

        problem = cases_of.choose_reading(problem, evaluate)
        drawn = [
            cases_of.make_inputs(
                case,
                cases_of.case_seed(self._key, problem.name, index, replica),
                swapped=problem.swapped,
            )
            for index, case in enumerate(problem.cases)
            for replica in range(self.settings.replicas)
        ]
        packed, blobs = cases_of.pack(drawn)
        header, results = evaluate(
            {"source": problem.reference, "name": problem.name, "cases": packed}, blobs
        )
        try:
            wanted = read_results(header, results, len(drawn))
        except BadReference as error:
            raise UsageError(f"problem {problem.name!r}: {error}") from error
        replicas: list[Replica] = []
        for number, (arguments, values) in enumerate(zip(drawn, wanted, strict=True)):
            if isinstance(values, Failed):
                case = number // self.settings.replicas
                raise UsageError(
                    f"problem {problem.name!r}, case {case}: the reference fails: {values.message}"
                )
            replicas.append(Replica(arguments, values))
        count = self.settings.replicas
        grouped = tuple(tuple(replicas[i : i + count]) for i in range(0, len(replicas), count))
        decoys = tuple(cases_of.decoys(case, swapped=problem.swapped) for case in problem.cases)
        return Prepared(problem, decoys, grouped, tuple(discriminating(problem, each) for each in grouped))

    def _compilations_of(self, answer: Extraction, wanted: Sequence[Specialisation]) -> list[Compiled]:
        """From the memory, or from the compiler, all that lack in one go."""
        sources = {name: answer.module(frozenset({name})) for name in {what.kernel for what in wanted}}
        keys = [
            cache_key(sources[what.kernel], what, self.settings.target, triton_version()) for what in wanted
        ]
        return self._compilations.get_many(
            keys, lambda places: self._compile(answer, [wanted[place] for place in places])
        )

    def _compile(self, answer: Extraction, wanted: Sequence[Specialisation]) -> list[Compiled]:
        target = target_of(self.settings.target)
        header = {
            "source": answer.module(frozenset(what.kernel for what in wanted)),
            "target": target.name,
            "launches": [what.as_json() for what in wanted],
        }
        outcome = self._run(1, f"{PACKAGE}.compiling:compile_launches", header, (), COMPILE_LIMITS)
        said = outcome.header.get("launches") if outcome.status == "ok" else None
        if not isinstance(said, list) or len(said) != len(wanted):
            if (
                len(wanted) > 1 and outcome.status != "timeout"
            ):  # one of them brings the compiler down: find out which
                return [self._compile(answer, [what])[0] for what in wanted]
            return [Compiled(f"the compiler ended in {outcome.status}: {outcome.message}"[:300])] * len(
                wanted
            )
        made: list[Compiled] = []
        assemblies: dict[int, bytes] = {}
        for place, result in enumerate(said):
            if not isinstance(result, dict) or "error" in result:
                made.append(Compiled(str(result.get("error") if isinstance(result, dict) else result)[:400]))
                continue
            shared = int(result.get("shared", 0))
            text = outcome.blobs[result["blob"]]
            if shared > target.shared_bytes:
                error = f"it needs {shared} bytes of shared memory, {target.name} has {target.shared_bytes}"
                made.append(Compiled(error, {"shared": shared}, too_large=True))
                continue
            made.append(Compiled(None, {"shared": shared}, narrows=result.get("narrows") is True))
            assemblies[place] = text
        for place, facts in self._assembled(assemblies).items():
            made[place] = (
                Compiled(f"ptxas: {facts}", made[place].facts, too_large="too much" in facts)
                if isinstance(facts, str)
                else replace(made[place], facts={**made[place].facts, **facts})
            )
        return made

    def _assembled(self, texts: Mapping[int, bytes]) -> dict[int, dict[str, int] | str]:
        """Registers and spills of assembly texts by ptxas; its complaint where it has one."""
        program = assembler(self.settings.target)
        if program is None:
            return {place: amd_facts(text.decode()) for place, text in texts.items()}
        path, options = program
        made: dict[int, dict[str, int] | str] = {}
        with ThreadPoolExecutor(max_workers=max(1, min(len(texts), self.workers))) as pool:
            jobs = {place: pool.submit(self._ptxas, path, options, text) for place, text in texts.items()}
            for place, job in jobs.items():
                made[place] = job.result()
        return made

    def _ptxas(self, path: str, options: Sequence[str], text: bytes) -> dict[str, int] | str:
        """Registers and spills of one assembly text, or why ptxas refuses it."""
        command = [path, *options, "kernel.ptx", "-o", "kernel.cubin"]
        job = commands.command(command, files={"kernel.ptx": text}, limits=PTXAS_LIMITS)
        outcome = self._started()[1].run(job)
        if outcome.status in ("timeout", "memory"):
            return f"it ended in {outcome.status}: {outcome.message}"
        result = commands.finished(outcome)
        said = result.stderr.decode(errors="replace")
        return assembled(said) if result.exit_code == 0 else " ".join(said.split())[:300]

    @property
    def workers(self) -> int:
        """Sandboxed processes at a time."""
        return self.settings.workers or os.cpu_count() or 1

    def _run(
        self, which: int, function: str, header: dict[str, Any], blobs: Sequence[bytes], limits: Limits
    ) -> Outcome:
        """One job in a process forked from the warm one that knows torch (0) or the compiler (1)."""
        return self._started()[which].run(Job(function, header, tuple(blobs), limits))

    def _started(self) -> tuple[LocalSandbox, LocalSandbox]:
        with self._lock:
            if self._sandboxes is None:
                preloads = (
                    (f"{PACKAGE}.plan:preload", f"{PACKAGE}.reference:preload"),
                    (f"{PACKAGE}.compiling:preload", f"{PACKAGE}.replay:preload"),
                )
                with ThreadPoolExecutor(2) as pool:
                    first, second = pool.map(self._sandbox, preloads)
                self._sandboxes = first, second
            return self._sandboxes

    def _sandbox(self, preload: tuple[str, ...]) -> LocalSandbox:
        return LocalSandbox(preload=preload, workers=self.workers, allow_unsafe=self.settings.allow_unsafe)


@functools.cache
def shared_judge(settings: JudgeSettings, process: int) -> Judge:
    """The judge that all environments of a process share which have the same settings."""
    return Judge(settings)


class _Remembered(dict[str, "Future[T]"]):
    """Values by content, each made once even where several threads ask at a time; the oldest ones are forgotten."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most
        self._order: OrderedDict[str, None] = OrderedDict()
        self._guard = threading.Lock()

    def get_many(self, keys: Sequence[str], make: Callable[[list[int]], Sequence[T]]) -> list[T]:
        """The values of keys; ``make`` is called once, with the places of the keys that nobody has asked for yet."""
        futures: list[Future[T]] = []
        mine: dict[str, int] = {}
        with self._guard:
            for place, key in enumerate(keys):
                if key not in self:
                    self[key] = Future()
                    mine[key] = place
                self._order[key] = None
                self._order.move_to_end(key)
                futures.append(self[key])
            while len(self) > self._most:
                del self[self._order.popitem(last=False)[0]]
        own = dict(zip(mine.values(), (futures[place] for place in mine.values()), strict=True))
        try:
            if own:
                for future, value in zip(own.values(), make(list(own)), strict=True):
                    future.set_result(value)
        except BaseException as error:
            with self._guard:
                for key in mine:
                    self.pop(key, None)
                    self._order.pop(key, None)
            for future in own.values():
                if not future.done():
                    future.set_exception(error)
            raise
        return [future.result() for future in futures]

    def get(self, key: str, make: Callable[[], T]) -> T:  # type: ignore[override]
        """The value of a key, made where it is not there."""
        return self.get_many([key], lambda _: [make()])[0]


def _identity(problem: Problem) -> bytes:
    return hashlib.blake2b(repr(problem).encode(), digest_size=20).digest()


def _constants(case: object, blobs: Sequence[bytes]) -> list[bytes]:
    numbers = case.get("constants", []) if isinstance(case, dict) else []
    if not isinstance(numbers, list) or not all(type(n) is int and 0 <= n < len(blobs) for n in numbers):
        raise Refused("validate", "cheat", "constants that the planning process did not send")
    return [bytes(blobs[number]) for number in numbers]


def _case_verdict(prepared: Prepared, index: int, kind: str | None, message: str) -> CaseVerdict:
    names = prepared.problem.parameters
    words = ", ".join(
        f"{name} {_described(each)}" for name, each in zip(names, prepared.decoys[index], strict=False)
    )
    return CaseVerdict(words, prepared.discriminating[index], kind is None, kind, message)


def _described(argument: Argument) -> str:
    if not isinstance(argument, Tensor):
        return f"= {argument.value!r}"
    plain = argument.strides == cases_of.contiguous_strides(argument.shape) or 0 in argument.shape
    return f"{argument.dtype}{list(argument.shape)}{'' if plain else ' not contiguous'}"


def _results(
    tapes: Sequence[Tape | CaseVerdict], replayed: Sequence[Sequence[Any]]
) -> list[list[list[NDArray[Any]]]]:
    """What came out, by case and drawing; empty for a case that did not run through."""
    everything: list[list[list[NDArray[Any]]]] = []
    for tape, drawings in zip(tapes, replayed, strict=True):
        ran = isinstance(tape, Tape) and all(
            isinstance(said, dict) and said.get("ok") is True for said, _ in drawings
        )
        if not ran or not isinstance(tape, Tape):
            everything.append([])
            continue
        everything.append(
            [
                [
                    decoded(blobs[result["blob"]], view.dtype, view.shape)
                    for view, result in zip(tape.results, said["results"], strict=True)
                ]
                for said, blobs in drawings
            ]
        )
    return everything


def _misfit(prepared: Prepared, index: int, tape: Tape) -> CaseVerdict | None:
    """A case whose results have the wrong number, dtype or shape need not be run."""
    wanted = prepared.replicas[index][0].wanted
    words = None
    if len(tape.results) != len(wanted):
        words = f"{len(tape.results)} results are returned, {len(wanted)} are wanted"
    for view, want in zip(tape.results, wanted, strict=False):
        if words is None and view.dtype != want.dtype:
            words = f"the result has dtype {view.dtype}, {want.dtype} is wanted"
        if words is None and tuple(view.shape) != want.shape:
            words = f"the result has shape {view.shape}, {list(want.shape)} is wanted"
    return None if words is None else _case_verdict(prepared, index, "wrong", words)


def _difference(
    problem: Problem, tape: Tape, wanted: Sequence[Wanted], said: Any, blobs: Sequence[bytes]
) -> tuple[str, str] | None:
    """Kind and message of what is wrong with one replica of a case; None where it is right."""
    if not isinstance(said, dict) or said.get("ok") is not True:
        error = said.get("error") if isinstance(said, dict) else None
        error = error if isinstance(error, dict) else {}
        kind = str(error.get("kind", "exception"))[:40]
        message = str(error.get("message", "no result"))[:400]
        return ("launch" if kind == "wrong" else kind), message
    results = said.get("results")
    if not isinstance(results, list) or len(results) != len(tape.results):
        return "exception", "results are missing"
    if len(results) != len(wanted):
        return "wrong", f"{len(results)} results are returned, {len(wanted)} are wanted"
    for view, result, want in zip(tape.results, results, wanted, strict=True):
        number = result.get("blob") if isinstance(result, dict) else None
        if type(number) is not int or not 0 <= number < len(blobs):
            return "exception", "a result has no content"
        found = mismatch(blobs[number], view.dtype, view.shape, want, problem.tolerance(want.dtype))
        if found is not None:
            return "wrong", found
    return None


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


__all__ = ["InfrastructureError", "Judge", "JudgeSettings", "Prepared", "shared_judge"]
