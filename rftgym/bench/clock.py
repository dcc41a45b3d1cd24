"""CPU time of this process and of all that it has started: a sandbox works in processes of its own."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Moment:
    """Seconds of this process's CPU time, of that of the processes below it, and of the wall clock."""

    own: float
    others: float
    wall: float

    @property
    def cpu(self) -> float:
        """CPU time of all of them."""
        return self.own + self.others

    def since(self, earlier: Moment) -> Moment:
        """What has passed."""
        return Moment(self.own - earlier.own, self.others - earlier.others, self.wall - earlier.wall)

    def __add__(self, more: Moment) -> Moment:
        return Moment(self.own + more.own, self.others + more.others, self.wall + more.wall)


NOTHING = Moment(0.0, 0.0, 0.0)


def started(*, others: bool = True) -> Moment:
    """Now, to be subtracted: a look at the other processes is over before the own time is taken."""
    outside = _others() if others else 0.0
    return Moment(time.process_time(), outside, time.perf_counter())


def stopped(*, others: bool = True) -> Moment:
    """Now, to subtract from: the own time is taken before a look at the other processes."""
    wall, own = time.perf_counter(), time.process_time()
    return Moment(own, _others() if others else 0.0, wall)


def _others() -> float:
    """Seconds of all processes below this one: those that have ended, and, where /proc shows them, those that live."""
    ended = os.times()
    return ended.children_user + ended.children_system + sum(map(_seconds, _below(os.getpid())))


def _below(process: int) -> Iterator[int]:
    """The living processes that a process has started, and theirs."""
    for file in (PROC / str(process) / "task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, file.read_text(encoding="ascii").split()):
                yield child
                yield from _below(child)


def _seconds(process: int) -> float:
    """Of a living process and of its children that have ended; 0 for one that is gone."""
    try:
        stat = (PROC / str(process) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0.0
    ticks = stat.rpartition(")")[2].split()[11:15]  # utime, stime, cutime, cstime; see proc_pid_stat(5)
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
