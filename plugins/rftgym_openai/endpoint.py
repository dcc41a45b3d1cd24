"""One chat completion from an endpoint, tried again where that may help."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import httpx

from rftgym.types import Message, Sampling, StopReason

RETRIES: Final = 5
_BUSY: Final = frozenset({408, 409, 425, 429})
_LONGEST_WAIT_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint said. ``text`` runs to the end of the stop string, where it holds one."""

    text: str
    stop_reason: StopReason


class EndpointError(Exception):
    """A request failed for good.

    Attributes:
        kind: "HTTP 401", "ConnectTimeout", "BadResponse"...
        attempts: how often it was tried.
        infrastructure: it might have gone well at another time.
        wait_seconds: before the next attempt, as the server asks.
    """

    def __init__(
        self, kind: str, message: str, *, infrastructure: bool = False, wait_seconds: float = 0.0
    ) -> None:
        super().__init__(message)
        self.kind, self.infrastructure, self.wait_seconds = kind, infrastructure, wait_seconds
        self.attempts = 1


class Endpoint:
    """A chat-completions endpoint. Its methods may be called from many threads.

    Args:
        model: as the endpoint calls it.
        url: up to and without ``/chat/completions``.
        key: sent as bearer token; never part of a message.
        timeout_seconds: of one request.
        first_wait_seconds: before the second attempt; doubled for each further one.
    """

    def __init__(
        self,
        model: str,
        url: str,
        key: str | None,
        *,
        timeout_seconds: float = 120.0,
        first_wait_seconds: float = 0.5,
    ) -> None:
        self.model, self.url = model, url
        self._key = key
        self._first_wait_seconds = first_wait_seconds
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        timeout = httpx.Timeout(timeout_seconds, connect=min(timeout_seconds, 10.0))
        self._client = httpx.Client(
            headers=headers, timeout=timeout, limits=httpx.Limits(max_connections=None)
        )
        self._limit_key = "max_tokens"
        # Once one request was given up the others try once each, so that a wrong address is known soon.
        self._is_down = False

    def complete(self, messages: Sequence[Message], sampling: Sampling, seed: int) -> Answer:
        """Ask for one completion.

        Args:
            messages: the whole conversation.
            seed: sent along; not every endpoint heeds it. Also of the random part of the waits.
        Raises:
            EndpointError: it failed, after ``RETRIES`` more attempts where the fault was the network's or the server's.
        """
        rng = Random(seed)
        for attempt in itertools.count(1):
            try:
                answer = self._attempt(messages, sampling, seed)
            except EndpointError as error:
                error.attempts = attempt
                if not error.infrastructure:
                    raise
                if attempt > RETRIES or self._is_down:
                    self._is_down = True
                    raise
                own_wait = self._first_wait_seconds * 2 ** (attempt - 1) * (0.5 + rng.random())
                time.sleep(max(error.wait_seconds, own_wait))
            else:
                self._is_down = False
                return answer
        raise AssertionError("unreachable: the count has no end")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _attempt(self, messages: Sequence[Message], sampling: Sampling, seed: int) -> Answer:
        try:
            response = self._client.post(
                f"{self.url}/chat/completions", json=self._body(messages, sampling, seed)
            )
        except httpx.TransportError as error:
            message = f"{self.url}: {str(error) or type(error).__name__}"
            raise EndpointError(type(error).__name__, self._safe(message), infrastructure=True) from error
        if response.status_code == 200:
            return self._answer(response, sampling)
        return self._refused(response, messages, sampling, seed)

    def _body(self, messages: Sequence[Message], sampling: Sampling, seed: int) -> dict[str, Any]:
        # Stop strings are not sent: endpoints cut them off, and the contract is that a completion ends with them.
        body: dict[str, Any] = {
            "model": self.model,
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            self._limit_key: sampling.max_tokens,
            "seed": seed % 2**31,
        }
        # No part of OpenAI's own API, but of most others: sent only where it is asked for.
        further = {"top_k": sampling.top_k, "min_p": sampling.min_p}
        return body | {name: value for name, value in further.items() if value}

    def _answer(self, response: httpx.Response, sampling: Sampling) -> Answer:
        try:
            choice = response.json()["choices"][0]
            text = choice["message"].get("content") or ""
            finish = choice.get("finish_reason")
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            message = f"{self.url} sent no chat completion: {response.text[:200]!r}"
            raise EndpointError("BadResponse", self._safe(message)) from error
        ends = [text.find(stop) + len(stop) for stop in sampling.stop if stop in text]
        if ends:
            return Answer(text[: min(ends)], "stop")
        return Answer(text, "length" if finish == "length" else "eos")

    def _refused(
        self, response: httpx.Response, messages: Sequence[Message], sampling: Sampling, seed: int
    ) -> Answer:
        status, said = response.status_code, _said(response)
        if status == 400 and self._limit_key == "max_tokens" and "max_completion_tokens" in said:
            self._limit_key = "max_completion_tokens"  # what OpenAI's newer models call it
            return self._attempt(messages, sampling, seed)
        if status == 400 and ("context_length" in said or "context length" in said):
            return Answer("", "context")
        raise EndpointError(
            f"HTTP {status}",
            self._safe(f"{self.url} answered {status}: {said[:300] or response.reason_phrase}"),
            infrastructure=status in _BUSY or status >= 500,
            wait_seconds=_asked_wait(response.headers),
        )

    def _safe(self, text: str) -> str:
        text = " ".join(text.split())
        return text.replace(self._key, "***") if self._key else text


def _asked_wait(headers: Mapping[str, str]) -> float:
    """Seconds in ``Retry-After``; its other form, a date, is left to our own waits."""
    value = headers.get("retry-after", "")
    return min(float(value), _LONGEST_WAIT_SECONDS) if value.replace(".", "", 1).isdecimal() else 0.0


def _said(response: httpx.Response) -> str:
    """The message in an error's body, with its code; the body's text where it has another shape."""
    try:
        error = response.json()["error"]
        parts = [error.get("message"), error.get("code")] if isinstance(error, dict) else [error]
    except (ValueError, LookupError, TypeError):
        return response.text[:500]
    return " ".join(str(part) for part in parts if part)
