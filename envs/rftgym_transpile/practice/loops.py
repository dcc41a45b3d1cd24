"""Shapes of methods that loop over numbers and arrays."""

from __future__ import annotations

from rftgym_transpile.practice import names
from rftgym_transpile.practice import syntax as s
from rftgym_transpile.practice.expressions import Scope, number
from rftgym_transpile.practice.straight import Shape

ZERO, ONE = number(0), number(1)


def below(index: s.Var, end: s.Expr, *body: s.Statement, start: s.Expr = ZERO, step: int = 1) -> s.For:
    """`for (int index = start; index < end; index += step)`."""
    return s.For(index, start, "<", end, step, body)


class Loops(Shape):
    """Counting, digits, sums over arrays, searches, and arrays that are made."""

    def index(self) -> s.Var:
        """A loop's counter."""
        return s.Var(self.namer.pick(names.INDICES), "int", natural=True)

    def array(self) -> s.Var:
        """An array as parameter."""
        return s.Var(self.namer.pick(names.ARRAYS), "int[]")

    def counted(self) -> s.Method:
        """A total over a range of numbers."""
        parameters = self.number_parameters(1, 2)
        total, i = self.total("long" if self.chance.random() < 0.12 else "int"), self.index()
        scope = Scope(parameters).with_numbers(i, i)
        body = self._with_exit(self._with_local(total, scope), i, scope)
        first = s.Declare(total, number(self.chance.choice((0, 0, 0, 1, 10))))
        return self.made(total.type, parameters, first, self._range(i, parameters, body), s.Return(total))

    def _with_local(self, total: s.Var, scope: Scope) -> list[s.Statement]:
        if self.chance.random() < 0.75:
            return self.work(total, scope)
        value = self.arithmetic(scope, 1)
        var = self.local()
        return [s.Declare(var, value), *self.work(total, scope.with_numbers(var))]

    def _with_exit(self, body: list[s.Statement], i: s.Var, scope: Scope) -> list[s.Statement]:
        if self.chance.random() < 0.82:
            return body
        jump = s.Jump("continue") if self.chance.random() < 0.6 else s.Jump("break")
        return [s.If(((self.condition(Scope([i, *scope.numbers])), (jump,)),)), *body]

    def _range(self, i: s.Var, parameters: list[s.Var], body: list[s.Statement]) -> s.For:
        end, block, roll = parameters[0], tuple(body), self.chance.random()
        if roll < 0.12:
            down = s.Var(i.name, "int", natural=True)
            low, op = (ONE, ">=") if self.chance.random() < 0.6 else (ZERO, ">")
            return s.For(
                down, end, ">=" if op == ">=" else ">", low, -self.chance.choice((1, 1, 1, 2)), block
            )
        step = self.chance.choice((1, 1, 1, 1, 1, 2, 3))
        start = self.chance.choice((ZERO, ZERO, ONE, ONE, number(2)))
        last: s.Expr = end if self.chance.random() < 0.8 else number(self.chance.randint(3, 20))
        if roll < 0.25:
            last = s.Binary(self.chance.choice("+-*"), end, number(self.chance.choice((1, 2, 2, 3))))
        return s.For(i, start, "<=" if self.chance.random() < 0.55 else "<", last, step, block)

    def digits(self) -> s.Method:
        """Something about the digits of a number."""
        n = s.Var(self.namer.pick(("n", "n", "num", "x", "value", "number")), "int")
        natural = s.Var(n.name, "int", natural=True)
        extra = self.number_parameters(1, 1) if self.chance.random() < 0.25 else []
        total, base = self.total(), number(self.chance.choice((10, 10, 10, 10, 2, 3, 8, 100)))
        d = s.Var(self.namer.pick(("d", "digit", "r", "last", "rest")), "int", natural=True)
        take = s.Declare(d, s.Binary("%", natural, base, natural=True))
        inner = self.work(total, Scope([d, d, *extra]))
        if self.chance.random() < 0.12:
            inner = [s.Assign(total, "=", s.Binary("+", s.Binary("*", total, base), d), wraps=True)]
        body = (take, *inner, s.Assign(natural, "/=", base))
        condition = s.Compared(">", n, ZERO)
        first = s.Declare(total, number(self.chance.choice((0, 0, 0, 1))))
        return self.made("int", [n, *extra], first, s.While(condition, body), s.Return(total))

    def shrinking(self) -> s.Method:
        """How a number gets small: halved, reduced, or as in Euclid's method."""
        steps, roll = self.total(), self.chance.random()
        if roll < 0.3:
            a, b = (s.Var(self.namer.pick(names.NUMBERS), "int") for _ in range(2))
            t = self.local()
            turn = (
                s.Declare(t, s.Binary("%", a, b)),
                s.Assign(a, "=", b),
                s.Assign(b, "=", t),
            )
            loop = s.While(s.Compared("!=", b, ZERO), turn)
            if self.chance.random() < 0.5:
                return self.made("int", [a, b], loop, s.Return(a))
            counted = s.While(loop.condition, (*turn, s.Step(steps, "++")))
            return self.made("int", [a, b], s.Declare(steps, ZERO), counted, s.Return(steps))
        n, *more = self.number_parameters(1, 2)
        inside = s.Var(n.name, "int", natural=True)
        limit = number(self.chance.choice((0, 1, 1, 5, 10)))
        shrunk = s.Assign(inside, "/=", number(self.chance.choice((2, 2, 3, 4, 10))))
        if roll < 0.55:
            shrunk = s.Assign(inside, "-=", number(self.chance.choice((1, 2, 3, 5, 7))))
        body = (*self.work(steps, Scope([inside, *more])), shrunk)
        loop = s.While(s.Compared(">", n, limit), body)
        return self.made("int", [n, *more], s.Declare(steps, ZERO), loop, s.Return(steps))

    def growing(self) -> s.Method:
        """How a number grows up to a limit."""
        limit, *more = self.number_parameters(1, 2)
        x, count = self.local(), self.total()
        grown = s.Assign(x, self.chance.choice(("*=", "+=", "+=")), number(self.chance.randint(2, 5)))
        returned = self.chance.choice((x, count))
        body: list[s.Statement] = [grown]
        if returned == count:
            body = [*self.work(count, Scope([x, *more])), grown]
        op = self.chance.choice(("<", "<="))
        loop = s.While(s.Compared(op, x, limit), tuple(body))
        start = s.Declare(x, number(self.chance.randint(1, 3)))
        counter = [s.Declare(count, ZERO)] if returned == count else []
        return self.made("int", [limit, *more], *counter, start, loop, s.Return(returned))

    def nested(self) -> s.Method:
        """Two loops, one in the other."""
        n, *more = self.number_parameters(1, 2)
        total, i, j = self.total(), self.index(), self.index()
        scope = Scope([i, j, *more])
        inner_start = self.chance.choice((ZERO, ONE, i, s.Binary("+", i, ONE)))
        inner_end = i if inner_start in (ZERO, ONE) and self.chance.random() < 0.4 else n
        op = self.chance.choice(("<", "<="))
        inner = s.For(
            j, inner_start, "<" if op == "<" else "<=", inner_end, 1, tuple(self.work(total, scope))
        )
        outer = s.For(
            i, self.chance.choice((ZERO, ONE)), "<=" if self.chance.random() < 0.5 else "<", n, 1, (inner,)
        )
        return self.made("int", [n, *more], s.Declare(total, ZERO), outer, s.Return(total))

    def product(self) -> s.Method:
        """A product collected in a loop, which may leave the range of its type."""
        kind: s.Type = "long" if self.chance.random() < 0.4 else "int"
        total, i = self.total(kind), self.index()
        if self.chance.random() < 0.3:
            xs = self.array()
            x = s.Var(self.namer.pick(("x", "v", "value", "item")), "int")
            grow = s.Assign(total, "*=", x, wraps=True)
            return self.made(kind, [xs], s.Declare(total, ONE), s.ForEach(x, xs, (grow,)), s.Return(total))
        parameters = self.number_parameters(1, 2)
        factor: s.Expr = i if len(parameters) == 1 else parameters[1]
        if self.chance.random() < 0.3:
            factor = s.Binary("+", i, number(self.chance.randint(1, 3)))
        grow = s.Assign(total, "*=", factor, wraps=True)
        loop = s.For(i, ONE, "<=" if self.chance.random() < 0.8 else "<", parameters[0], 1, (grow,))
        start = s.Declare(total, number(self.chance.choice((1, 1, 1, 2, 3))))
        return self.made(kind, parameters, start, loop, s.Return(total))

    # ---- arrays

    def _over(self, xs: s.Var, scope: Scope, total: s.Var) -> s.Statement:
        """A loop over an array that changes a total, by element or by index."""
        if self.chance.random() < 0.5:
            x = s.Var(self.namer.pick(("x", "v", "value", "item", "num", "x")), "int")
            return s.ForEach(x, xs, tuple(self.work(total, scope.with_numbers(x))))
        i = self.index()
        more = [i] if self.chance.random() < 0.35 else []
        inside = Scope([*scope.numbers, *more], elements=[s.Element(xs, i)])
        return below(i, s.Call("length", (xs,)), *self.work(total, inside))

    def folded(self) -> s.Method:
        """A total over an array."""
        xs, total = self.array(), self.total()
        more = self.number_parameters(1, 1) if self.chance.random() < 0.4 else []
        first = s.Declare(total, number(self.chance.choice((0, 0, 0, 0, 1, -1))))
        return self.made("int", [xs, *more], first, self._over(xs, Scope(more), total), s.Return(total))

    def searched(self) -> s.Method:
        """The first element that meets a condition, where it stands, or whether there is one."""
        xs, i = self.array(), self.index()
        more = self.number_parameters(1, 1) if self.chance.random() < 0.6 else []
        condition = self.condition(Scope([*more], elements=[s.Element(xs, i)]))
        if self.chance.random() < 0.5:
            first = self.chance.random() < 0.5
            found: s.Expr = s.Constant(first, "boolean")
            missing: s.Expr = s.Constant(not first, "boolean")
            kind: s.Type = "boolean"
        else:
            found, missing, kind = self.chance.choice((i, s.Element(xs, i))), number(-1), "int"
        hit = s.If(((condition, (s.Return(found),)),))
        loop = below(i, s.Call("length", (xs,)), hit)
        return self.made(kind, [xs, *more], loop, s.Return(missing))

    def extreme(self) -> s.Method:
        """The largest or smallest element, or where it stands."""
        xs, best, i = self.array(), self.total(), self.index()
        op = self.chance.choice(("<", ">", ">=", "<="))
        here = s.Element(xs, i)
        if self.chance.random() < 0.5:
            limit = s.Limit("MIN_VALUE" if op[0] == ">" else "MAX_VALUE")
            body: tuple[s.Statement, ...] = (
                s.If(((s.Compared(op, here, best), (s.Assign(best, "=", here),)),)),
            )
            if self.chance.random() < 0.4:
                call = s.Call("max" if op[0] == ">" else "min", (best, here))
                body = (s.Assign(best, "=", call),)
            return self.made(
                "int", [xs], s.Declare(best, limit), below(i, s.Call("length", (xs,)), *body), s.Return(best)
            )
        better = s.Compared(op, here, s.Element(xs, best))
        chosen = s.If(((better, (s.Assign(best, "=", i),)),))
        loop = below(i, s.Call("length", (xs,)), chosen, start=ONE)
        return self.made("int", [xs], s.Declare(best, ZERO), loop, s.Return(best))

    def neighbours(self) -> s.Method:
        """Something about elements that stand next to each other."""
        xs, total, i = self.array(), self.total(), self.index()
        before, here = s.Element(xs, s.Binary("-", i, ONE)), s.Element(xs, i)
        start: s.Expr = ONE
        end: s.Expr = s.Call("length", (xs,))
        if self.chance.random() < 0.4:
            before, here = here, s.Element(xs, s.Binary("+", i, ONE))
            start, end = ZERO, s.Binary("-", end, ONE)
        compared = s.Compared(self.chance.choice(("<", ">", "==", "!=", "<=", ">=")), here, before)
        if self.chance.random() < 0.35:
            way = self.chance.random() < 0.5
            hit = s.If(((compared, (s.Return(s.Constant(way, "boolean")),)),))
            return self.made(
                "boolean", [xs], below(i, end, hit, start=start), s.Return(s.Constant(not way, "boolean"))
            )
        change = s.Binary("-", here, before)
        update: s.Statement = s.Step(total, "++")
        if self.chance.random() < 0.4:
            update = s.Assign(total, "+=", change if self.chance.random() < 0.5 else s.Call("abs", (change,)))
        body = s.If(((compared, (update,)),)) if self.chance.random() < 0.7 else update
        loop = below(i, end, body, start=start)
        return self.made("int", [xs], s.Declare(total, ZERO), loop, s.Return(total))

    def filled(self) -> s.Method:
        """A new array."""
        out, i = s.Var(self.namer.pick(("out", "result", "res", "made", "copy")), "int[]"), self.index()
        if self.chance.random() < 0.5:
            n, *more = self.number_parameters(1, 2)
            value, size, parameters = self.arithmetic(Scope([i, i, *more]), 1), n, [n, *more]
            new = s.Declare(out, s.NewArray(size))
            loop = below(i, size, s.Assign(s.Element(out, i), "=", value))
            return self.made("int[]", parameters, new, loop, s.Return(out))
        xs = self.array()
        more = self.number_parameters(1, 1) if self.chance.random() < 0.4 else []
        length = s.Call("length", (xs,))
        scope = Scope(more, elements=[s.Element(xs, i)])
        value = self.arithmetic(scope, 1)
        if self.chance.random() < 0.25:
            value = s.Element(xs, s.Binary("-", s.Binary("-", length, ONE), i))
        elif self.chance.random() < 0.3:
            value = s.Choice(self.condition(scope, 0), self.arithmetic(scope, 1), s.Element(xs, i))
        loop = below(i, length, s.Assign(s.Element(out, i), "=", value))
        return self.made("int[]", [xs, *more], s.Declare(out, s.NewArray(length)), loop, s.Return(out))

    def in_place(self) -> s.Method:
        """Elements of an array that are changed where they stand."""
        xs, i = self.array(), self.index()
        more = self.number_parameters(1, 1) if self.chance.random() < 0.5 else []
        here = s.Element(xs, i)
        change = s.Assign(here, self.chance.choice(("+=", "-=", "*=", "=")), self.leaf(Scope([*more, i])))
        hit = s.If(((self.condition(Scope(more, elements=[here]), 0), (change,)),))
        loop = below(i, s.Call("length", (xs,)), hit if self.chance.random() < 0.6 else change)
        return self.made("int[]", [xs, *more], loop, s.Return(xs))
