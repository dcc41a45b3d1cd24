"""Calling a reward component many times, with a timeout that holds even where the call does not cooperate.

A synchronous component is called in one thread, one trajectory after another, while the caller's thread
watches. A call that takes too long is recorded and its thread is given up; a fresh thread goes on with the
rest. An asynchronous component runs in an event loop of its own thread, many calls at a time; a call that
blocks the loop (say by ``time.sleep`` instead of ``asyncio.sleep``) is found out and recorded in the same way.

A thread that is given up cannot be killed. It gets an exception, which ends a loop in Python code; one that
hangs in C code or in the kernel stays behind as a daemon. Where more than a quarter
of the calls time out, the rest of the batch is not tried: a judge that is down costs minutes then, not hours.
"""

from __future__ import annotations

import asyncio
import ctypes
import functools
import inspect
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import wait as wait_for_futures
from time import monotonic, sleep
from typing import Any

from rftgym.rubric import Component, failure_of, tried
from rftgym.types import Failure, Trajectory, Turn

Call = tuple[Trajectory, Turn]
Outcome = float | Failure | None

MAX_TIMEOUTS = 8
"""Calls of one component in one batch that may time out, whatever their share, before the rest is given up."""
MAX_TIMEOUT_SHARE = 0.25
"""Above that number, the share of the calls made so far that may."""
BACKOFF_SECONDS = 0.05
"""Pause before the second attempt after an infrastructure fault; doubles with every further one."""


def call_all(component: Component, calls: Sequence[Call], *, concurrency: int) -> list[Outcome]:
    """Call a component for each (trajectory, turn); never raises for the component's fault.

    Infrastructure faults are tried again as often as ``component.retries`` says, and an asynchronous call that
    timed out once.

    Args:
        concurrency: asynchronous calls at a time.
    Returns:
        In the order of ``calls``: a checked value, None for "cannot be scored", or the record of what went
        wrong.
    """
    batch = _Batch(component, calls)
    while batch.pending():
        if batch.is_hopeless():
            batch.give_up()
            break
        shift = _AsyncShift(batch, concurrency) if component.is_async else _SyncShift(batch)
        shift.work()
    return batch.outcomes


class _Batch:
    """The calls and what became of them."""

    def __init__(self, component: Component, calls: Sequence[Call]) -> None:
        self.component = component
        self.calls = calls
        self.outcomes: list[Outcome] = [None] * len(calls)
        self._settled = bytearray(len(calls))
        self._made = self._timeouts = 0

    def settle(self, index: int, outcome: Outcome) -> None:
        self.outcomes[index] = outcome
        self._settled[index] = 1
        self._made += 1
        if isinstance(outcome, Failure) and outcome.kind == "Timeout":
            self._timeouts += 1

    def pending(self) -> list[int]:
        return [index for index, settled in enumerate(self._settled) if not settled]

    def timed_out(self, attempts: int = 1, reason: str = "") -> Failure:
        message = f"no value within {self.component.timeout_seconds:g} s{reason}"
        return self._timeout(message, attempts)

    def is_hopeless(self) -> bool:
        return self._timeouts >= MAX_TIMEOUTS and self._timeouts > MAX_TIMEOUT_SHARE * self._made

    def give_up(self) -> None:
        """Record for all pending calls that they were not made."""
        failure = self._timeout(f"not tried: {self._timeouts} of {self._made} calls before it timed out", 0)
        for index in self.pending():
            self.outcomes[index] = failure

    def _timeout(self, message: str, attempts: int) -> Failure:
        return Failure("reward", self.component.name, "Timeout", message, attempts, self.component.is_async)

    def pause_before_retry(self, outcome: Outcome, attempts: int) -> float | None:
        """Seconds to wait before the next attempt; None when the outcome stands."""
        if not isinstance(outcome, Failure) or not outcome.infrastructure:
            return None
        retries = min(1, self.component.retries) if outcome.kind == "Timeout" else self.component.retries
        return BACKOFF_SECONDS * 2 ** (attempts - 1) if attempts <= retries else None


class _SyncShift:
    """One thread's turn at the pending calls."""

    def __init__(self, batch: _Batch) -> None:
        self._batch = batch
        self._pending = batch.pending()
        self._lock = threading.Lock()  # who holds it decides what becomes of the current call
        self._ended = threading.Event()
        self._relieved = threading.Event()
        self._index = 0
        self._since = monotonic()

    def work(self) -> None:
        """Make the calls until all are made or one hangs, which is recorded."""
        name = f"rftgym-reward-{self._batch.component.name}"
        thread = threading.Thread(target=self._make_calls, name=name, daemon=True)
        thread.start()
        timeout = self._batch.component.timeout_seconds
        try:
            while not self._relieved.is_set() and not self._ended.wait(
                max(0.0, self._since + timeout - monotonic())
            ):
                with self._lock:
                    if self._ended.is_set() or monotonic() - self._since < timeout:
                        continue
                    self._relieved.set()
                    self._batch.settle(self._index, self._batch.timed_out())
                _raise_in(thread, SystemExit)
        finally:
            self._relieved.set()

    def _make_calls(self) -> None:
        try:
            for index in self._pending:
                with self._lock:
                    if self._relieved.is_set():
                        return
                    self._index, self._since = index, monotonic()
                outcome = self._outcome(index)
                with self._lock:
                    if self._relieved.is_set():
                        return
                    self._batch.settle(index, outcome)
        finally:
            self._ended.set()

    def _outcome(self, index: int) -> Outcome:
        attempts = 1
        while True:
            try:
                outcome = tried(self._batch.component, *self._batch.calls[index], attempts)
            except BaseException as error:  # noqa: BLE001  # or the thread ends, and its successor makes the same call
                outcome = failure_of(self._batch.component, error, attempts)
            pause = self._batch.pause_before_retry(outcome, attempts)
            if pause is None or self._relieved.is_set():
                return outcome
            sleep(pause)
            attempts += 1
            self._since = monotonic()  # the timeout is of one attempt


class _AsyncShift:
    """The event loop's turn at the pending calls."""

    def __init__(self, batch: _Batch, concurrency: int) -> None:
        self._batch = batch
        self._pending = batch.pending()
        self._concurrency = min(concurrency, len(self._pending))
        self._running: dict[asyncio.Task[Any] | None, int] = {}
        self._relieved = threading.Event()

    def work(self) -> None:
        """Make the calls until all are made, too many time out, or one blocks the loop, which is recorded."""
        loop, thread = _live_event_loop()
        future = asyncio.run_coroutine_threadsafe(self._make_calls(), loop)
        try:
            if self._finished(future, loop):
                future.result()
                return
            blocking = self._running.get(asyncio.current_task(loop))
        finally:
            self._relieved.set()
            if not loop.is_closed():
                future.cancel()
        pending = self._batch.pending()
        if (
            pending
        ):  # where it is unknown which call it is (it stopped the loop, say), the first will have to do
            reason = "; the event loop stood still: await, do not block"
            self._batch.settle(
                pending[0] if blocking is None else blocking, self._batch.timed_out(reason=reason)
            )
        _event_loop.cache_clear()
        if not loop.is_closed():
            loop.call_soon_threadsafe(loop.stop)
            _raise_in(thread, SystemExit)

    def _finished(self, future: Future[None], loop: asyncio.AbstractEventLoop) -> bool:
        """Wait for the end of all calls; False when the loop stands still for as long as one call may take."""
        while not loop.is_closed():
            answered = threading.Event()
            loop.call_soon_threadsafe(answered.set)
            if wait_for_futures([future], self._batch.component.timeout_seconds).done:
                return not future.cancelled()
            if not answered.is_set():
                return False
        return False

    async def _make_calls(self) -> None:
        indices = iter(self._pending)
        await asyncio.gather(*(self._caller(indices) for _ in range(self._concurrency)))

    async def _caller(self, indices: Iterator[int]) -> None:
        for index in indices:
            outcome = await self._outcome(index)
            if self._relieved.is_set():
                return
            self._batch.settle(index, outcome)
            if self._batch.is_hopeless():
                return

    async def _outcome(self, index: int) -> Outcome:
        attempts = 1
        while True:
            outcome = await self._attempt(index, attempts)
            pause = self._batch.pause_before_retry(outcome, attempts)
            if pause is None or self._relieved.is_set():
                return outcome
            await asyncio.sleep(pause)
            attempts += 1

    async def _attempt(self, index: int, attempts: int) -> Outcome:
        """One call as a task of its own: left alone when it is late, since it may not even let itself be cancelled."""
        task = asyncio.create_task(self._tried(index, attempts))
        self._running[task] = index
        try:
            done, _ = await asyncio.wait({task}, timeout=self._batch.component.timeout_seconds)
        finally:
            task.cancel()
            del self._running[task]
        if not done:
            return self._batch.timed_out(attempts)
        if task.cancelled():
            return Failure(
                "reward", self._batch.component.name, "CancelledError", "it cancelled itself", attempts
            )
        return task.result()

    async def _tried(self, index: int, attempts: int) -> Outcome:
        component = self._batch.component
        try:
            value = component.call(*self._batch.calls[index])
            return component.checked(await value if inspect.isawaitable(value) else value)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # its author may raise anything; all of it becomes data
            return failure_of(component, error, attempts)


def _live_event_loop() -> tuple[asyncio.AbstractEventLoop, threading.Thread]:
    """The one loop that all asynchronous components of a process share, and its thread.

    A client which an author keeps open between calls stays usable that way. A fork gets a loop of its own, and
    one that is blocked, or was stopped by what ran in it, is replaced.
    """
    if not _event_loop(os.getpid())[1].is_alive():
        _event_loop.cache_clear()
    return _event_loop(os.getpid())


@functools.cache
def _event_loop(pid: int) -> tuple[asyncio.AbstractEventLoop, threading.Thread]:
    loop = asyncio.new_event_loop()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop):  # ends the tasks that are left, and closes the loop
            loop.run_forever()

    thread = threading.Thread(target=run, name=f"rftgym-rewards-{pid}", daemon=True)
    thread.start()
    return loop, thread


def _raise_in(thread: threading.Thread, exception: type[BaseException]) -> None:
    """Raise an exception in a thread as soon as it executes Python code again (CPython's C API)."""
    if thread.ident is not None and thread.is_alive():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(exception))
