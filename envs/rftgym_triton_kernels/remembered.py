"""Values that are made once and kept by content."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class Remembered(Generic[T]):
    """Values by content, each made once even where several threads ask at a time; the oldest ones are forgotten."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._made: dict[str, Future[T]] = {}
        self._order: OrderedDict[str, None] = OrderedDict()
        self._guard = threading.Lock()

    def get_many(self, keys: Sequence[str], make: Callable[[list[int]], Sequence[T]]) -> list[T]:
        """The values of keys; ``make`` is called once, with the places of the keys that nobody has asked for yet."""
        futures: list[Future[T]] = []
        mine: dict[str, int] = {}
        with self._guard:
            for place, key in enumerate(keys):
                if key not in self._made:
                    self._made[key] = Future()
                    mine[key] = place
                self._order[key] = None
                self._order.move_to_end(key)
                futures.append(self._made[key])
            while len(self._made) > self._most:
                del self._made[self._order.popitem(last=False)[0]]
        own = dict(zip(mine.values(), (futures[place] for place in mine.values()), strict=True))
        try:
            if own:
                for future, value in zip(own.values(), make(list(own)), strict=True):
                    future.set_result(value)
        except BaseException as error:
            with self._guard:
                for key in mine:
                    self._made.pop(key, None)
                    self._order.pop(key, None)
            for future in own.values():
                if not future.done():
                    future.set_exception(error)
            raise
        return [future.result() for future in futures]

    def get(self, key: str, make: Callable[[], T]) -> T:
        """The value of a key, made where it is not there."""
        return self.get_many([key], lambda _: [make()])[0]

    def forget(self, key: str) -> None:
        """Make it anew the next time."""
        with self._guard:
            self._made.pop(key, None)
            self._order.pop(key, None)
