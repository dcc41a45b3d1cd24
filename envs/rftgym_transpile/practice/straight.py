"""Shapes of methods without loops."""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random

from rftgym_transpile.practice import names
from rftgym_transpile.practice import syntax as s
from rftgym_transpile.practice.expressions import Expressions, Scope, number, word
from rftgym_transpile.practice.java import write

EXCEPTIONS = (
    "IllegalArgumentException",
    "IllegalArgumentException",
    "IllegalStateException",
    "ArithmeticException",
)
MESSAGES = (
    "negative",
    "out of range",
    "bad input",
    "too small",
    "too large",
    "empty",
    "not allowed",
    "invalid",
)


class Shape(Expressions):
    """What all shapes need: names, parameters, and the method around a body.

    Args:
        chance: the source of chance.
        name: of the method.
    """

    def __init__(self, chance: Random, name: str) -> None:
        super().__init__(chance)
        self.name = name
        self.namer = names.Namer(chance, frozenset({name}))

    def number_parameters(self, low: int = 1, high: int = 3, kind: s.Type = "int") -> list[s.Var]:
        """Parameters that are numbers."""
        count = self.chance.randint(low, high)
        return [s.Var(self.namer.pick(names.NUMBERS), kind) for _ in range(count)]

    def total(self, kind: s.Type = "int") -> s.Var:
        """A variable that something is collected in."""
        return s.Var(self.namer.pick(names.TOTALS), kind)

    def local(self, kind: s.Type = "int", *, natural: bool = False) -> s.Var:
        """A local variable."""
        return s.Var(self.namer.pick(names.LOCALS), kind, natural)

    def made(self, returns: s.Type, parameters: list[s.Var], *body: s.Statement) -> s.Method:
        """The method; a parameter that nothing reads is left out unless it is the only one."""
        modifiers = self.chance.choice(("static", "public static"))
        whole = s.Method(self.name, returns, tuple(parameters), tuple(body), modifiers)
        words = set(re.findall(r"\w+", write(whole).partition("{")[2]))
        read = tuple(each for each in parameters if each.name in words)
        return replace(whole, parameters=read or tuple(parameters[:1]))

    def updated(self, total: s.Var, scope: Scope) -> s.Statement:
        """A statement that changes a total."""
        roll = self.chance.random()
        if roll < 0.25:
            return s.Step(total, "++" if roll < 0.22 else "--")
        if roll < 0.80:
            op = "+=" if roll < 0.68 else "-="
            return s.Assign(total, op, self.arithmetic(scope, self.chance.choice((0, 1, 1))))
        if roll < 0.9:
            name = self.chance.choice(("max", "min"))
            return s.Assign(total, "=", s.Call(name, (total, self.arithmetic(scope, 1))))
        op = self.chance.choice("+-")
        return s.Assign(total, "=", s.Binary(op, total, self.arithmetic(scope, 1)))

    def work(self, total: s.Var, scope: Scope) -> list[s.Statement]:
        """What a loop's body does to a total: always, under a condition, or one of two things."""
        roll = self.chance.random()
        if roll < 0.35:
            return [self.updated(total, scope)]
        condition = self.condition(scope)
        if roll < 0.68:
            return [s.If(((condition, (self.updated(total, scope),)),))]
        first, second = self.updated(total, scope), self.updated(total, scope)
        if roll < 0.88:
            return [s.If(((condition, (first,)),), (second,))]
        other = self.condition(scope, 0)
        if other == condition:
            return [s.If(((condition, (first,)),), (second,))]
        last = (self.updated(total, scope),) if self.chance.random() < 0.5 else ()
        return [s.If(((condition, (first,)), (other, (second,))), last)]


class Straight(Shape):
    """Formulas, decisions, guards and recursion."""

    def formula(self) -> s.Method:
        """Local variables and a formula."""
        kind: s.Type = "long" if self.chance.random() < 0.1 else "int"
        parameters = self.number_parameters(1, 3, kind)
        scope, body = Scope(parameters), list[s.Statement]()
        for _ in range(self.chance.choice((0, 1, 1, 2))):
            value = self._number(scope, kind)
            var = self.local(kind, natural=_stays_natural(value))
            body.append(s.Declare(var, value))
            scope = scope.with_numbers(var)
        result = self._number(scope, kind)
        if isinstance(result, s.Constant) or (len(body) == 0 and isinstance(result, s.Var)):
            result = s.Binary("+", self.chance.choice(scope.numbers), number(self.chance.randint(1, 9)))
        return self.made(kind, parameters, *body, s.Return(result))

    def _number(self, scope: Scope, kind: s.Type) -> s.Expr:
        if kind == "long":  # whole-number division of longs has no cheap exact idiom for both signs
            return s.Binary(self.chance.choice("+-*"), self.leaf(scope), number(self.chance.randint(2, 10)))
        if self.chance.random() < 0.12:
            return s.Choice(self.condition(scope, 0), self.arithmetic(scope, 1), self.arithmetic(scope, 0))
        return self.arithmetic(scope, 2)

    def adjusted(self) -> s.Method:
        """A total that conditions change."""
        parameters = self.number_parameters(1, 3)
        if self.chance.random() < 0.25:
            parameters.append(s.Var(self.namer.pick(names.FLAGS), "boolean"))
        numbers = [each for each in parameters if each.type == "int"]
        total = self.total()
        scope = Scope(numbers, flags=[each for each in parameters if each.type == "boolean"])
        body: list[s.Statement] = [s.Declare(total, self.arithmetic(scope, 1))]
        inner = scope.with_numbers(total)
        for _ in range(self.chance.choice((1, 1, 2))):
            then = (self.updated(total, scope),)
            otherwise = (self.updated(total, scope),) if self.chance.random() < 0.4 else ()
            body.append(s.If(((self.condition(inner), then),), otherwise))
        return self.made("int", parameters, *body, s.Return(total))

    def ladder(self) -> s.Method:
        """`if`, `else if`, `else`: a word or a number for each case."""
        parameters = self.number_parameters(1, 2)
        scope = Scope(parameters)
        wordy = self.chance.random() < 0.6
        results = self.chance.sample(names.WORDS, 5)

        def outcome() -> s.Expr:
            return word(results.pop()) if wordy else self._outcome(scope)

        kind: s.Type = "String" if wordy else "int"
        cases = self.chance.choice((1, 2, 2, 3))
        if self.chance.random() < 0.5:
            branches = tuple((self.condition(scope), (s.Return(outcome()),)) for _ in range(cases))
            if self.chance.random() < 0.5:
                return self.made(kind, parameters, s.If(branches), s.Return(outcome()))
            singles = [s.If((branch,)) for branch in branches]
            return self.made(kind, parameters, *singles, s.Return(outcome()))
        result = s.Var(self.namer.pick(names.TOTALS), kind)
        set_to = [(self.condition(scope), (s.Assign(result, "=", outcome()),)) for _ in range(cases)]
        first = s.Declare(result, outcome())
        return self.made(kind, parameters, first, s.If(tuple(set_to)), s.Return(result))

    def _outcome(self, scope: Scope) -> s.Expr:
        return number(self.chance.randint(0, 20)) if self.chance.random() < 0.5 else self.arithmetic(scope, 1)

    def predicate(self) -> s.Method:
        """A question about the parameters."""
        parameters = self.number_parameters(1, 3)
        if self.chance.random() < 0.25:
            parameters.append(s.Var(self.namer.pick(names.FLAGS), "boolean"))
        flags = [each for each in parameters if each.type == "boolean"]
        scope = Scope([each for each in parameters if each.type == "int"], flags=flags)
        if self.chance.random() < 0.45:
            return self.made("boolean", parameters, s.Return(self.condition(scope, 1)))
        first = self.chance.random() < 0.5
        early = s.If(((self.condition(scope), (s.Return(s.Constant(first, "boolean")),)),))
        last = s.Constant(not first, "boolean") if self.chance.random() < 0.4 else self.condition(scope, 0)
        return self.made("boolean", parameters, early, s.Return(last))

    def guarded(self) -> s.Method:
        """An exception for arguments that are not allowed, or an early answer."""
        parameters = self.number_parameters(1, 2)
        checked = parameters[0]
        low = self.chance.choice((0, 0, 1))
        if self.chance.random() < 0.7:
            way_out: s.Statement = s.Throw(self.chance.choice(EXCEPTIONS), self.chance.choice(MESSAGES))
        else:
            way_out = s.Return(number(self.chance.choice((0, -1, 1))))
        guard = s.If(((s.Compared("<", checked, number(low)), (way_out,)),))
        scope = Scope(parameters).with_numbers(s.Var(checked.name, "int", natural=True))
        result = self.divided(scope, self.chance.choice("/%")) if self.chance.random() < 0.5 else None
        return self.made("int", parameters, guard, s.Return(result or self.arithmetic(scope, 2)))

    def recursive(self) -> s.Method:
        """A method that calls itself with a smaller number."""
        n = s.Var(self.namer.pick(("n", "n", "k", "x", "num", "depth")), "int")
        natural = s.Var(n.name, "int", natural=True)
        scope, roll = Scope([natural]), self.chance.random()
        if roll < 0.35:
            smaller: s.Expr = s.Binary("/", natural, number(self.chance.choice((2, 3, 10))), natural=True)
        else:
            smaller = s.Binary("-", n, number(self.chance.choice((1, 1, 1, 2, 3))))
        again = s.Call("self", (smaller,))
        first = self.divided(scope, "%") if self.chance.random() < 0.4 else self._outcome(scope)
        step = s.Binary(self.chance.choice("++-"), first, again)
        stop = s.Compared(self.chance.choice(("<=", "<")), n, number(self.chance.choice((1, 1, 2))))
        end = s.Return(self.chance.choice((number(0), number(1), n)))
        return self.made("int", [n], s.If(((stop, (end,)),)), s.Return(step))


def _stays_natural(value: s.Expr) -> bool:
    """Whether a new variable of this value, which nothing changes, is known to be 0 or more by how it is written."""
    return isinstance(value, s.Call) and value.name in ("abs", "length")
