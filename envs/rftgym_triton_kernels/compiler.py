"""Compilations by content: what was compiled once for a target is remembered, in the memory of the judge only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from rftgym.sandbox import commands
from rftgym_triton_kernels.compiling import Specialisation, amd_facts, assembled, assembler, cache_key
from rftgym_triton_kernels.extract import Extraction
from rftgym_triton_kernels.outcomes import content_of
from rftgym_triton_kernels.processes import COMPILE_LIMITS, PTXAS_LIMITS, Processes
from rftgym_triton_kernels.prompts import triton_version
from rftgym_triton_kernels.remembered import Remembered
from rftgym_triton_kernels.targets import target_of

REMEMBERED = 16_384


@dataclass(frozen=True, slots=True)
class Compiled:
    """What the compiler made of a specialisation.

    Attributes:
        error: why it refused; None where it did not.
        facts: "registers", "spills" and "shared" (bytes).
        too_large: the reason is the target's size, so another configuration may fit.
        narrows: it rounds to 16 bits though nothing that it is given has 16 bits.
        lowered: Triton's intermediate representation, which the replay starts from.
    """

    error: str | None = None
    facts: Mapping[str, int] = field(default_factory=dict)
    too_large: bool = False
    narrows: bool = False
    lowered: bytes = b""


class Compiler:
    """Compiles for one target; thread-safe.

    Args:
        processes: where it runs.
        target: see `targets.TARGETS`.
    """

    def __init__(self, processes: Processes, target: str) -> None:
        self._processes, self._target = processes, target
        self._remembered: Remembered[Compiled] = Remembered(REMEMBERED)

    def compiled(self, answer: Extraction, wanted: Sequence[Specialisation]) -> list[Compiled]:
        """From the memory, or from the compiler, all that lack in one go."""
        sources = {name: answer.module(frozenset({name})) for name in {what.kernel for what in wanted}}
        keys = [cache_key(sources[what.kernel], what, self._target, triton_version()) for what in wanted]
        return self._remembered.get_many(
            keys, lambda places: self._compile(answer, [wanted[place] for place in places])
        )

    def _compile(self, answer: Extraction, wanted: Sequence[Specialisation]) -> list[Compiled]:
        target = target_of(self._target)
        header = {
            "source": answer.module(frozenset(what.kernel for what in wanted)),
            "target": target.name,
            "launches": [what.as_json() for what in wanted],
        }
        outcome = self._processes.with_triton("compiling:compile_launches", header, (), COMPILE_LIMITS)
        said = outcome.header.get("launches") if outcome.status == "ok" else None
        if not isinstance(said, list) or len(said) != len(wanted):
            if len(wanted) > 1 and outcome.status != "timeout":  # find out which one brings the compiler down
                return [self._compile(answer, [what])[0] for what in wanted]
            error = f"the compiler ended in {outcome.status}: {outcome.message}"[:300]
            return [Compiled(error, too_large=True)] * len(wanted)
        made: list[Compiled] = []
        assemblies: dict[int, bytes] = {}
        for place, result in enumerate(said):
            if not isinstance(result, dict) or "error" in result:
                made.append(Compiled(str(result.get("error") if isinstance(result, dict) else result)[:400]))
                continue
            shared, text = result.get("shared"), content_of(result, outcome.blobs)
            if type(shared) is not int or not text:
                made.append(Compiled("the compiler's process answered something else than a kernel"))
                continue
            if shared > target.shared_bytes:
                error = f"it needs {shared} bytes of shared memory, {target.name} has {target.shared_bytes}"
                made.append(Compiled(error, {"shared": shared}, too_large=True))
                continue
            lowered = content_of(result, outcome.blobs, "lowered")
            narrows = result.get("narrows") is True
            made.append(Compiled(None, {"shared": shared}, narrows=narrows, lowered=lowered))
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
        program = assembler(self._target)
        if program is None:
            return {place: amd_facts(text.decode()) for place, text in texts.items()}
        path, options = program
        made: dict[int, dict[str, int] | str] = {}
        with ThreadPoolExecutor(max_workers=max(1, min(len(texts), self._processes.workers))) as pool:
            jobs = {place: pool.submit(self._ptxas, path, options, text) for place, text in texts.items()}
            for place, job in jobs.items():
                made[place] = job.result()
        return made

    def _ptxas(self, path: str, options: Sequence[str], text: bytes) -> dict[str, int] | str:
        """Registers and spills of one assembly text, or why ptxas refuses it."""
        command = [path, *options, "kernel.ptx", "-o", "kernel.cubin"]
        outcome = self._processes.program(command, {"kernel.ptx": text}, PTXAS_LIMITS)
        if outcome.status in ("timeout", "memory"):
            return f"it ended in {outcome.status}: {outcome.message}"
        result = commands.finished(outcome)
        said = result.stderr.decode(errors="replace")
        return assembled(said) if result.exit_code == 0 else " ".join(said.split())[:300]
