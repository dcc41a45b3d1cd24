"""A WebSocket connection that is used by one thread at a time and needs none of its own.

A client of the package websockets has a thread, or an event loop, that reads and hands every answer over, which costs
as much as the rest. Here who asks reads the answer itself, with that package's protocol without input and output. In
between, while a policy thinks, one thread of the process looks after all links and answers the pings of servers, which
would hang up otherwise.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import weakref
from collections import deque
from collections.abc import Mapping
from time import monotonic, sleep
from typing import Any

from rftgym_openenv.listening import LARGEST_MESSAGE_BYTES

CLOSE_SECONDS = 2.0
CARE_SECONDS = 2.0
"""Between two looks at the links."""
_CHUNK_BYTES = 65_536
_CONTINUED, _TEXT, _BINARY = 0, 1, 2  # opcodes of RFC 6455


class LinkLost(Exception):
    """The connection is over, or was never made; the message says why."""


class Link:
    """An open connection.

    Args:
        url: ws:// or wss://.
        headers: of the handshake.
        seconds: for all of it.

    Raises:
        LinkLost: nobody answers, or not as a WebSocket does.
        ValueError: it is no such URL.
    """

    def __init__(self, url: str, headers: Mapping[str, str], seconds: float) -> None:
        from websockets.client import ClientProtocol
        from websockets.exceptions import InvalidURI
        from websockets.uri import parse_uri

        try:
            place = parse_uri(url)
        except InvalidURI as error:
            raise ValueError(str(error)) from error
        deadline = monotonic() + seconds
        self._lock = threading.Lock()
        self._protocol = ClientProtocol(place, max_size=LARGEST_MESSAGE_BYTES)
        self._frames: deque[Any] = deque()
        self._unread_bytes = 0
        try:
            self._socket = _connected(place, seconds)
        except OSError as error:
            raise LinkLost(str(error)) from error
        try:
            self._shake_hands(headers, deadline)
        except BaseException:
            self._socket.close()
            raise
        _look_after(self)

    def exchange(self, text: str, seconds: float) -> str:
        """Send a text and wait for the next one that comes.

        Raises:
            TimeoutError: none came in time. One may come later: close the link.
            LinkLost: the connection is over.
            UnicodeDecodeError: what came is no text.
        """
        deadline = monotonic() + seconds
        with self._lock:
            with contextlib.suppress(LinkLost):  # the server may have said why before it closed
                self._send(text)
            while (message := self._message()) is None:
                self._receive(deadline)
            return message.decode()

    def close(self) -> None:
        """Say goodbye, and wait a moment for the answer: the server has given the session's place away then."""
        from websockets.protocol import OPEN

        with self._lock:
            try:
                if self._protocol.state is OPEN:
                    self._protocol.send_close(1000)
                    self._flush()
                    deadline = monotonic() + CLOSE_SECONDS
                    while True:  # until the server ends it, which raises
                        self._receive(deadline)
            except (OSError, LinkLost):
                pass
            finally:
                self._socket.close()

    def attend(self) -> None:
        """Take in what came unasked, and answer pings; how the link fares is found out by who asks next."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            with contextlib.suppress(OSError, LinkLost):  # nothing came, or it is over
                while True:
                    self._socket.settimeout(0)
                    self._take(self._socket.recv(_CHUNK_BYTES))
        finally:
            self._lock.release()

    def _shake_hands(self, headers: Mapping[str, str], deadline: float) -> None:
        from websockets.protocol import CONNECTING

        request = self._protocol.connect()
        for name, value in headers.items():
            request.headers[name] = value
        self._protocol.send_request(request)
        self._flush()
        while self._protocol.state is CONNECTING:
            try:
                self._receive(deadline)
            except TimeoutError as error:
                raise LinkLost("no answer to the handshake") from error
            if self._protocol.handshake_exc is not None:
                raise LinkLost(str(self._protocol.handshake_exc))

    def _send(self, text: str) -> None:
        from websockets.protocol import OPEN

        if self._protocol.state is not OPEN:
            raise LinkLost(self._why())
        self._protocol.send_text(text.encode())
        self._flush()

    def _flush(self) -> None:
        try:
            self._socket.settimeout(CLOSE_SECONDS)
            for data in self._protocol.data_to_send():
                if data:  # an empty one would end our side; closing does that
                    self._socket.sendall(data)
        except OSError as error:
            raise LinkLost(str(error)) from error

    def _receive(self, deadline: float) -> None:
        """Take in what comes next.

        Raises:
            TimeoutError: nothing did in time.
            LinkLost: the connection is over.
        """
        left = deadline - monotonic()
        if left <= 0:
            raise TimeoutError
        try:
            self._socket.settimeout(left)
            data = self._socket.recv(_CHUNK_BYTES)
        except TimeoutError:
            raise
        except OSError as error:
            raise LinkLost(str(error)) from error
        self._take(data)

    def _take(self, data: bytes) -> None:
        """Give bytes to the protocol, and send what it answers by itself.

        Raises:
            LinkLost: they are the end, or nothing of a WebSocket, or too many that nobody asked for.
        """
        from websockets.frames import Frame

        if not data:
            self._protocol.receive_eof()
            raise LinkLost(self._why())
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Frame) and event.opcode in (_CONTINUED, _TEXT, _BINARY):
                self._frames.append(event)
                self._unread_bytes += len(event.data)
        if self._protocol.parser_exc is not None or self._unread_bytes > 2 * LARGEST_MESSAGE_BYTES:
            self._socket.close()
            raise LinkLost(self._why())
        with contextlib.suppress(LinkLost):  # it shows when it is read from
            self._flush()

    def _message(self) -> bytes | None:
        """The next whole message that came."""
        last = next((index for index, frame in enumerate(self._frames) if frame.fin), None)
        if last is None:
            return None
        message = b"".join(bytes(self._frames.popleft().data) for _ in range(last + 1))
        self._unread_bytes -= len(message)
        return message

    def _why(self) -> str:
        from websockets.protocol import CLOSED

        protocol = self._protocol
        error = protocol.parser_exc or protocol.handshake_exc
        if error is None and protocol.state is CLOSED:
            error = protocol.close_exc
        return str(error) if error is not None else "it said more than anybody asked for"


def _connected(place: Any, seconds: float) -> socket.socket:
    opened = socket.create_connection((place.host, place.port), timeout=seconds)
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return (
        ssl.create_default_context().wrap_socket(opened, server_hostname=place.host)
        if place.secure
        else opened
    )


_links: weakref.WeakSet[Link] = weakref.WeakSet()
_links_lock = threading.Lock()
_carer: threading.Thread | None = None


def _look_after(link: Link) -> None:
    """Have a link attended to until it is let go of."""
    global _carer
    with _links_lock:
        _links.add(link)
        if _carer is None or not _carer.is_alive():  # a fork leaves it behind
            _carer = threading.Thread(target=_attend_all, name="rftgym-openenv-links", daemon=True)
            _carer.start()


def _attend_all() -> None:
    global _carer
    while True:
        sleep(CARE_SECONDS)
        with _links_lock:
            links = list(_links)
            if not links:
                _carer = None
                return
        for link in links:
            link.attend()
        del links, link  # or the last ones would be held until the next look
