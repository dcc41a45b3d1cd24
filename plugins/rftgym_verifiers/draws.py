"""What foreign code draws from the process's global generators, and how it is kept from everybody else.

verifiers gives its environments no generator: they draw from ``random`` and ``numpy.random``, and some seed them. Here
each step of an episode's code finds both seeded by the episode and the number of the step, and afterwards they are as
they were before. So an episode replays, and disturbs nobody.

Most environments never draw, and seeding takes as long as half a turn of theirs. So a step is first only watched: the
bytes of both generators are compared before and after it. Where they changed, they are put back, the episode is played
again with seeds up to that step (:class:`rftgym_verifiers.foreign.Episode`), and from then on all of them have seeds.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import random
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

_STATE_BYTES = 2500
"""Of a Mersenne Twister: 624 words and the position."""
_GENERATOR: Any = random.random.__self__  # type: ignore[attr-defined]
"""The one behind the functions of the module random."""
_NUMPY: Any = np.random.mtrand._rand
"""The one behind the functions of numpy.random."""


def _address_in_random() -> int:
    """Where ``random`` holds its words, if this Python lays them out as CPython does; else 0."""
    address = id(_GENERATOR) + object.__basicsize__
    words = _GENERATOR.getstate()[1]
    if sys.implementation.name != "cpython" or _GENERATOR.__sizeof__() < object.__basicsize__ + _STATE_BYTES:
        return 0
    found = struct.unpack("=i624I", ctypes.string_at(address, _STATE_BYTES))
    return address if (*found[1:], found[0]) == words else 0


def _address_in_numpy() -> int:
    generator = _NUMPY._bit_generator
    known = sys.implementation.name == "cpython" and isinstance(generator, np.random.MT19937)
    return int(generator.ctypes.state_address) if known else 0


def _pending_in_numpy() -> bytes:
    """The generator's own fields: a normal number that is drawn and not yet given is not in its words."""
    size = type(_NUMPY).__basicsize__ - object.__basicsize__
    return ctypes.string_at(id(_NUMPY) + object.__basicsize__, size)


class _Remembered:
    """A generator's state. To ask for it takes 30 to 100 µs, so it is asked for only when its bytes have changed."""

    def __init__(self, ask: Callable[[], Any], find: Callable[[], int], beside: Callable[[], Any]) -> None:
        self._ask = ask
        self._find = find
        self._beside = beside
        self._seen: Any = None
        self.state: Any = None
        self.bytes = b""
        self.beside: Any = None
        self.address = 0

    def look(self) -> Any:
        """What tells one state from another; None where nothing does but the state itself."""
        self.address = self._find()
        return (ctypes.string_at(self.address, _STATE_BYTES), self._beside()) if self.address else None

    def save(self) -> None:
        seen = self.look()
        if seen is None or seen != self._seen:
            self.state = self._ask()
        self._seen = seen
        self.bytes, self.beside = seen or (b"", None)

    def changed(self) -> bool:
        seen = self.look()
        return seen is None or seen != self._seen


class _Globals:
    """Both generators, one user at a time."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._out = False
        address = _address_in_random()
        self._random = _Remembered(_GENERATOR.getstate, lambda: address, lambda: _GENERATOR.gauss_next)
        self._numpy = _Remembered(_NUMPY.get_state, _address_in_numpy, _pending_in_numpy)

    @contextmanager
    def held(self) -> Iterator[Callable[[], bool]]:
        """One user at a time; yields whether that is still so (see :meth:`wrest`)."""
        while not (lock := self._lock).acquire(timeout=1.0) or lock is not self._lock:
            pass
        try:
            yield lambda: lock is self._lock
        finally:
            lock.release()

    def wrest(self) -> None:
        """Take the generators from a user who will not give them back, and put them as they were."""
        if self._out:
            self.restore()
        self._lock = threading.RLock()

    def save(self) -> None:
        self._random.save()
        self._numpy.save()
        self._out = True

    def changed(self) -> bool:
        return self._random.changed() or self._numpy.changed()

    def settle(self, *, drawn: bool) -> bool:
        """Put the generators as they were, where they are known, or found, to be drawn from; whether they are."""
        drawn = drawn or self.changed()
        if drawn:
            self.restore()
        self._out = False
        return drawn

    def restore(self) -> None:
        """Put both as they were: by their bytes where that is possible, which takes a fraction of the time."""
        saved = self._random
        if saved.address:
            ctypes.memmove(saved.address, saved.bytes, _STATE_BYTES)
            _GENERATOR.gauss_next = saved.beside
        else:
            _GENERATOR.setstate(saved.state)
        saved = self._numpy
        if saved.address and not saved.state[3]:
            if _pending_in_numpy() != saved.beside:
                _NUMPY.seed(0)  # forgets a pending number
            ctypes.memmove(saved.address, saved.bytes, _STATE_BYTES)
        else:
            _NUMPY.set_state(saved.state)


GLOBALS = _Globals()
os.register_at_fork(after_in_child=GLOBALS.wrest)  # the child has no thread that could give them back


class Draws:
    """One episode's seeds, and whether it needs them.

    Attributes:
        on: steps are seeded; else only watched.
        needed: some step drew.
    """

    def __init__(self, seed: str, *, on: bool) -> None:
        self._seed = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big")
        self.on = on
        self._step = 0
        self.needed = on

    @contextmanager
    def step(self) -> Iterator[None]:
        """Around each step of the episode's code."""
        with GLOBALS.held() as is_held:
            GLOBALS.save()
            if self.on:
                self._seed_globals()
            try:
                yield
            finally:
                if is_held():
                    self.needed = GLOBALS.settle(drawn=self.on) or self.needed

    def next_step(self) -> None:
        """Within a step, where another one would begin had the answer not been at hand."""
        if self.on:
            self._seed_globals()

    def _seed_globals(self) -> None:
        seed = (self._seed + self._step * 0x9E3779B97F4A7C15) % 2**64
        self._step += 1
        _GENERATOR.seed(seed)
        _NUMPY.seed(seed % 2**32)
