"""Random expressions over the variables that are in scope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from rftgym_transpile.practice import syntax as s
from rftgym_transpile.practice.names import WORDS

COMPARISONS: Final = ("<", "<=", ">", ">=", "==", "!=")
CLASSES: Final = ("isDigit", "isLetter", "isUpperCase", "isLowerCase")
SOME_LETTERS: Final = "aeioubcdkmnrstxyzABZ059 -_.,"


def number(value: int) -> s.Constant:
    """A constant of type int."""
    return s.Constant(value, "int")


def word(value: str) -> s.Constant:
    """A constant of type String."""
    return s.Constant(value, "String")


def letter(value: str) -> s.Constant:
    """A constant of type char."""
    return s.Constant(value, "char")


def natural(node: s.Expr) -> bool:
    """Whether a number is 0 or more whatever the inputs are, as far as can be seen."""
    match node:
        case s.Var(natural=known):
            return known
        case s.Constant(value=int(value)):
            return value >= 0
        case s.Binary(op="+" | "*" | "/" | "|" | ">>", left=left, right=right):
            return natural(left) and natural(right)
        case s.Binary(op="%", left=left):
            return natural(left)
        case s.Binary(op="&", left=left, right=right):
            return natural(left) or natural(right)
        case s.Call(name="abs" | "length" | "code"):
            return True
        case s.Call(name="max", arguments=arguments):
            return any(natural(each) for each in arguments)
        case s.Call(name="min", arguments=arguments):
            return all(natural(each) for each in arguments)
        case _:
            return False


@dataclass(slots=True)
class Scope:
    """Variables that may be read.

    Attributes:
        numbers: of type int (or all of type long).
        letters: of type char.
        texts: of type String.
        flags: of type boolean.
        elements: array elements whose index is inside the array.
        characters: characters of a text whose index is inside the text.
    """

    numbers: list[s.Var] = field(default_factory=list)
    letters: list[s.Var] = field(default_factory=list)
    texts: list[s.Var] = field(default_factory=list)
    flags: list[s.Var] = field(default_factory=list)
    elements: list[s.Element] = field(default_factory=list)
    characters: list[s.Call] = field(default_factory=list)

    def with_numbers(self, *more: s.Var) -> Scope:
        """A copy with more numbers; one of the same name replaces the old one."""
        names = {each.name for each in more}
        kept = [each for each in self.numbers if each.name not in names]
        return Scope([*kept, *more], self.letters, self.texts, self.flags, self.elements, self.characters)


class Expressions:
    """Draws expressions.

    Args:
        chance: the source of chance.
    """

    def __init__(self, chance: Random) -> None:
        self.chance = chance

    def leaf(self, scope: Scope) -> s.Expr:
        """A variable or an element, rarely a constant."""
        pool: Sequence[s.Expr] = [*scope.numbers, *scope.elements, *scope.elements]
        if pool and self.chance.random() < 0.85:
            return self.chance.choice(pool)
        return number(self.chance.randint(1, 12))

    def arithmetic(self, scope: Scope, depth: int = 1, *, products: bool = True) -> s.Expr:
        """A number.

        Args:
            scope: what may be read.
            depth: of operators.
            products: whether two variables may be multiplied, which happens once in an expression.
        """
        roll = self.chance.random()
        if depth <= 0 or roll < 0.12:
            return self.leaf(scope)
        if roll < 0.55:
            return self._sum(scope, depth, products)
        if roll < 0.70:
            right = self.leaf(scope) if products and self.chance.random() < 0.35 else self._small()
            left = self.arithmetic(scope, depth - 1, products=False)
            return s.Binary("*", left, right)
        if roll < 0.86:
            return self.divided(scope, self.chance.choice("/%"), depth)
        if roll < 0.90:
            return s.Binary(self.chance.choice(("&", "|", "^", ">>")), self.leaf(scope), self._small())
        name = self.chance.choice(("abs", "max", "min"))
        first = self.arithmetic(scope, depth - 1, products=False)
        if name == "abs":
            return s.Call("abs", (self._variable(scope) if isinstance(first, s.Constant) else first,))
        other = self._variable(scope)
        return s.Call(name, (other, self._small() if first == other else first))

    def divided(self, scope: Scope, op: str, depth: int = 1) -> s.Expr:
        """`left / constant` or `left % constant`."""
        if depth > 1 and self.chance.random() < 0.5:
            left: s.Expr = s.Binary(self.chance.choice("+-"), self.leaf(scope), self.leaf(scope))
        else:
            left = self.leaf(scope)
        return self.quotient(
            op, left, number(self.chance.choice((2, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10, 10, 12, 100)))
        )

    @staticmethod
    def quotient(op: str, left: s.Expr, right: s.Expr) -> s.Binary:
        """`left op right` with what is known about the signs."""
        return s.Binary(op, left, right, natural=natural(left) and natural(right))

    def _sum(self, scope: Scope, depth: int, products: bool) -> s.Expr:
        left = self.arithmetic(scope, depth - 1, products=products)
        right = self.arithmetic(scope, depth - 1, products=False)
        if right == left or (isinstance(right, s.Constant) and isinstance(left, s.Constant)):
            left, right = self._variable(scope), self._small()
        return s.Binary(self.chance.choice("++-"), left, right)

    def _variable(self, scope: Scope) -> s.Expr:
        pool: list[s.Expr] = [*scope.numbers, *scope.elements]
        return self.chance.choice(pool)

    def _small(self) -> s.Constant:
        return number(self.chance.choice((2, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10)))

    # ---- conditions

    def condition(self, scope: Scope, depth: int = 1) -> s.Expr:
        """Something true or false; two of them joined now and then."""
        roll = self.chance.random()
        if depth > 0 and roll < 0.28:
            op = self.chance.choice(("&&", "||"))
            left, right = self.condition(scope, 0), self.condition(scope, 0)
            if left == right:
                return left
            return s.Logical("&&" if op == "&&" else "||", left, right)
        if depth > 0 and roll < 0.34:
            return s.Not(self.condition(scope, 0))
        return self._simple(scope)

    def _simple(self, scope: Scope) -> s.Expr:
        kinds = ["number"] * 3 * bool(scope.numbers or scope.elements) + ["letter"] * 4 * bool(scope.letters)
        kinds += ["letter"] * 3 * bool(scope.characters) + ["text"] * bool(scope.texts)
        kinds += ["flag"] * 2 * bool(scope.flags)
        kind = self.chance.choice(kinds)
        if kind == "letter":
            given: list[s.Expr] = [*scope.letters, *scope.characters]
            return self.about_letter(self.chance.choice(given))
        if kind == "text":
            return self.about_text(self.chance.choice(scope.texts))
        if kind == "flag":
            return self.chance.choice(scope.flags)
        return self.about_number(scope)

    def about_number(self, scope: Scope) -> s.Expr:
        """A comparison of numbers: a remainder with a constant, or two values."""
        left = self._variable(scope)
        if self.chance.random() < 0.4:
            base = self.chance.choice((2, 2, 2, 3, 3, 4, 5, 7, 10))
            rest = 0 if self.chance.random() < 0.7 else self.chance.randint(1, base - 1)
            # A remainder is 0 in Python where it is 0 in Java, whatever the sign.
            signless = rest == 0 or natural(left)
            remainder = s.Binary("%", left, number(base), natural=signless)
            return s.Compared(self.chance.choice(("==", "==", "!=")), remainder, number(rest))
        readable: list[s.Expr] = [*scope.numbers, *scope.elements]
        others = [each for each in readable if each != left]
        if others and self.chance.random() < 0.5:
            right: s.Expr = self.chance.choice(others)
        else:
            right = number(self.chance.choice((0, 0, 0, 1, 2, 3, 5, 7, 10, 12, 18, 20, 50, 60, 100)))
        return s.Compared(self.chance.choice(COMPARISONS), left, right)

    def about_letter(self, given: s.Expr) -> s.Expr:
        """A question about a character."""
        roll = self.chance.random()
        if roll < 0.5:
            return s.Compared(
                self.chance.choice(("==", "==", "!=")), given, letter(self.chance.choice(SOME_LETTERS))
            )
        if roll < 0.75:
            return s.Call(self.chance.choice(CLASSES), (given,))
        low, high = self.chance.choice(("az", "AZ", "09", "am", "nz", "af"))
        return s.Logical("&&", s.Compared(">=", given, letter(low)), s.Compared("<=", given, letter(high)))

    def about_text(self, given: s.Var) -> s.Expr:
        """A question about a text."""
        roll = self.chance.random()
        if roll < 0.4:
            size = s.Call("length", (given,))
            return s.Compared(self.chance.choice(COMPARISONS), size, number(self.chance.randint(0, 8)))
        if roll < 0.5:
            return s.Call("isEmpty", (given,))
        if roll < 0.65:
            return s.Call("equals", (given, word(self.chance.choice(WORDS))))
        name = self.chance.choice(("contains", "startsWith", "endsWith"))
        return s.Call(
            name, (given, word(self.chance.choice(("a", "ab", "e", "no", "x", "un", "ing", "s", "th"))))
        )
