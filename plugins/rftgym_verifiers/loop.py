"""The one event loop, in a thread of its own, that runs all foreign asynchronous code of a process.

Clients that an environment keeps open belong to one loop, and a notebook's own loop is left alone. Every task of an
episode is run step by step, each step with the episode's own seeds (:mod:`rftgym_verifiers.draws`).
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import os
import threading
import types
from collections.abc import Coroutine, Generator
from contextvars import ContextVar
from typing import Any

from rftgym_verifiers.draws import GLOBALS, Draws

DRAWS: ContextVar[Draws | None] = ContextVar("rftgym_verifiers_draws", default=None)
"""Of the episode that a task belongs to; tasks that it starts inherit it."""
Step = Coroutine[Any, Any, Any]


def event_loop() -> asyncio.AbstractEventLoop:
    """The loop of this process; a fork gets its own, and one whose thread has ended is replaced."""
    loop, thread = _event_loop(os.getpid())
    if not thread.is_alive():
        give_up(loop)
        loop, _ = _event_loop(os.getpid())
    return loop


def give_up(loop: asyncio.AbstractEventLoop) -> None:
    """Use another loop from now on, since foreign code blocks this one."""
    if _event_loop.cache_info().currsize and _event_loop(os.getpid())[0] is loop:
        _event_loop.cache_clear()
        GLOBALS.wrest()


class _Loop(asyncio.SelectorEventLoop):
    """A loop that does not start a thread for nothing."""

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """As ever, but verifiers gives even the reading of token lists that are not there to another thread."""
        called = func.args[0] if isinstance(func, functools.partial) and func.args else func
        if getattr(called, "__qualname__", "") != "parse_response_tokens.<locals>._sync":
            return super().run_in_executor(executor, func, *args)
        done = self.create_future()
        done.set_result(called())
        return done


@functools.cache
def _event_loop(pid: int) -> tuple[asyncio.AbstractEventLoop, threading.Thread]:
    loop = _Loop()
    loop.set_task_factory(_stepwise_task)
    thread = threading.Thread(target=_run, args=[loop], name=f"rftgym-verifiers-{pid}", daemon=True)
    thread.start()
    atexit.register(_end, loop, thread, pid)
    return loop, thread


def _run(loop: asyncio.AbstractEventLoop) -> None:
    with asyncio.Runner(loop_factory=lambda: loop):  # ends the tasks that are left, and closes the loop
        loop.run_forever()


def _end(loop: asyncio.AbstractEventLoop, thread: threading.Thread, pid: int) -> None:
    """Let cleanup handlers of episodes that were left alone run before the interpreter goes."""
    if os.getpid() == pid and thread.is_alive():
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=2.0)


def _stepwise_task(loop: asyncio.AbstractEventLoop, coro: Any, **settings: Any) -> asyncio.Task[Any]:
    context = settings.get("context")
    draws = DRAWS.get() if context is None else context.get(DRAWS)
    return asyncio.Task(coro if draws is None else _whole(coro, draws), loop=loop, **settings)


async def _whole(coro: Step, draws: Draws) -> Any:
    return await _stepwise(coro, draws)


@types.coroutine
def _stepwise(coro: Step, draws: Draws) -> Generator[Any, Any, Any]:
    """Await a coroutine, and keep its draws from everybody else whenever it goes on."""
    value, error = None, None
    while True:
        try:
            with draws.step():
                awaited = coro.send(value) if error is None else coro.throw(error)
        except StopIteration as end:
            return end.value
        try:
            value, error = (yield awaited), None
        except GeneratorExit:
            coro.close()
            raise
        except BaseException as raised:  # noqa: BLE001  # the coroutine is to deal with it
            value, error = None, raised
