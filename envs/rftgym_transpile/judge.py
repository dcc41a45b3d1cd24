"""The judge: a task and code in, a verdict out. Expected results never enter the sandbox."""

from __future__ import annotations

import functools
import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rftgym.errors import UsageError
from rftgym.sandbox import Limits
from rftgym.sandbox.functions import PythonFunctions
from rftgym_transpile import adapter, jvm, node, toolchains
from rftgym_transpile.answers import defines
from rftgym_transpile.outcomes import Did, accepts, agrees, alike, of_harness, of_python
from rftgym_transpile.programs import Program, Ran
from rftgym_transpile.python import run_python
from rftgym_transpile.truth import Run, Truth, Truths
from rftgym_transpile.verdict import Kind, Verdict

MEBIBYTE = 1 << 20
PYTHON_LIMITS = Limits(
    wall_seconds=45, cpu_seconds=15, memory_bytes=512 * MEBIBYTE, output_bytes=8 * MEBIBYTE, processes=8
)
CALL_SECONDS = 2.0
REMEMBERED = 4096
_KINDS: dict[str, Kind] = {"compile": "syntax", "missing": "missing", "inputs": "inputs"}


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """How answers are judged.

    Attributes:
        workers: sandboxed processes at a time; None = as many as processors.
        sandbox: id of the one that answers run in, as `rftgym list sandbox` shows them.
        allow_unsafe: go on where the machine has too few layers of isolation.
    """

    workers: int | None = None
    sandbox: str = "local"
    allow_unsafe: bool = False


class Judge:
    """Judges answers; thread-safe, and as many at a time as it has workers. Starts toolchains when they are needed."""

    def __init__(self, settings: JudgeSettings | None = None) -> None:
        self.settings = settings or JudgeSettings()
        shared: dict[str, Any] = {
            "workers": self.settings.workers,
            "sandbox": self.settings.sandbox,
            "allow_unsafe": self.settings.allow_unsafe,
        }
        self._make: dict[str, Callable[[], Any]] = {
            "python": lambda: PythonFunctions(limits=PYTHON_LIMITS, call_seconds=CALL_SECONDS, **shared),
            "java": lambda: jvm.Jvm(**shared),
            "javascript": lambda: node.Node(**shared),
        }
        self._tools: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._truths = Truths(self._runner, toolchains.missing)
        self._verdicts: OrderedDict[str, Verdict] = OrderedDict()

    def close(self) -> None:
        """End all sandboxes; new ones are started when they are needed."""
        with self._lock:
            for tool in self._tools.values():
                tool.close()
            self._tools.clear()

    def judge(
        self,
        id: str,
        data: Mapping[str, Any],
        code: str,
        waiting: Iterable[tuple[str, Mapping[str, Any]]] = (),
    ) -> Verdict:
        """The verdict on an answer.

        Args:
            id: of the task.
            data: of the task.
            code: of the answer.
            waiting: other tasks whose truth will be wanted, too.
        Raises:
            UsageError: the task's own source is of no use, or a toolchain is not installed.
            InfrastructureError: the sandbox is broken.
        """
        truth = self._truths.of(id, data, waiting)
        target = data["target_language"]
        if not defines(code, data["entry"], target):
            return Verdict(
                "missing", f"it defines no {data['entry']}", tests=len(truth.inputs), constant=truth.constant
            )
        parts = [target, data["source_language"], data["entry"], code, truth.inputs, truth.expected]
        key = hashlib.blake2b(json.dumps(parts).encode(), digest_size=20).hexdigest()
        with self._lock:
            if key in self._verdicts:
                self._verdicts.move_to_end(key)
                return self._verdicts[key]
        verdict = self._judged(data, truth, code)
        if truth.constants and not verdict.success and target == "python" and "Enum" in code:
            verdict = max(
                verdict, self._judged(data, truth, code, members=True), key=lambda each: each.passed
            )
        if verdict.kind not in (
            "timeout",
            "memory",
        ):  # a busy machine may be to blame: judged again another time
            with self._lock:
                self._verdicts[key] = verdict
                while len(self._verdicts) > REMEMBERED:
                    self._verdicts.popitem(last=False)
        return verdict

    def _judged(self, data: Mapping[str, Any], truth: Truth, code: str, *, members: bool = False) -> Verdict:
        """A verdict; with ``members``, the answer is given members of its own Enum instead of their names."""
        target, entry = data["target_language"], data["entry"]
        status, message, did = (
            self._in_python(entry, truth, code, truth.constants if members else ())
            if target == "python"
            else self._by_harness(target, entry, truth, code)
        )
        tests, constant = len(truth.inputs), truth.constant
        if status in ("syntax", "missing"):
            return Verdict(status, message, tests=tests, constant=constant)
        accept = accepts(target, data["source_language"])
        rows = list(zip(truth.expected, did, truth.inputs, strict=True))
        passed = [agrees(expected, each, given, accept) for expected, each, given in rows]
        ended = [good or alike(row[0], row[1]) for good, row in zip(passed, rows, strict=True)]
        ran = sum(ended) / len(rows)
        if all(passed):
            return Verdict("right", "", True, ran, len(rows), tests, constant)
        first = passed.index(False)
        kind, why = _reason(status, message, truth.expected[first], did[first])
        why = f"test {first + 1} of {len(rows)}: {why}" if kind not in ("import", "inputs") else why
        return Verdict(kind, why[:300], True, ran, sum(passed), tests, constant)

    def _in_python(
        self, entry: str, truth: Truth, code: str, members: Sequence[str]
    ) -> tuple[Kind, str, list[Did]]:
        shape = {"session": truth.session, "spread": truth.spread, "telling": truth.telling}
        text = adapter.adapted(code, entry, **shape, members=members)
        ran = self._tool("python").run(text, adapter.ENTRY, truth.calls)
        status: Kind = "right" if ran.status == "ok" else ran.status
        message = ran.message.replace(adapter.ENTRY, entry)
        return status, message, [of_python(each, session=truth.session) for each in ran.results]

    def _by_harness(self, target: str, entry: str, truth: Truth, code: str) -> tuple[Kind, str, list[Did]]:
        (ran,) = self._tool(target).run([Program(code, entry, truth.inputs)])
        status: Kind = "right" if ran.status == "ok" else _KINDS.get(ran.status, ran.status)
        did = []
        for given, said in zip(truth.inputs, ran.expected, strict=False):
            try:
                did.append(of_harness(said, given))
            except UsageError:
                did.append(Did("not_run", message="it returned what cannot be read"))
        rest = Did("timeout" if status == "timeout" else "not_run", message=ran.message)
        return status, ran.message, did + [rest] * (len(truth.inputs) - len(did))

    # ---- toolchains

    def _tool(self, language: str) -> Any:
        with self._lock:
            if language not in self._tools:
                self._tools[language] = self._make[language]()
            return self._tools[language]

    def _runner(self, language: str) -> Run | None:
        """What runs sources of a language; None where there is no such toolchain."""
        if language == "python":
            return self._python_sources
        if not toolchains.available(language):
            return None
        run: Run = self._tool(language).run
        return run

    def _python_sources(self, programs: Sequence[Program]) -> list[Ran]:
        """What Python sources do, told like a harness tells it."""
        return [self._python_source(program) for program in programs]

    def _python_source(self, program: Program) -> Ran:
        return run_python(program, self._tool("python"))


def _reason(status: Kind, message: str, expected: Mapping[str, Any], did: Did) -> tuple[Kind, str]:
    """What to call the first test that was not passed. Never tells what was expected."""
    if did.kind == "timeout":
        return "timeout", "it takes too long"
    if did.kind == "not_run":
        return ("crash" if status == "right" else status), did.message or message
    if did.kind == "exception" and "raises" not in expected:
        return "exception", f"it raises {did.raised[0] if did.raised else 'something'}"
    if "raises" in expected:
        return "wrong", "another exception" if did.kind == "exception" else "it raises nothing"
    return "wrong", "another result"


@functools.cache
def shared_judge(settings: JudgeSettings, process: int) -> Judge:
    """The judge that all environments of a process share which have the same settings."""
    return Judge(settings)
