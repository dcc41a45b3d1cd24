"""What plays: the contract between the rollout engine and a model, an endpoint or a script."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from rftgym.types import Failure, Message, Sampling, StopReason


@dataclass(frozen=True, slots=True)
class Request:
    """Ask one row of a conversation for its next completion.

    Attributes:
        row: the conversation's number, chosen by the caller; a new number opens a new conversation.
        messages: what is new since this row's last completion; never the history.
        seed: of this completion's draws; they depend on nothing else.
    """

    row: int
    messages: tuple[Message, ...]
    seed: int


@dataclass(frozen=True, slots=True)
class Reply:
    """A completion. The fields mean what they mean in :class:`rftgym.Turn`; ``failure`` is set instead of raising."""

    row: int
    completion: str
    prompt_ids: tuple[int, ...] = ()
    completion_ids: tuple[int, ...] = ()
    logprobs: tuple[float, ...] = ()
    stop_reason: StopReason = "eos"
    failure: Failure | None = None


class Conversations(ABC):
    """Many conversations with one policy at a time, in any order, each continued token-exactly.

    Used as: ``submit`` some rows, ``run`` until some finish, step their environments, ``submit`` their answers, and
        so on.
    """

    @abstractmethod
    def submit(self, requests: Sequence[Request]) -> None:
        """Queue completions. A row must have finished its last one."""

    @abstractmethod
    def run(self, steps: int | None = None) -> list[Reply]:
        """Work until every queued row has finished, or for ``steps`` tokens a row; return those finished, by row."""

    def release(self, rows: Sequence[int]) -> None:
        """These conversations are over: free what they hold."""


class Policy(ABC):
    """Something that can be talked to.

    Attributes:
        id: what the user called it.
        version: number of updates its weights have seen; 0 for one that never changes.
        max_rows: conversations that may be open at once; what they hold is memory.
    """

    id: str
    version: int = 0
    max_rows: int = 256

    @abstractmethod
    def open(self, sampling: Sampling) -> Conversations:
        """Start a batch of conversations."""

    def describe(self) -> dict[str, Any]:
        """Facts for the run's records: parameters, dtype, device, revision (JSON values)."""
        return {"id": self.id}


class ScriptedPolicy(Policy):
    """A policy that is a function: for tests, baselines and probes.

    Args:
        function: called as ``function(messages, rng)`` with the conversation so far (the policy's own completions
            included) and a generator seeded for this completion; returns the completion's text.
    """

    def __init__(self, function: Callable[[Sequence[Message], Random], str], *, id: str = "scripted") -> None:
        self.id = id
        self._function = function

    def open(self, sampling: Sampling) -> Conversations:
        """``sampling`` does not matter to a script."""
        return _ScriptedConversations(self._function)


class _ScriptedConversations(Conversations):
    def __init__(self, function: Callable[[Sequence[Message], Random], str]) -> None:
        self._function = function
        self._history: dict[int, list[Message]] = {}
        self._queue: list[Request] = []

    def submit(self, requests: Sequence[Request]) -> None:
        self._queue.extend(requests)

    def run(self, steps: int | None = None) -> list[Reply]:
        queue, self._queue = sorted(self._queue, key=lambda request: request.row), []
        return [self._reply(request) for request in queue]

    def _reply(self, request: Request) -> Reply:
        history = self._history.setdefault(request.row, [])
        history.extend(request.messages)
        completion = self._function(history, Random(request.seed))
        history.append(Message("assistant", completion))
        return Reply(request.row, completion)

    def release(self, rows: Sequence[int]) -> None:
        for row in rows:
            self._history.pop(row, None)
