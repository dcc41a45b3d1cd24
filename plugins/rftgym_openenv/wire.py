"""One session with an OpenEnv server: its WebSocket, a question and an answer at a time.

The protocol is spoken here and not by openenv's own ``GenericEnvClient``. That one opens another connection by itself
when the first is lost, so that a step would go to a session which was never reset; it makes one text of an error's code
and numbers; and importing it takes seconds.
"""

from __future__ import annotations

import json
import re
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rftgym.errors import InfrastructureError, MissingPackageError, RftgymError, UsageError
from rftgym_openenv.link import Link, LinkLost

MOST_NESTED = 32
"""Levels of a step's metadata: they are kept with the episode, and what is nested deeper could not be stored."""
_NOT_SHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")
_HALVES = re.compile(r"[\ud800-\udfff]")
_STEERS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class ServerError(RftgymError):
    """The server answered that something is wrong.

    Attributes:
        code: as the server gives it, say "VALIDATION_ERROR".
        data: what else it says.
    """

    def __init__(self, code: str, message: str, data: Mapping[str, Any]) -> None:
        super().__init__(f"the server answered {code}: {message}")
        self.code, self.data = code, data


@dataclass(frozen=True)
class Address:
    """Where a server is, and how long it may take.

    Attributes:
        url: with http:// or https://, without a slash at the end.
        headers: sent with every connection and request.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    connect_seconds: float = 10.0
    step_seconds: float = 60.0

    @property
    def websocket(self) -> str:
        """Of the sessions."""
        return f"ws{self.url.removeprefix('http')}/ws"


@dataclass(frozen=True)
class Reply:
    """What a server made of a reset or a step.

    Attributes:
        reward: None where it gave none, or one that is no number.
        metadata: its own words about the step.
    """

    observation: Mapping[str, Any]
    reward: float | None
    done: bool
    metadata: Mapping[str, Any]


class Session:
    """A connection of its own to a server; closed when it is let go of.

    Raises:
        InfrastructureError: nobody answers there.
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        try:
            self._link = Link(address.websocket, address.headers, address.connect_seconds)
        except LinkLost as error:
            raise InfrastructureError(f"cannot connect to {address.url}: {shown(error)}") from error
        except ValueError as error:
            raise UsageError(f"{address.url!r} is no address of a server: {shown(error)}") from error
        except ImportError as error:
            raise MissingPackageError("environment 'openenv'", "openenv", "openenv", why=error) from error
        self._finalizer = weakref.finalize(self, self._link.close)
        self._finalizer.atexit = False  # nobody waits for hundreds of goodbyes

    def reset(self, arguments: Mapping[str, Any]) -> Reply:
        """Start an episode; see :meth:`_ask` for what it raises."""
        return _read(self._ask({"type": "reset", "data": dict(arguments)}))

    def step(self, action: Mapping[str, Any]) -> Reply:
        """Take an action; see :meth:`_ask` for what it raises."""
        return _read(self._ask({"type": "step", "data": dict(action)}))

    def close(self) -> None:
        """End the session; the server may give its place to another one then."""
        self._finalizer()

    def _ask(self, message: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send a message and wait for the answer's ``data``.

        Raises:
            InfrastructureError: no answer in time, or the connection is lost. The session is closed then: an answer
                that comes late would be taken for the next one.
            ServerError: the server refuses, or what it says is not its protocol.
        """
        seconds = self._address.step_seconds
        # Half a character, which models do write, would end the session at the server.
        text = _HALVES.sub("\ufffd", json.dumps(message, ensure_ascii=False))
        try:
            return _data(self._link.exchange(text, seconds))
        except TimeoutError as error:
            self.close()
            raise InfrastructureError(
                f"{self._address.url} gave no answer within {seconds:g} s (step_seconds)"
            ) from error
        except LinkLost as error:
            self.close()
            raise InfrastructureError(
                f"the connection to {self._address.url} is lost: {shown(error)}"
            ) from error
        except UnicodeDecodeError as error:
            raise ServerError("nothing of the protocol", shown(error), {}) from error


def _data(text: str) -> Mapping[str, Any]:
    """The data of a server's message.

    Raises:
        ServerError: it is an error, or no message.
    """
    try:
        message = json.loads(text)
        kind, data = message["type"], message["data"]
        if not isinstance(data, dict):
            raise TypeError(f"data is {type(data).__name__}")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ServerError("nothing of the protocol", f"{type(error).__name__}: {shown(error)}", {}) from error
    if kind == "error":
        raise ServerError(shown(data.get("code", "an error")), shown(data.get("message", "")), data)
    return data


def _read(data: Mapping[str, Any]) -> Reply:
    """What a message says of an episode.

    Raises:
        ServerError: its metadata are nested too deep.
    """
    observation, reward = data.get("observation"), data.get("reward")
    observation = observation if isinstance(observation, dict) else {"observation": observation}
    metadata = data.get("metadata") or observation.get("metadata") or {}
    if _is_deep(metadata):
        raise ServerError("nothing of the protocol", f"metadata of more than {MOST_NESTED} levels", {})
    number = float(reward) if isinstance(reward, int | float) and abs(reward) <= 1e30 else None
    return Reply(
        observation,
        number,
        data.get("done") is True,
        metadata if isinstance(metadata, dict) else {},
    )


def _is_deep(value: object) -> bool:
    """Whether lists and objects are nested in more than :data:`MOST_NESTED` levels."""
    level = [value]
    for _ in range(MOST_NESTED + 1):
        level = [
            inner
            for each in level
            if isinstance(each, dict | list)
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return False
    return True


def shown(text: object, longest: int = 300) -> str:
    """Somebody else's text, fit for one line of an error: no control characters, no more than so many characters."""
    return " ".join(_NOT_SHOWN.sub(" ", str(text)[: 2 * longest]).split())[:longest]


def readable(text: str) -> str:
    """Somebody else's text, fit to be read: what would steer a terminal, or is no character, is written out."""
    if text.isprintable():
        return text
    return _STEERS.sub(lambda found: found[0].encode("unicode_escape").decode(), text.replace("\r\n", "\n"))
