"""The policy ``prompt-parrot``: a baseline that says what the prompt's words suggest, and understands nothing.

For every completion it counts which word follows which in all that was said to it, and walks along. What an environment
pays to it is paid for its own words.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise
from random import Random

from rftgym import Policy, Sampling
from rftgym.config import ModelSettings
from rftgym.policy import Conversations, Reply, Request
from rftgym.types import StopReason

END = ""
"""What follows the last word of a message."""
Followers = dict[str, Counter[str]]


class PromptParrot(Policy):
    """Takes part in ``rftgym eval --model``; it has no weights, so it cannot be trained.

    Args:
        settings: as the user gave them; ``seed`` is of weights that are made anew, of which there are none here.
    """

    def __init__(self, settings: ModelSettings, *, trainable: bool = False, seed: int = 0) -> None:
        self.id = settings.id

    def open(self, sampling: Sampling) -> Conversations:
        """Start a batch of conversations."""
        return _Conversations(sampling)


class _Conversations(Conversations):
    """One row a conversation: :meth:`submit` what is new to it, :meth:`run` for the answers."""

    def __init__(self, sampling: Sampling) -> None:
        self._sampling = sampling
        self._followers: dict[int, Followers] = {}
        self._queue: list[Request] = []

    def submit(self, requests: Sequence[Request]) -> None:
        self._queue.extend(requests)

    def run(self, steps: int | None = None) -> list[Reply]:
        queue, self._queue = sorted(self._queue, key=lambda request: request.row), []
        return [self._reply(request) for request in queue]

    def release(self, rows: Sequence[int]) -> None:
        for row in rows:
            self._followers.pop(row, None)

    def _reply(self, request: Request) -> Reply:
        followers = self._followers.setdefault(request.row, defaultdict(Counter))
        for message in request.messages:
            words = re.findall(r"\s*(?:\w+|[^\w\s])|\s+", message.content)
            for word, following in pairwise([*words, END]):
                followers[word][following] += 1
        completion, stop_reason = said(followers, self._sampling, Random(request.seed))
        return Reply(request.row, completion, stop_reason=stop_reason)


def said(followers: Followers, sampling: Sampling, rng: Random) -> tuple[str, StopReason]:
    """A walk from a word of the conversation to the end of a message, and why it ended."""
    text = word = rng.choice(list(followers)) if followers else END
    for _ in range(sampling.max_tokens - 1):
        if word == END:
            return text, "eos"
        word = _next(followers[word], sampling.temperature, rng)
        text += word
        for stop in sampling.stop:
            if stop in text:
                return text[: text.index(stop) + len(stop)], "stop"
    return text, "eos" if word == END else "length"


def _next(counts: Counter[str], temperature: float, rng: Random) -> str:
    if temperature == 0:
        return counts.most_common(1)[0][0]
    most = max(counts.values())
    return rng.choices(list(counts), [(count / most) ** (1 / temperature) for count in counts.values()])[0]
