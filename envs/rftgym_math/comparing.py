"""Whether two expressions are the same mathematics; what cannot be told in this process is asked of a sandbox."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from fractions import Fraction
from random import Random

from rftgym_math.exact import PRIME, degree, exact, modulo
from rftgym_math.expressions import COLLECTIONS, RELATIONS, SEQUENCES, Node, negated
from rftgym_math.floats import approximate

Ask = Callable[[Node, Node], bool]
"""Compares two scalar expressions elsewhere; raises `Undecided` where it cannot tell."""
CLOSE = 1e-5
"""Numbers further apart than this, relative to the larger one or to 1, cannot be the same."""
CHECKED_POINTS = 4


class Undecided(Exception):
    """It was not found out whether two expressions are the same.

    Attributes:
        kind: of the verdict.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Comparison:
    """Compares answers with an accepted one.

    Args:
        ask: for scalars that need a computer algebra system.
        tolerance: numbers that are no further apart than this are the same; None = only equal ones.
    """

    def __init__(self, ask: Ask, tolerance: Fraction | None = None) -> None:
        self._ask = ask
        self._tolerance = tolerance

    def same(self, gold: Node, answer: Node) -> bool:
        """Whether an answer says what the accepted one says.

        Raises:
            Undecided: that could not be found out.
            Unreadable: something in them is too large.
            Undefined: one of them has no value.
        """
        if gold.holds("pm") or answer.holds("pm"):
            return self._either_sign(gold, answer)
        if gold.op in COLLECTIONS or answer.op in COLLECTIONS:
            return self._collections(gold, answer)
        if gold.op in RELATIONS or answer.op in RELATIONS:
            return self._relations(gold, answer)
        return self._scalars(gold, answer)

    def _either_sign(self, gold: Node, answer: Node) -> bool:
        one, other = (Node("list", _spread(each)) for each in (gold, answer))
        return self._unordered(one.args, other.args)

    # ---- collections

    def _collections(self, gold: Node, answer: Node) -> bool:
        if gold.op not in COLLECTIONS or answer.op not in COLLECTIONS:
            return False
        if gold.op == "union" or answer.op == "union":
            return gold.op == answer.op and self._unordered(gold.args, answer.args)
        if gold.op == "set" or (gold.op == "list" and answer.op in ("list", "set")):
            return answer.op in ("set", "list") and self._unordered(gold.args, answer.args)
        if gold.op in SEQUENCES and answer.op in SEQUENCES and gold.op != answer.op:
            return False  # [1, 3) is not (1, 3]
        if answer.op == "set" or (gold.op in SEQUENCES and gold.op != "()" and answer.op == "list"):
            return False
        return len(gold.args) == len(answer.args) and all(
            self.same(one, other) for one, other in zip(gold.args, answer.args, strict=True)
        )

    def _unordered(self, gold: Sequence[Node], answer: Sequence[Node]) -> bool:
        if len(gold) != len(answer):
            return False
        left = list(answer)
        for one in gold:
            found = next((each for each in left if self.same(one, each)), None)
            if found is None:
                return False
            left.remove(found)
        return True

    # ---- equations and inequalities

    def _relations(self, gold: Node, answer: Node) -> bool:
        if answer.op not in RELATIONS:  # y = 2x + 1 may be answered by 2x + 1
            return gold.op == "=" and is_name(gold.args[0]) and self.same(gold.args[1], answer)
        if gold.op != answer.op:
            return False
        sides = list(zip(gold.args, answer.args, strict=True))
        if gold.op != "=":
            return all(self.same(one, other) for one, other in sides)
        one, other = (Node("+", (each.args[0], negated(each.args[1]))) for each in (gold, answer))
        if degree(one) is not None and degree(other) is not None:
            return _proportional(one, other)
        return all(self.same(a, b) for a, b in sides) or all(
            self.same(a, b) for a, b in zip(gold.args, reversed(answer.args), strict=True)
        )

    # ---- scalars

    def _scalars(self, gold: Node, answer: Node) -> bool:
        if gold.holds("list", *COLLECTIONS, *RELATIONS) or answer.holds(*COLLECTIONS, *RELATIONS):
            return False
        if is_infinite(gold) or is_infinite(answer):
            return gold == answer
        one, other = exact(gold), exact(answer)
        if one is not None and other is not None:
            return self._near(one, other)
        if gold.symbols or answer.symbols:
            if self._functions_differ(gold, answer) is not None:
                return not self._functions_differ(gold, answer)
        elif self._far(gold, answer):
            return False
        return self._ask(gold, answer)

    def _near(self, one: Fraction, other: Fraction) -> bool:
        return one == other or (self._tolerance is not None and abs(one - other) <= self._tolerance)

    def _far(self, gold: Node, answer: Node) -> bool:
        one, other = approximate(gold), approximate(answer)
        if one is None or other is None:
            return False
        allowed = float(self._tolerance or 0) * (1 + CLOSE) + CLOSE * max(1.0, abs(one), abs(other))
        return abs(one - other) > allowed

    def _functions_differ(self, gold: Node, answer: Node) -> bool | None:
        """Of rational functions, whether they are different ones; None of others."""
        if degree(gold) is None or degree(answer) is None:
            return None
        pairs = _values(gold, answer)
        return None if len(pairs) < CHECKED_POINTS else any(one != other for one, other in pairs)


def _values(one: Node, other: Node) -> list[tuple[int, int]]:
    """Values of two rational functions at points that nobody can choose an answer to fit."""
    names = sorted(one.symbols | other.symbols)
    seed = hashlib.blake2b(repr((one.as_json(), other.as_json())).encode()).hexdigest()
    rng, found = Random(seed), list[tuple[int, int]]()
    for _ in range(2 * CHECKED_POINTS):
        point = {name: rng.randrange(2, PRIME) for name in names}
        left, right = modulo(one, point), modulo(other, point)
        if left is not None and right is not None:
            found.append((left, right))
    return found


def _proportional(one: Node, other: Node) -> bool:
    """Whether one rational function is a number, not 0, times the other."""
    pairs = _values(one, other)
    if len(pairs) < CHECKED_POINTS or not all(left and right for left, right in pairs):
        return False
    return len({left * pow(right, -1, PRIME) % PRIME for left, right in pairs}) == 1


def is_name(node: Node) -> bool:
    """Whether it is a name for what follows: y, or f(x), which reads as a product."""
    return node.op == "symbol" or (node.op == "*" and len(node.args) == 2 and all(map(is_name, node.args)))


def is_infinite(node: Node) -> bool:
    """Whether it is infinity, or minus infinity."""
    return (node.op == "constant" and node.name == "oo") or (node.op == "neg" and is_infinite(node.args[0]))


def _spread(node: Node) -> tuple[Node, ...]:
    """Both values of what holds a plus-or-minus sign, and the parts of a collection of such."""
    if node.op in ("list", "set"):
        return tuple(each for part in node.args for each in _spread(part))
    return (_signed(node, 1), _signed(node, -1)) if node.holds("pm") else (node,)


def _signed(node: Node, sign: int) -> Node:
    if node.op == "pm":
        inner = _signed(node.args[0], sign)
        return inner if sign > 0 else negated(inner)
    if not node.args:
        return node
    return Node(node.op, tuple(_signed(each, sign) for each in node.args), node.value, node.name)
