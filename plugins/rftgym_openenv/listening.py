"""The socket of a server."""

from __future__ import annotations

import socket

from rftgym.errors import UsageError

LARGEST_MESSAGE_BYTES = 8 * 2**20
"""That a server or a client of ours takes in."""


def listener(host: str, port: int) -> socket.socket:
    """A socket that is bound, so that a port which is taken is said at once.

    Raises:
        UsageError: it cannot be bound.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        bound = socket.socket(family, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(128)  # who connects before the application is ready waits
    except OSError as error:
        raise UsageError(
            f"cannot listen at {host} port {port}: {error.strerror or error}; name another --port"
        ) from error
    return bound
