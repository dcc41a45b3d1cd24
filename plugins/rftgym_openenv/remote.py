"""What is known of a server: its address, the actions it takes, the tasks it has. Asked for when it is first needed."""

from __future__ import annotations

import functools
import importlib
import json
import random
import sys
import threading
import time
from collections.abc import Mapping
from types import ModuleType
from typing import Any
from urllib.parse import quote

from rftgym.errors import InfrastructureError, RftgymError, UsageError
from rftgym.tasks import SPLITS
from rftgym_openenv.local import LocalServer
from rftgym_openenv.wire import Address, Reply, ServerError, Session, shown

LARGEST_PAGE_BYTES = 2**20
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 2.0
FULL = "CAPACITY_REACHED"
_NO_SUCH_PAGE = (404, 405, 501)


class Remote:
    """A server, shared by all twins of an environment; thread-safe.

    Args:
        server: its URL, or a server of our own that is started when it is first needed.
        headers, connect_seconds, step_seconds: see :class:`rftgym_openenv.wire.Address`.
        wait_seconds: for a place on a server that has none free.
        retries: further attempts to start an episode after an infrastructure fault.
    """

    def __init__(
        self,
        server: str | LocalServer,
        *,
        headers: Mapping[str, str],
        connect_seconds: float,
        step_seconds: float,
        wait_seconds: float,
        retries: int,
    ) -> None:
        self._server = server
        self._settings = {
            "headers": headers,
            "connect_seconds": connect_seconds,
            "step_seconds": step_seconds,
        }
        self._wait_seconds, self._retries = wait_seconds, retries
        self._lock = threading.RLock()

    @property
    def address(self) -> Address:
        """Where the server is; starts one of our own."""
        url = self._server if isinstance(self._server, str) else self._server.url()
        return Address(url, **self._settings)  # type: ignore[arg-type]  # each under its own name

    @functools.cached_property
    def action_schema(self) -> Mapping[str, Any]:
        """JSON schema of an action; empty where the server tells none."""
        with self._lock:
            schema = self._page("GET", "/schema")
        action = schema.get("action") if isinstance(schema, dict) else None
        return action if isinstance(action, dict) else {}

    @functools.cached_property
    def sizes(self) -> Mapping[str, tuple[str, int]]:
        """By split of ours, the server's own name of it and how many tasks it has; empty where it lists none."""
        with self._lock:
            names = self._page("GET", "/list_environments")
            if not isinstance(names, list) or not names:
                return {}
            root = f"/{quote(str(names[0])[:200], safe='')}"
            listed = self._page("GET", f"{root}/splits")
            splits = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
            found = {}
            for split in SPLITS:
                name = _own_name(splits, split)
                if name is not None:
                    answer = self._page("POST", f"{root}/num_tasks", {"split": name})
                    count = answer.get("num_tasks") if isinstance(answer, dict) else None
                    found[split] = (name, count if type(count) is int and count > 0 else 0)
            return found

    def begin(self, arguments: Mapping[str, Any]) -> tuple[Session, Reply]:
        """A session of its own and what a reset of it says; tried again where something on the way fails.

        Raises:
            InfrastructureError: the server cannot be reached, dies, or has no place free.
            ServerError: it refuses the reset.
        """
        attempt, pause, deadline = 0, FIRST_PAUSE_SECONDS, time.monotonic() + self._wait_seconds
        while True:
            try:
                return self._begun(arguments)
            except InfrastructureError:
                attempt += 1
                if attempt > self._retries:
                    raise
            except ServerError as error:
                if error.code != FULL:
                    raise
                if time.monotonic() + pause > deadline:
                    raise InfrastructureError(self._full(error)) from error
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def close(self) -> None:
        """Stop the server where it is our own."""
        if isinstance(self._server, LocalServer):
            self._server.stop()

    def _begun(self, arguments: Mapping[str, Any]) -> tuple[Session, Reply]:
        session = Session(self.address)
        try:
            return session, session.reset(arguments)
        except RftgymError:
            session.close()
            raise

    def _full(self, error: ServerError) -> str:
        most = shown(error.data.get("max_sessions", "?"), 20)
        return (
            f"{self.address.url} takes {most} sessions at a time and had none free for {self._wait_seconds:g} s "
            "(wait_seconds): serve it with a larger max_concurrent_envs (`rftgym export openenv` calls it "
            "--max-sessions), or play fewer episodes at a time"
        )

    def _page(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """A page of the server as JSON; None where it has no such page.

        Raises:
            InfrastructureError: the server cannot be reached, or fails.
        """
        httpx, address = _httpx(), self.address
        try:
            with (
                httpx.Client(
                    headers=dict(address.headers),
                    timeout=address.connect_seconds,
                    trust_env=False,
                ) as client,
                client.stream(method, f"{address.url}{path}", json=body) as response,
            ):
                if response.status_code in _NO_SUCH_PAGE:
                    return None
                response.raise_for_status()
                return json.loads(_bounded(response.iter_bytes()))
        except httpx.ConnectError as error:
            raise InfrastructureError(
                f"cannot connect to {address.url}: {shown(error)}; does the server run?"
            ) from error
        except (httpx.HTTPError, ValueError, RecursionError) as error:
            raise InfrastructureError(f"{address.url}{shown(path, 80)}: {shown(error)}") from error
        except httpx.InvalidURL as error:
            raise UsageError(f"{address.url!r} is no address of a server: {shown(error)}") from error


def _httpx() -> ModuleType:
    """The module, whose first import draws from the process's generator: a module of rich's, which it imports, does."""
    if "httpx" in sys.modules:
        return sys.modules["httpx"]
    state = random.getstate()
    try:
        return importlib.import_module("httpx")
    finally:
        random.setstate(state)


def _bounded(parts: Any) -> bytes:
    """A page's bytes.

    Raises:
        ValueError: there are too many.
    """
    page = b""
    for part in parts:
        page += part
        if len(page) > LARGEST_PAGE_BYTES:
            raise ValueError(f"longer than {LARGEST_PAGE_BYTES} bytes")
    return page


def _own_name(splits: list[dict[str, Any]], split: str) -> str | None:
    """What a server calls one of our splits: by its name, or else by what it says it is for."""
    named = [each for each in splits if each.get("name") == split]
    meant = [each for each in splits if each.get("type") == split and each.get("name") not in SPLITS]
    for each in (*named, *meant):
        if isinstance(each.get("name"), str):
            return str(each["name"])
    return None
