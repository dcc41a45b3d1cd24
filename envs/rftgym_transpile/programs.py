"""What every toolchain takes and gives: programs to run with their inputs, and what became of them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from rftgym import registry
from rftgym.errors import InfrastructureError, UsageError
from rftgym.sandbox import Job, Outcome, Sandbox, commands

STATUSES = ("ok", "compile", "missing", "inputs", "timeout", "memory", "output", "crash")
MESSAGE_CHARACTERS = 300
BATCH = 64
"""Programs in one process."""
BUSY_MACHINE = 5
"""So many times its limit a program may take where others keep the processor busy."""
RESULTS = "results.jsonl"


@dataclass(frozen=True, slots=True)
class Program:
    """A text, and what to call in it.

    Attributes:
        source: nobody trusts it.
        entry: a method's or a class's name.
        inputs: what to call it with, see the README for the notation.
        seconds: wall time for all inputs together, compiling not counted.
    """

    source: str
    entry: str
    inputs: Sequence[Any]
    seconds: float = 3.0


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a program. It says so itself: an answer, never evidence.

    Attributes:
        status: "ok": all inputs were run; "compile": it does not compile; "missing": it has no such entry; "inputs":
            the entry does not take these inputs; "timeout", "memory", "output": it went over a limit; "crash": it
            ended the process.
        message: why it is not "ok", for people.
        inputs: those that were reached, in canonical notation.
        expected: results of those that were finished.
    """

    status: str
    message: str = ""
    inputs: tuple[Any, ...] = ()
    expected: tuple[Any, ...] = ()


def read_line(line: bytes) -> tuple[int, Ran]:
    """What a harness says of a program, as (number of the program, what became of it).

    Raises:
        ValueError: it is not such a line.
    """
    try:
        said = json.loads(line)
    except RecursionError as error:
        raise ValueError("too deep") from error
    if not isinstance(said, dict) or said.get("status") not in STATUSES or type(said.get("index")) is not int:
        raise ValueError("not a line of the harness")
    inputs, expected = said.get("inputs"), said.get("expected")
    if not isinstance(inputs, list) or not isinstance(expected, list):
        raise ValueError("not a line of the harness")
    message = str(said.get("message", ""))[:MESSAGE_CHARACTERS]
    return said["index"], Ran(said["status"], message, tuple(inputs), tuple(expected))


def read_results(result: commands.Result, count: int) -> list[Ran]:
    """What a harness wrote of the first programs, before it or one of them ended the process.

    Args:
        count: programs that it was given.
    """
    found: list[Ran] = []
    for line in result.files.get(RESULTS, b"").splitlines()[:count]:
        try:
            index, ran = read_line(line)
        except ValueError as error:
            index, ran = len(found), Ran("output", f"its results cannot be read: {error}")
        if index != len(found):  # somebody else wrote this
            break
        found.append(ran)
    return found


class Workshop:
    """A sandbox for programs, started when it is first used; thread-safe.

    Args:
        readable: files and folders that the programs need besides the system's libraries.
        workers: programs at a time; None = as many as processors.
        sandbox: id of an installed one, as `rftgym list sandbox` shows them.
        allow_unsafe: go on where the machine has too few layers of isolation.
    """

    def __init__(
        self,
        readable: Sequence[str] = (),
        *,
        workers: int | None = None,
        sandbox: str = "local",
        allow_unsafe: bool = False,
    ) -> None:
        self._settings: dict[str, Any] = {"workers": workers, "allow_unsafe": allow_unsafe}
        if readable:
            self._settings["readable"] = list(readable)
        self._kind = sandbox
        self._lock = threading.Lock()
        self._sandbox: Sandbox | None = None

    def run(self, job: Job) -> Outcome:
        """Run a job of `rftgym.sandbox.commands.command`."""
        with self._lock:
            if self._sandbox is None:
                self._sandbox = registry.make_sandbox(self._kind, **self._settings)
            sandbox = self._sandbox
        return sandbox.run(job)

    def run_all(
        self, programs: Sequence[Program], job: Callable[[Sequence[Program], float], Job]
    ) -> list[Ran]:
        """What becomes of each program. One that never ends, or ends the process, costs itself only.

        Args:
            job: makes the job of running some of them, with the seconds that their inputs may take.
        Raises:
            InfrastructureError: the toolchain cannot be run at all.
        """
        found: list[Ran] = []
        while len(found) < len(programs):
            found += self._some(programs[len(found) : len(found) + BATCH], job)
        return found

    def _some(self, programs: Sequence[Program], job: Callable[[Sequence[Program], float], Job]) -> list[Ran]:
        """What became of the first programs, at least one: those up to the one that ended the process."""
        outcome = self.run(job(programs, sum(BUSY_MACHINE * each.seconds for each in programs)))
        if outcome.status != "ok":
            if len(programs) > 1:  # whose fault it is shows when each has a process of its own
                return [ran for program in programs for ran in self._some([program], job)]
            status = outcome.status if outcome.status in ("timeout", "memory", "output") else "crash"
            return [Ran(status, outcome.message)]
        result = commands.finished(outcome)
        found = read_results(result, len(programs))
        if not found and RESULTS not in result.files:
            said = " ".join((result.stdout + result.stderr).decode(errors="replace").split())[
                :MESSAGE_CHARACTERS
            ]
            raise InfrastructureError(f"a toolchain does not start (exit code {result.exit_code}): {said}")
        if len(found) < len(programs) and (not found or found[-1].status not in ("timeout", "memory")):
            how = "memory" if b"heap" in result.stderr else "crash"
            found.append(Ran(how, f"it ended the process with exit code {result.exit_code}"))
        return found

    def close(self) -> None:
        """End the sandbox; another one is started when it is needed."""
        with self._lock:
            if self._sandbox is not None:
                self._sandbox.close()
            self._sandbox = None


def written(programs: Sequence[Program]) -> bytes:
    """The programs as a harness reads them."""
    rows = [
        {"source": each.source, "entry": each.entry, "inputs": list(each.inputs), "seconds": each.seconds}
        for each in programs
    ]
    return json.dumps(rows).encode()


def no_toolchain(what: str, cure: str) -> UsageError:
    """The error of whoever needs a toolchain that is not there."""
    return UsageError(f"{what} is not installed: {cure}")
