"""Who does the jobs: worker processes, or this process."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, Protocol, Self, cast

from rftgym.compare.work import Order, perform
from rftgym.errors import RftgymError
from rftgym.plugins import Plugins, Portable
from rftgym.training import RunStopped

JOBS_A_PROCESS = 8
"""Then a fresh one takes over: each run leaves a little memory behind, and starting costs half a minute of imports."""
LOOKS_A_SECOND = 5
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
"""A job is computed by one thread, however many jobs run beside it: the same sums in the same order."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended."""

    id: str
    status: Literal["done", "stopped", "failed"]
    reason: str = ""


class Pool(Protocol):
    """Takes orders and says when they are over."""

    def free(self) -> int:
        """How many orders it would begin at once."""

    def submit(self, order: Order) -> None:
        """Begin a job; there must be somebody free."""

    def wait(self, stop: Callable[[], bool]) -> Outcome:
        """The next job that is over.

        Args:
            stop: once it returns True, every job under way is asked to stop with a checkpoint.
        """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of everything; what is under way is killed."""


class Inline:
    """Does jobs in this process, one after another: for plugins that are objects of this process only."""

    def __init__(self, plugins: Plugins | None = None) -> None:
        self._plugins = plugins
        self._orders: deque[Order] = deque()

    def free(self) -> int:
        """One at a time."""
        return 0 if self._orders else 1

    def submit(self, order: Order) -> None:
        """It is done when somebody waits for it."""
        self._orders.append(order)

    def wait(self, stop: Callable[[], bool]) -> Outcome:
        """Do the job."""
        order = self._orders.popleft()
        try:
            perform(order, self._plugins, stop)
        except RunStopped:
            return Outcome(order.id, "stopped")
        except RftgymError as error:
            return Outcome(order.id, "failed", str(error))
        return Outcome(order.id, "done")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is held."""


class _Worker:
    """A process and the job that it works on.

    Attributes:
        job: the id; "" while it is idle.
        begun: how many jobs it was given.
    """

    def __init__(self, log: Path, plugins: Sequence[Portable]) -> None:
        path = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))} if plugins else {}
        with log.open("ab") as file:
            # In a session of its own: Ctrl-C in the terminal is for the parent, which then says what to do.
            self.process = subprocess.Popen(
                [sys.executable, "-m", "rftgym.compare.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                env={**os.environ, **ONE_THREAD, **path},
                start_new_session=True,
            )
        self.answers = cast(IO[bytes], self.process.stdout)
        self._ear = cast(IO[bytes], self.process.stdin)
        self.log = log
        self.job = ""
        self.begun = 0

    def tell(self, line: str) -> None:
        """Send a line; one that has died says so when it is read from."""
        with contextlib.suppress(BrokenPipeError):
            self._ear.write(f"{line}\n".encode("ascii"))
            self._ear.flush()

    def outcome(self) -> Outcome:
        """Its answer, which has come."""
        job, self.job = self.job, ""
        line = self.answers.readline()
        if not line:
            code = self.process.wait()
            return Outcome(job, "failed", f"its process ended with code {code}; see {self.log}")
        return _answered(json.loads(line))

    def end(self, *, kill: bool) -> None:
        """Let it go: an idle one ends when its input does."""
        if kill:
            self.process.kill()
        with contextlib.suppress(BrokenPipeError):
            self.process.communicate()


def _answered(answer: Mapping[str, str]) -> Outcome:
    for status in ("done", "stopped", "failed"):
        if status in answer:
            return Outcome(answer[status], status, answer.get("reason", ""))
    raise RftgymError(f"a worker said {dict(answer)!r}, which is no answer")


class Processes:
    """Worker processes, each with one thread, started when there is something to do.

    Args:
        count: of processes at once.
        logs: directory for what they say on standard error.
        plugins: those that are not installed, which each process registers too.
    """

    def __init__(self, count: int, logs: Path, plugins: Sequence[Portable] = ()) -> None:
        self._count = count
        self._plugins = list(plugins)
        self._logs = logs
        self._workers: list[_Worker] = []
        self._asked = False

    def free(self) -> int:
        """Those that are idle or not started yet."""
        return self._count - len(self._busy)

    @property
    def _busy(self) -> list[_Worker]:
        return [worker for worker in self._workers if worker.job]

    def submit(self, order: Order) -> None:
        """Give a job to an idle process, or to a fresh one."""
        worker = next((worker for worker in self._workers if not worker.job), None)
        if worker is None:
            self._logs.mkdir(parents=True, exist_ok=True)
            taken = {each.log.name for each in self._workers}
            names = (f"worker-{number}.log" for number in range(1, self._count + 1))
            log = self._logs / next(name for name in names if name not in taken)
            worker = _Worker(log, self._plugins)
            self._workers.append(worker)
        worker.job = order.id
        worker.begun += 1
        worker.tell(json.dumps({"order": asdict(order), "plugins": self._plugins}))

    def wait(self, stop: Callable[[], bool]) -> Outcome:
        """The next job that is over."""
        with selectors.DefaultSelector() as selector:
            for worker in self._busy:
                selector.register(worker.answers, selectors.EVENT_READ, worker)
            while not (ready := selector.select(1 / LOOKS_A_SECOND)):
                if stop() and not self._asked:
                    self._asked = True
                    for worker in self._busy:
                        worker.tell("stop")
        worker = ready[0][0].data
        outcome: Outcome = worker.outcome()
        if worker.begun >= JOBS_A_PROCESS or worker.process.poll() is not None:
            worker.end(kill=False)
            self._workers.remove(worker)
        return outcome

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every process: idle ones by themselves, busy ones at once."""
        for worker in self._workers:
            worker.end(kill=bool(worker.job))
