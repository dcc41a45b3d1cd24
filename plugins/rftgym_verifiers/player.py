"""Who sits in the seat of a ``verifiers.v1`` environment: rftgym's policy, in the shape of an agent.

verifiers' own agent starts a program that calls a model over HTTP. This one asks the policy in the same process, and
writes the trace that environments and rewards read.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import verifiers.v1 as vf
from verifiers.v1.state import state_cls

from rftgym.errors import ContractError
from rftgym.types import Message
from rftgym_verifiers.hooks import Hooks, invoke, trace_argument
from rftgym_verifiers.judging import settled
from rftgym_verifiers.talk import Cut, Said, Talk, Verdict
from rftgym_verifiers.texts import field, message_of, messages_of

_FOREIGN: dict[str, Any] = {
    "system": vf.SystemMessage,
    "user": vf.UserMessage,
    "assistant": vf.AssistantMessage,
}


def prompt_of(data: Any) -> tuple[Message, ...]:
    """System prompt and prompt of a task's data, be they a mapping or an object."""
    system = field(data, "system_prompt")
    first = () if system is None else (Message("system", system),)
    return (*first, *messages_of(field(data, "prompt") or ()))


@dataclass(frozen=True, slots=True)
class Seat:
    """What every episode's player of an environment shares.

    Attributes:
        config: the seat's own.
        hooks: what judges its trace.
        runtime: starts a runtime, or gives None.
        timeout_seconds: for each function of a task.
    """

    config: Any
    hooks: Hooks
    runtime: Callable[[], Awaitable[Any]]
    timeout_seconds: float


class Player:
    """What an environment finds in its seat, for one conversation.

    Attributes:
        trainable: as ``vf.Agent`` has it; of no consequence.
        verdict: what the task's own functions said, once the conversation has ended.
        judged: keys under which the trace has that.
    """

    def __init__(self, seat: Seat, talk: Talk) -> None:
        self.trainable = True
        self.verdict = Verdict()
        self.judged: set[str] = set()
        self._seat = seat
        self._talk = talk
        self._interaction: Interaction | None = None

    async def run(self, task: Any, **borrowed: Any) -> Any:
        """One completion to the task's prompt."""
        async with self.interaction(task, **borrowed) as interaction:
            await interaction.turn()
            interaction.ending = "agent_completed"
        return interaction.trace

    @asynccontextmanager
    async def interaction(self, task: Any, **borrowed: Any) -> AsyncIterator[Interaction]:
        """A conversation, turn by turn; it is judged when the context is left.

        Raises:
            ContractError: it is the second one of an episode, or wants a runtime or tools.
        """
        if self._interaction is not None:
            raise ContractError("the environment plays a second conversation; rftgym has one an episode")
        if any(borrowed.get(name) for name in ("runtime", "tools")):
            raise ContractError(
                "the environment gives its agent a runtime or tools; rftgym's policies only talk"
            )
        runtime = await self._seat.runtime()
        try:
            trace = _trace(task, self._seat.config)
            interaction = self._interaction = Interaction(self._talk, trace, task.hooks("stop"))
            available = {"trace": trace, "runtime": runtime}
            await settled(lambda: invoke(task.setup, available), self._seat.timeout_seconds)
            yield interaction
            trace.stop(interaction.ending)
            await settled(lambda: invoke(task.finalize, available), self._seat.timeout_seconds)
            await self._judge(task, interaction, runtime)
        finally:
            if runtime is not None:
                await runtime.stop()

    async def _judge(self, task: Any, interaction: Interaction, runtime: Any) -> None:
        trace, limit = interaction.trace, self._seat.timeout_seconds
        self.judged = await self._seat.hooks.judge(self._talk, self.verdict, task, trace, runtime, limit)
        self.verdict.truncated = interaction.was_cut
        trace.ok = not self.verdict.errors

    @property
    def trace(self) -> Any:
        """The conversation's trace.

        Raises:
            ContractError: there was no conversation.
        """
        if self._interaction is None:
            raise ContractError("the environment ends without having asked its agent anything")
        return self._interaction.trace


class Interaction:
    """A conversation with rftgym's policy, in the shape of ``vf.Interaction``.

    Attributes:
        trace: grows with every turn.
        ending: why it ends, where nothing else ends it.
        was_cut: the policy said no more.
    """

    def __init__(self, talk: Talk, trace: Any, stops: Sequence[Callable[..., Any]]) -> None:
        self.trace = trace
        self.ending = "user_closed"
        self.was_cut = False
        self._talk = talk
        self._pending = list(prompt_of(trace.task.data))
        self._opens = trace.task.data.prompt is not None
        self._stops = [(stop, trace_argument(stop)) for stop in stops]

    async def turn(self, message: Any = None) -> Any:
        """Say something to the policy and hear its completion, as a segment; without a message, to its prompt.

        Raises:
            ContractError: it is not the environment's turn to say something, or it says nothing.
        """
        if (message is None) != self._opens:
            raise ContractError(
                "the task's prompt opens the conversation: take the first reply with turn()"
                if self._opens
                else "turn() takes the reply to a prompt, and there is none to reply to: say something"
            )
        self._opens = False
        said = [message] if isinstance(message, str) else list(message or ())
        self._pending += [
            Message("user", each) if isinstance(each, str) else message_of(each) for each in said
        ]
        if self.trace.stop_condition is not None or await self._stopped():
            return vf.Segment(messages=[], terminated=True)
        return await self._asked()

    async def _stopped(self) -> bool:
        for stop, argument in self._stops:
            stopping = stop(**{argument: self.trace})
            if await stopping if isinstance(stopping, Awaitable) else stopping:
                self.trace.stop(stop.__name__)
                return True
        return False

    async def _asked(self) -> Any:
        try:
            said = await self._talk.ask(tuple(self._pending))
        except Cut:
            self.was_cut = True
            self.trace.stop("max_turns")
            return vf.Segment(messages=[], terminated=True)
        for message in self._pending:
            self._write(_FOREIGN[message.role](content=message.content))
        self._pending = []
        reply = vf.AssistantMessage(content=said.text)
        self._write(reply, sampled=True)
        self.trace.calls.append(_call(said, len(self.trace.nodes) - 1))
        return vf.Segment(messages=[reply])

    def _write(self, message: Any, *, sampled: bool = False) -> None:
        nodes = self.trace.nodes
        parent = len(nodes) - 1 if nodes else None
        nodes.append(vf.MessageNode(parent=parent, message=message, sampled=sampled))


def _trace(task: Any, config: Any) -> Any:
    """An empty trace of a task. 0.3 knew no keys of tasks."""
    identity = {name: getattr(task, name) for name in ("key", "hash") if hasattr(task, name)}
    of_task = vf.TraceTask(type=type(task).__name__, data=task.data, **identity)
    return vf.Trace(task=of_task, state=state_cls(type(task))(), agent=vf.AgentInfo(config=config))


def _call(said: Said, node: int) -> Any:
    usage = vf.Usage(prompt_tokens=said.prompt_tokens, completion_tokens=said.completion_tokens)
    return vf.ModelCall(node=node, finish_reason="length" if said.cut_off else "stop", usage=usage)
