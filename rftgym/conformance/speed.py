"""How long the longest completions take."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NamedTuple

from rftgym.conformance.findings import Finding, finding
from rftgym.conformance.playing import Env, place, play, quoted
from rftgym.conformance.raised import line_of
from rftgym.conformance.subject import Subject
from rftgym.types import Task

PATTERNS = (
    *(
        "a",
        "0",
        " ",
        "\n",
        "(",
        "[",
        "{",
        "<",
        "<a>",
        "</a>",
        "```",
        "```\n",
        "1+",
        "a ",
        '"',
        "\\",
        "$",
        "-",
        "a,",
    ),
)
ENDS = ("", "!", "</")
"""Behind the repeated pattern: what nearly fits makes regular expressions try every way."""
LIMIT_SECONDS = 5.0
WAIT_SECONDS = 20.0
"""By the clock: a judge may wait for a sandbox, on a busy machine."""
SHORT_SECONDS = 1.0
"""Whatever is done in less is quick enough, whichever way it grows."""
SIZES = (64, 1024)
GROWS = 3.0
"""Of twice the length, times the time: linear is 2, square is 4."""


class TookTooLongError(BaseException):
    """Raised in the middle of a call that should have ended; no ``except Exception`` on the way shall keep it.

    Attributes:
        cpu: it was the CPU's time that was over, and not the clock's.
    """

    def __init__(self, cpu: bool) -> None:
        super().__init__(cpu)
        self.cpu = cpu


@contextlib.contextmanager
def limited(seconds: float, *, cpu: bool = True) -> Iterator[None]:
    """Interrupt what runs inside after so long; only in the main thread, where Python delivers signals.

    Args:
        seconds: of this process's CPU, so that a busy machine interrupts nothing; of the clock where not ``cpu``.

    Raises:
        TookTooLongError: the time is over.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise TookTooLongError(cpu)

    number, timer = (signal.SIGVTALRM, signal.ITIMER_VIRTUAL) if cpu else (signal.SIGALRM, signal.ITIMER_REAL)
    started = time.monotonic()
    before = signal.signal(number, interrupt)
    left, interval = signal.setitimer(timer, seconds)
    try:
        yield
    finally:
        signal.setitimer(timer, 0)
        signal.signal(number, before)
        if left:  # somebody else's alarm, say of a test runner: it goes on
            signal.setitimer(timer, max(0.001, left - (time.monotonic() - started)), interval)


def check_speed(subject: Subject) -> Iterator[Finding]:
    """Long completions, each of ever the same: parser, episode and rewards."""
    env, task = subject.make(), subject.tasks[0]
    tag = getattr(env.parser, "tag", None)
    own = (f"<{tag}>", f"</{tag}>") if isinstance(tag, str) else ()
    texts = [(pattern, end) for pattern in (*own, *PATTERNS) for end in ENDS]
    usual = _took(lambda: play(env, task, 0, ["a"]))
    for pattern, end in subject.in_time("long completions", texts, at_least=3):
        found = _too_slow(subject, env, task, pattern, end, usual)
        if found is not None:
            yield found
            return  # the others would take as long


def _too_slow(subject: Subject, env: Env, task: Task, pattern: str, end: str, usual: Took) -> Finding | None:
    longest = env.max_completion_chars
    took: dict[int, Took] = {}

    def say(text: str) -> Callable[[], object]:
        return lambda: play(env, task, 0, [text])

    for size in sorted({min(size, longest) for size in (*SIZES, longest // 2, longest)}):
        text = (pattern * (size // len(pattern) + 1))[: size - len(end)] + end
        where = place(task, 0, text)
        said = f"{size} characters, {quoted(pattern)} again and again, took"
        try:
            with limited(LIMIT_SECONDS + usual.cpu):
                took[size] = _took(say(text))
        except TookTooLongError as error:
            if not error.cpu:
                raise  # the time for the whole examination is over
            line = line_of(error, subject.files)
            at = f"{line} ({where})" if line else where
            return finding("slow-on-long", f"{said} more than {LIMIT_SECONDS:g} s of CPU", at)
        except Exception:  # noqa: BLE001  # told by the check of episodes
            return None
        if took[size].wall > WAIT_SECONDS + 2 * usual.wall:
            return finding("slow-on-long", f"{said} {took[size].wall:.0f} s", where)
    half, whole = took[longest // 2].cpu - usual.cpu, took[longest].cpu - usual.cpu
    if whole > SHORT_SECONDS and whole > GROWS * half:
        return finding("slow-on-long", f"{said} {whole:.1f} s of CPU, half as many {half:.1f} s", where)
    return None


class Took(NamedTuple):
    """Seconds of this process's CPU, and of the clock."""

    cpu: float
    wall: float


def _took(call: Callable[[], object]) -> Took:
    cpu, wall = time.process_time(), time.monotonic()
    call()
    return Took(time.process_time() - cpu, time.monotonic() - wall)
