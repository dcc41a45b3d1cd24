"""Ctrl-C as a wish: the first one asks a command to stop in good order, the second one interrupts it."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType


@contextlib.contextmanager
def asked_to_stop(
    say: Callable[[], None], *, can_be_granted: Callable[[], bool] = lambda: True
) -> Iterator[Callable[[], bool]]:
    """While the block lasts, take Ctrl-C (or SIGTERM) for a wish; gives a function that says whether there was one.

    Args:
        say: tells the user that the wish was heard.
        can_be_granted: where it returns False, the first one interrupts too.
    Raises:
        KeyboardInterrupt: inside the block, at the second one.
    """
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked or not can_be_granted():
            raise KeyboardInterrupt
        asked = True
        # From a thread of its own: this one may be in the middle of writing a line.
        threading.Thread(target=say).start()

    former = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
