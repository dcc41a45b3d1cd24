"""Whether threads, processes, open files or memory grow from episode to episode."""

from __future__ import annotations

import gc
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

from rftgym.conformance.findings import Finding, finding
from rftgym.conformance.playing import Env
from rftgym.conformance.subject import Subject
from rftgym.types import Turn

EPISODES = 50
WARMING_UP = 5
TRACED_SECONDS = 0.02
"""Of an episode: slower ones are not traced, since tracing makes them several times slower yet."""
BYTES = 512
"""An episode may leave behind less than this: the allocator's own bookkeeping."""


def check_growth(subject: Subject) -> Iterator[Finding]:
    """The same episodes again and again: whatever can be kept once for all is kept after the first few."""
    env = subject.make()
    started = time.monotonic()
    for _ in range(WARMING_UP):
        _episodes(subject, env)
    seconds = (time.monotonic() - started) / WARMING_UP
    before = _held()
    played = sum(
        1 for _ in subject.in_time("resets", range(EPISODES), at_least=10) if _episodes(subject, env)
    )
    for name, count in _held().items():
        grown = count - before[name]
        if grown >= played / 2:
            yield finding(
                "leaks-resources", f"{grown} more {name} after {played} episodes", "begin() and respond()"
            )
    if seconds < TRACED_SECONDS:
        yield from _memory(subject, env)


def _episodes(subject: Subject, env: Env) -> bool:
    """An episode that is left after a turn, on one task, always with the same completions."""
    task = subject.tasks[0]
    for text in (*subject.given[:1], *subject.completions[-3:]):
        env.start(task, 0)
        env.advance(Turn((), text))
    return True


def _held() -> dict[str, int]:
    """Threads, and where the system tells (Linux), open files and child processes."""
    gc.collect()
    held = {"threads": threading.active_count()}
    files, children = Path("/proc/self/fd"), Path("/proc/self/task")
    if files.is_dir():
        held["open files"] = len(list(files.iterdir()))
        held["processes"] = sum(len(_text(task / "children").split()) for task in children.iterdir())
    return held


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii")
    except OSError:  # a thread that has just ended
        return ""


def _memory(subject: Subject, env: Env) -> Iterator[Finding]:
    tracing = tracemalloc.is_tracing()
    if not tracing:
        tracemalloc.start(1)
    try:
        sizes = []
        for _ in range(3):
            for _ in range(EPISODES // 2):
                _episodes(subject, env)
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        if not tracing:
            tracemalloc.stop()
    grown = min(sizes[1] - sizes[0], sizes[2] - sizes[1]) / (EPISODES // 2)
    if grown > BYTES:
        yield finding(
            "leaks-memory",
            f"the same episode, played again and again, leaves {grown:,.0f} bytes each time",
            "an episode",
        )
