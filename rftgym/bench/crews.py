"""Several at once: processes that each make the environment anew, and threads that share one which is slow."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import IO, Any, Literal

from rftgym.bench import clock
from rftgym.bench.plays import Play, played
from rftgym.bench.report import Scale
from rftgym.env import TextEnv
from rftgym.errors import PluginError
from rftgym.scoring import score_trajectories
from rftgym.types import Trajectory

MOST_THREADS = 32
"""As many slow environments step at once in a rollout."""


def processes(order: Mapping[str, Any], numbers: Sequence[int], seconds: float) -> list[Scale]:
    """Measure with so many processes at once; each is started anew, made warm, and told to begin with the others.

    Args:
        order: as :mod:`rftgym.bench.worker` takes it.

    Raises:
        PluginError: another process cannot make or play the environment; says why.
    """
    return _scales("processes", [(number, *_crew(order, number, seconds)) for number in numbers])


def _crew(order: Mapping[str, Any], number: int, seconds: float) -> tuple[float, float, float]:
    """Episodes and steps a second, and steps a CPU second, of all together."""
    with contextlib.ExitStack() as stack:
        crew = [stack.enter_context(_worker()) for _ in range(number)]
        for each in crew:
            each.tell(order)
        for each in crew:
            each.answer()  # it is warm
        for each in crew:
            each.tell({"seconds": seconds})
        found = [each.answer() for each in crew]
    episodes, steps = (sum(each[what] / each["wall"] for each in found) for what in ("episodes", "steps"))
    return episodes, steps, sum(each["steps"] for each in found) / sum(each["cpu"] for each in found)


class _Worker:
    """A process and its ear and mouth: lines of JSON."""

    def __init__(self, process: subprocess.Popen[str], log: IO[str]) -> None:
        self._process, self._log = process, log

    def tell(self, what: Mapping[str, Any]) -> None:
        if self._process.stdin is None:
            return
        with contextlib.suppress(BrokenPipeError):  # one that has died says so when it is asked
            self._process.stdin.write(json.dumps(what) + "\n")
            self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            self._log.seek(0)
            raise PluginError(
                f"a process ended: {' '.join(self._log.read()[-300:].split()) or 'it said nothing'}"
            )
        found: dict[str, Any] = json.loads(line)
        if "failed" in found:
            raise PluginError(found["failed"])
        return found


@contextlib.contextmanager
def _worker() -> Iterator[_Worker]:
    """A process that finds what this one finds, and that is gone when the block ends."""
    paths = [path or os.getcwd() for path in sys.path]  # noqa: PTH109  # "" is where one stands
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    # -P: what stands in this folder, say a queue.py, hides nothing, unless it does here too
    command = [sys.executable, "-P", "-m", "rftgym.bench.worker"]
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment,
        )
        with process:
            try:
                yield _Worker(process, log)
            finally:
                process.kill()


def threads(env: TextEnv[Any], plays: Sequence[Play], seed: int, seconds: float, cores: int) -> list[Scale]:
    """Measure with 1, 2, 4... threads, each with a twin of the environment; up to twice the cores."""
    most = min(MOST_THREADS, max(2, 2 * cores))
    numbers = [2**power for power in range(most.bit_length()) if 2**power <= most]
    return _scales("threads", [(number, *_gang(env, plays, seed, seconds, number)) for number in numbers])


def _gang(
    env: TextEnv[Any], plays: Sequence[Play], seed: int, seconds: float, number: int
) -> tuple[float, float, float]:
    """As :func:`_crew`, in threads."""
    order, until = count(), time.monotonic() + seconds

    def work() -> list[Trajectory]:
        episodes = [played(env, plays[next(order) % len(plays)], seed)]
        while time.monotonic() < until:
            episodes.append(played(env, plays[next(order) % len(plays)], seed))
        return episodes

    begun = clock.started()
    with ThreadPoolExecutor(number) as pool:
        jobs = [pool.submit(work) for _ in range(number)]
        episodes = [episode for job in jobs for episode in job.result()]
    score_trajectories(env.rubric, episodes)
    spent = clock.stopped().since(begun)
    steps = sum(len(episode.turns) for episode in episodes)
    return len(episodes) / spent.wall, steps / spent.wall, steps / spent.cpu


def _scales(
    kind: Literal["processes", "threads"], found: Sequence[tuple[int, float, float, float]]
) -> list[Scale]:
    """With the speed-up: in units of what one of them does, judged by the smallest number."""
    one = found[0][1] / found[0][0] if found else 0.0
    return [
        Scale(kind, number, steps, episodes, per_cpu_second, episodes / one)
        for number, episodes, steps, per_cpu_second in found
    ]
