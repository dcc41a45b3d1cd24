"""A policy behind a chat-completions endpoint. It has no tokens and no weights here: for evaluation."""

from __future__ import annotations

import os
from typing import Any

from rftgym.config import ModelSettings
from rftgym.errors import UsageError
from rftgym.policy import Policy
from rftgym.types import Sampling
from rftgym_openai.conversations import ChatConversations
from rftgym_openai.endpoint import Endpoint

DEFAULT_URL = "https://api.openai.com/v1"


def load(
    settings: ModelSettings,
    *,
    trainable: bool = False,
    seed: int = 0,
    concurrency: int = 16,
    timeout_seconds: float = 120.0,
) -> OpenAIPolicy:
    """The policy that ``openai:MODEL`` or ``openai:MODEL@URL`` names.

    ``OPENAI_BASE_URL`` says where the endpoint is when the name does not; ``OPENAI_API_KEY`` is sent as bearer token
    where it is set, and is neither stored nor shown.

    Args:
        trainable: must be False.
        seed: not used; each completion brings its own.
        concurrency: requests under way at once.
        timeout_seconds: of one request.
    Raises:
        UsageError: the name is incomplete, or a setting makes no sense for an endpoint.
    """
    model, url = _named(settings.id)
    if trainable or settings.weights is not None:
        raise UsageError(
            f"model {settings.id!r} is an endpoint: it has no weights that can be trained or loaded here"
        )
    key = os.environ.get("OPENAI_API_KEY") or None
    if key is None and url.startswith(DEFAULT_URL):
        raise UsageError(
            f"model {settings.id!r} needs a key: set OPENAI_API_KEY; "
            f"or name an endpoint of your own: openai:{model}@http://host:8000/v1"
        )
    return OpenAIPolicy(
        settings.id, Endpoint(model, url, key, timeout_seconds=timeout_seconds), concurrency=concurrency
    )


def _named(id: str) -> tuple[str, str]:
    """Model and base URL of ``openai:MODEL[@URL]``."""
    name = id.partition(":")[2]
    model, at, rest = name.partition("@http")
    url = f"http{rest}" if at else os.environ.get("OPENAI_BASE_URL") or DEFAULT_URL
    if not model:
        raise UsageError(
            f"model {id!r} does not say which: openai:MODEL, or openai:MODEL@http://host:port/v1"
        )
    if not url.startswith(("http://", "https://")) or not url.partition("://")[2].strip("/"):
        raise UsageError(f"model {id!r}: {url!r} is no URL; it looks like http://host:port/v1")
    if "@" in url.partition("://")[2].partition("/")[0]:
        raise UsageError(
            "an endpoint's URL may hold no password, since it is written into records; use OPENAI_API_KEY"
        )
    return model, url.rstrip("/")


class OpenAIPolicy(Policy):
    """Talks to an endpoint.

    Args:
        id: what the user called it.
        concurrency: requests under way at once.
    """

    def __init__(self, id: str, endpoint: Endpoint, *, concurrency: int = 16) -> None:
        self.id = id
        self.version = 0
        self._endpoint = endpoint
        self._concurrency = concurrency

    def open(self, sampling: Sampling) -> ChatConversations:
        """Start a batch of conversations."""
        return ChatConversations(self.id, self._endpoint, sampling, concurrency=self._concurrency)

    def describe(self) -> dict[str, Any]:
        """Which model, and where."""
        return {"id": self.id, "model": self._endpoint.model, "endpoint": self._endpoint.url}

    def close(self) -> None:
        """Close the connections."""
        self._endpoint.close()
