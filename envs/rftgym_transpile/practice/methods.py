"""Random practice methods: shapes that real short methods have, filled with random expressions."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from rftgym_transpile.practice import names
from rftgym_transpile.practice import syntax as s
from rftgym_transpile.practice.loops import Loops
from rftgym_transpile.practice.straight import Straight
from rftgym_transpile.practice.strings import Strings

Shape = Callable[[], s.Method]


class Shapes(Straight, Loops, Strings):
    """Every shape of practice method; `drawn` picks one."""

    def drawn(self) -> s.Method:
        """A method of a random shape."""
        name = self.chance.choices(tuple(SHARES), weights=tuple(SHARES.values()))[0]
        shape: Shape = getattr(self, name)
        return shape()


SHARES: Final = {
    "formula": 9,
    "adjusted": 6,
    "ladder": 8,
    "predicate": 5,
    "guarded": 4,
    "recursive": 3,
    "counted": 13,
    "digits": 7,
    "shrinking": 5,
    "growing": 4,
    "nested": 4,
    "folded": 10,
    "searched": 5,
    "extreme": 4,
    "neighbours": 4,
    "filled": 5,
    "in_place": 2,
    "product": 4,
    "tally_letters": 6,
    "every_letter": 4,
    "rewritten": 6,
    "composed": 5,
    "hashed": 3,
    "mirrored": 2,
    "repeated": 3,
}
"""How often each shape is drawn."""


def method(chance: Random) -> s.Method:
    """A random practice method."""
    return Shapes(chance, names.method_name(chance)).drawn()
