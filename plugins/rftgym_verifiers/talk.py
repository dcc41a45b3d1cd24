"""A foreign coroutine that plays an episode, and the policy that it asks for completions, turned inside out.

verifiers calls the model; rftgym calls the environment. So an episode is verifiers' own code, running in the event
loop's thread up to the point where it wants a completion, and there it waits until :meth:`Talk.say`.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

from rftgym.errors import ContractError
from rftgym.types import Message, Turn
from rftgym_verifiers.draws import Draws
from rftgym_verifiers.loop import DRAWS, event_loop, give_up

_RUNNING: set[asyncio.Task[None]] = set()
"""A loop holds its tasks weakly; these end by being cancelled, and not by the garbage collector."""


class Cut(Exception):
    """The policy says no more: the episode is to end where it is, and to be judged."""


class Said(NamedTuple):
    """A completion.

    Attributes:
        text: without characters that are none.
        cut_off: it ended because its room was used up.
        prompt_tokens, completion_tokens: 0 where the policy has no tokens.
    """

    text: str
    cut_off: bool = False
    prompt_tokens: int = 0
    completion_tokens: int = 0

    @classmethod
    def of(cls, turn: Turn) -> Said:
        """What a turn says. Halves of characters, which pydantic refuses, become U+FFFD."""
        text = turn.completion
        if not text.isascii():
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return cls(text, turn.stop_reason == "length", len(turn.prompt_ids), len(turn.completion_ids))


@dataclass(slots=True)
class Verdict:
    """What an episode came to.

    Attributes:
        rewards: value by the name of its component; None = it says nothing.
        errors: kind and message of what went wrong in a component, by its name.
        truncated: the episode was cut, by a limit of the environment's or of the policy's.
        closing: what was said after the last completion.
    """

    rewards: dict[str, float | None] = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)
    truncated: bool = False
    closing: tuple[Message, ...] = ()


class Heard(NamedTuple):
    """What the environment says next, or how it ended."""

    messages: tuple[Message, ...]
    verdict: Verdict | None = None


def _said(said: Said | None) -> Said:
    if said is None:
        raise Cut
    return said


Play = Callable[["Talk"], Coroutine[Any, Any, Verdict]]


class Talk:
    """One episode's conversation. ``ask`` and ``go_on`` are called in the loop's thread, everything else by the caller.

    Args:
        play: plays the episode by asking.
        draws: what it draws from the global generators.
        timeout_seconds: how long the caller waits for each answer.
    """

    def __init__(self, play: Play, draws: Draws, timeout_seconds: float) -> None:
        self._play = play
        self._draws = draws
        self._timeout_seconds = timeout_seconds
        self._loop = event_loop()
        self._events: queue.SimpleQueue[Heard | BaseException] = queue.SimpleQueue()
        self._progress = self._waited_for = 0
        self._task: asyncio.Task[None] | None = None
        self._reply: asyncio.Future[Said] | None = None
        self._prepared: deque[Said | None] = deque()

    async def ask(self, messages: tuple[Message, ...]) -> Said:
        """The policy's completion, after messages that are new to it.

        Raises:
            Cut: there will be none.
        """
        if self._reply is not None and not self._reply.done():
            raise ContractError(
                "it asks for two completions at a time; rftgym plays one conversation an episode"
            )
        self._tell(Heard(messages))
        if self._prepared:
            self._draws.next_step()
            return _said(self._prepared.popleft())
        self._reply = self._loop.create_future()
        return await self._reply

    def go_on(self) -> None:
        """Something begins that has a time limit of its own: the caller's waiting starts anew."""
        self._progress += 1

    def begin(self, said: Sequence[Said | None] = ()) -> list[Heard]:
        """Start, with the first answers at hand, and hear what it says at first and to each of them.

        Raises:
            TimeoutError: it takes too long.
            Exception: whatever the environment raises.
        """
        self._prepared.extend(said)
        heard = [self._exchange(self._start)]
        while len(heard) <= len(said) and heard[-1].verdict is None:
            heard.append(self._next())
        return heard

    def say(self, said: Said | None) -> Heard:
        """Answer, and hear what comes next; None ends the episode where it is. Raises as :meth:`begin`."""
        return self._exchange(self._answer, said)

    def leave(self) -> None:
        """Nobody wants to know how it ends."""
        with contextlib.suppress(RuntimeError):  # the loop is closed, and the task with it
            self._loop.call_soon_threadsafe(self._cancel)

    def _exchange(self, act: Callable[..., None], *arguments: Any) -> Heard:
        self._waited_for = self._progress  # before it is told: it may be through before this thread goes on
        self._loop.call_soon_threadsafe(act, *arguments)
        return self._next()

    def _next(self) -> Heard:
        while True:
            try:
                heard = self._events.get(timeout=self._timeout_seconds)
                break
            except queue.Empty:
                if self._waited_for == self._progress:
                    self._late()
                self._waited_for = self._progress
        if isinstance(heard, BaseException):
            raise heard
        return heard

    def _late(self) -> NoReturn:
        self.leave()
        answered: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._loop.call_soon_threadsafe(answered.put, None)
        try:
            answered.get(timeout=1.0)
        except queue.Empty:
            give_up(self._loop)
        raise TimeoutError(f"the environment says nothing within {self._timeout_seconds:g} s")

    def _start(self) -> None:
        token = DRAWS.set(self._draws)
        self._task = self._loop.create_task(self._whole())
        DRAWS.reset(token)
        _RUNNING.add(self._task)
        self._task.add_done_callback(_RUNNING.discard)

    async def _whole(self) -> None:
        try:
            verdict = await self._play(self)
        except asyncio.CancelledError:
            self._tell(ContractError("the environment cancelled its own episode"))
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001  # raised again where the caller waits
            self._tell(error)
        else:
            self._tell(Heard(verdict.closing, verdict))

    def _tell(self, event: Heard | BaseException) -> None:
        """Wake the caller once this step is over, and the global generators are as the caller left them."""
        self._loop.call_soon(self._events.put, event)

    def _answer(self, said: Said | None) -> None:
        if self._reply is None or self._reply.done():
            return
        if said is None:
            self._reply.set_exception(Cut())
        else:
            self._reply.set_result(said)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
