"""Many conversations with one endpoint, several requests at a time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from queue import Empty, SimpleQueue

from rftgym.policy import Conversations, Reply, Request
from rftgym.types import Failure, Message, Sampling
from rftgym_openai.endpoint import Endpoint, EndpointError


class ChatConversations(Conversations):
    """Keeps each row's messages and sends all of them for every completion, as the API wants it.

    Args:
        policy_id: for failures.
        concurrency: requests under way at once.
    """

    def __init__(self, policy_id: str, endpoint: Endpoint, sampling: Sampling, *, concurrency: int) -> None:
        self._policy_id = policy_id
        self._endpoint = endpoint
        self._sampling = sampling
        self._concurrency = concurrency
        self._history: dict[int, list[Message]] = {}
        self._waiting: deque[Request] = deque()
        self._answered: SimpleQueue[Reply] = SimpleQueue()
        self._owed = 0
        self._workers = 0
        self._lock = threading.Lock()

    def submit(self, requests: Sequence[Request]) -> None:
        """Send the requests, or queue them behind those under way."""
        for request in requests:
            self._history.setdefault(request.row, []).extend(request.messages)
        self._owed += len(requests)
        with self._lock:
            self._waiting.extend(requests)
            more = min(self._concurrency - self._workers, len(self._waiting))
            self._workers += more
        for _ in range(more):
            # Daemons: after Ctrl-C nobody waits for an answer that may take minutes.
            threading.Thread(target=self._work, name="rftgym-openai", daemon=True).start()

    def run(self, steps: int | None = None) -> list[Reply]:
        """Wait for every answer, or, with ``steps``, for the next ones: an endpoint counts no tokens on the way."""
        replies: list[Reply] = []
        while self._owed and (steps is None or not replies):
            replies.append(self._answered.get())
            self._owed -= 1
        while self._owed:
            try:
                replies.append(self._answered.get_nowait())
            except Empty:
                break
            self._owed -= 1
        for reply in replies:
            if reply.row in self._history:
                self._history[reply.row].append(Message("assistant", reply.completion))
        return sorted(replies, key=lambda reply: reply.row)

    def release(self, rows: Sequence[int]) -> None:
        """Forget these conversations."""
        for row in rows:
            self._history.pop(row, None)

    def _work(self) -> None:
        """Answer requests until none waits."""
        while True:
            with self._lock:
                if not self._waiting:
                    self._workers -= 1
                    return
                request = self._waiting.popleft()
            self._answered.put(self._reply(request))

    def _reply(self, request: Request) -> Reply:
        try:
            answer = self._endpoint.complete(tuple(self._history[request.row]), self._sampling, request.seed)
        except EndpointError as error:
            infrastructure = error.infrastructure
            failure = Failure(
                "policy", self._policy_id, error.kind, str(error), error.attempts, infrastructure
            )
        except Exception as error:  # noqa: BLE001  # a thread that dies would owe its reply for ever
            failure = Failure(
                "policy", self._policy_id, type(error).__name__, " ".join(str(error).split())[:500]
            )
        else:
            return Reply(request.row, answer.text, stop_reason=answer.stop_reason)
        return Reply(request.row, "", stop_reason="error", failure=failure)
