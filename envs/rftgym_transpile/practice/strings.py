"""Shapes of methods about texts."""

from __future__ import annotations

from rftgym_transpile.practice import names
from rftgym_transpile.practice import syntax as s
from rftgym_transpile.practice.expressions import Scope, letter, number, word
from rftgym_transpile.practice.loops import ONE, ZERO, below
from rftgym_transpile.practice.straight import Shape

EMPTY = word("")


class Strings(Shape):
    """Counting characters, building texts, hashing."""

    def text(self) -> s.Var:
        """A text as parameter."""
        return s.Var(self.namer.pick(names.TEXTS), "String")

    def _letters(self, text: s.Var) -> tuple[s.Var, list[s.Statement], s.Expr, bool]:
        """A counter, what a loop's body starts with, and the current character, directly or in a variable."""
        i = s.Var(self.namer.pick(names.INDICES), "int", natural=True)
        here = s.Call("charAt", (text, i))
        if self.chance.random() < 0.6:
            c = s.Var(self.namer.pick(names.LETTERS), "char")
            return i, [s.Declare(c, here)], c, True
        return i, [], here, False

    def _about(self, here: s.Expr, extra: list[s.Var]) -> s.Expr:
        if extra and self.chance.random() < 0.6:
            return s.Compared(self.chance.choice(("==", "!=")), here, extra[0])
        scope = Scope(letters=[here]) if isinstance(here, s.Var) else Scope()
        if isinstance(here, s.Call):
            scope.characters.append(here)
        return self.condition(scope)

    def _loop(self, text: s.Var, i: s.Var, *body: s.Statement, start: s.Expr = ZERO) -> s.For:
        return below(i, s.Call("length", (text,)), *body, start=start)

    def tally_letters(self) -> s.Method:
        """How many characters meet a condition, or a total of what they count for."""
        text, total = self.text(), self.total()
        extra = [s.Var(self.namer.pick(names.LETTERS), "char")] if self.chance.random() < 0.3 else []
        i, opening, here, _ = self._letters(text)
        roll = self.chance.random()
        if roll < 0.25:
            value = s.Binary(
                "-", s.Call("code", (here,)), s.Call("code", (letter(self.chance.choice("a0A")),))
            )
            work: s.Statement = s.Assign(total, "+=", value)
            if self.chance.random() < 0.6:
                work = s.If(((s.Call("isDigit", (here,)), (work,)),)) if roll < 0.12 else work
        else:
            more: s.Statement = s.Step(total, "++")
            if self.chance.random() < 0.3:
                more = s.Assign(total, "+=", number(self.chance.randint(2, 9)))
            otherwise = (s.Step(total, "--"),) if self.chance.random() < 0.2 else ()
            work = s.If(((self._about(here, extra), (more,)),), otherwise)
        loop = self._loop(text, i, *opening, work)
        return self.made("int", [text, *extra], s.Declare(total, ZERO), loop, s.Return(total))

    def every_letter(self) -> s.Method:
        """Whether every character meets a condition, or where the first stands that does."""
        text = self.text()
        i, opening, here, _ = self._letters(text)
        condition = self._about(here, [])
        if self.chance.random() < 0.4:
            hit = s.If(((condition, (s.Return(i),)),))
            return self.made("int", [text], self._loop(text, i, *opening, hit), s.Return(number(-1)))
        way = self.chance.random() < 0.5
        hit = s.If(((condition, (s.Return(s.Constant(way, "boolean")),)),))
        loop = self._loop(text, i, *opening, hit)
        return self.made("boolean", [text], loop, s.Return(s.Constant(not way, "boolean")))

    def rewritten(self) -> s.Method:
        """A text made from another, character by character."""
        text = self.text()
        builder = self.chance.random() < 0.55
        kind: s.Type = "StringBuilder" if builder else "String"
        out = s.Var(self.namer.pick(names.BUILDERS if builder else names.TOTALS), kind)
        i, opening, here, _ = self._letters(text)

        def add(value: s.Expr, part: s.Type) -> s.Statement:
            return s.Append(out, value, part) if builder else s.Assign(out, "+=", value)

        roll = self.chance.random()
        keep = add(here, "char")
        if roll < 0.35:
            work: list[s.Statement] = [s.If(((self._about(here, []), (keep,)),))]
        elif roll < 0.6:
            other = add(letter(self.chance.choice("_-*.x?")), "char")
            work = [s.If(((self._about(here, []), (keep,)),), (other,))]
        elif roll < 0.75:
            work = [keep, s.If(((self._about(here, []), (keep,)),))]
        elif roll < 0.88:
            shifted = s.Binary("+", s.Call("code", (here,)), number(self.chance.randint(1, 3)))
            work = [add(s.Call("character", (shifted,)), "char")]
        else:
            return self._reversed(text, out, i, add)
        loop = self._loop(text, i, *opening, *work)
        return self.made("String", [text], s.Declare(out, EMPTY), loop, s.Return(out))

    def _reversed(self, text: s.Var, out: s.Var, i: s.Var, add: object) -> s.Method:
        length = s.Call("length", (text,))
        here = s.Call("charAt", (text, i))
        keep: s.Statement = (
            s.Append(out, here, "char") if out.type == "StringBuilder" else s.Assign(out, "+=", here)
        )
        step = self.chance.choice((-1, -1, -2))
        loop = s.For(i, s.Binary("-", length, ONE), ">=", ZERO, step, (keep,))
        return self.made("String", [text], s.Declare(out, EMPTY), loop, s.Return(out))

    def composed(self) -> s.Method:
        """A text put together from numbers and words."""
        parameters = self.number_parameters(1, 2)
        scope, roll = Scope(parameters), self.chance.random()
        if roll < 0.3:
            text = self.text()
            parts: tuple[s.Expr, ...] = (
                text,
                word(self.chance.choice((": ", "-", " ", "=", "/"))),
                parameters[0],
            )
            kinds: tuple[s.Type, ...] = ("String", "String", "int")
            return self.made("String", [text, parameters[0]], s.Return(s.Joined(parts, kinds)))
        value = self.arithmetic(scope, 1)
        lead = word(self.chance.choice(names.LEADS))
        joined = s.Joined((lead, value), ("String", "int"))
        if roll < 0.6:
            tail = word(self.chance.choice((" points", "!", "]", " left", "%", ";", " of ")))
            joined = s.Joined((*joined.parts, tail), (*joined.kinds, "String"))
        if roll > 0.85 and len(parameters) > 1:
            joined = s.Joined((*joined.parts, word(", "), parameters[1]), (*joined.kinds, "String", "int"))
        if self.chance.random() < 0.6:
            return self.made("String", parameters, s.Return(joined))
        early = s.If(((self.condition(scope), (s.Return(word(self.chance.choice(names.WORDS))),)),))
        return self.made("String", parameters, early, s.Return(joined))

    def hashed(self) -> s.Method:
        """A number for a text or an array, which leaves the range of an int and comes back."""
        h, by = self.total(), number(self.chance.choice((31, 31, 17, 33, 37, 7, 13)))
        start = s.Declare(h, number(self.chance.choice((0, 1, 7, 17))))
        if self.chance.random() < 0.5:
            xs = s.Var(self.namer.pick(names.ARRAYS), "int[]")
            x = s.Var(self.namer.pick(("x", "v", "value")), "int")
            mixed = s.Assign(h, "=", s.Binary("+", s.Binary("*", h, by), x), wraps=True)
            return self.made("int", [xs], start, s.ForEach(x, xs, (mixed,)), s.Return(h))
        text = self.text()
        i, opening, here, _ = self._letters(text)
        mixed = s.Assign(h, "=", s.Binary("+", s.Binary("*", h, by), s.Call("code", (here,))), wraps=True)
        return self.made("int", [text], start, self._loop(text, i, *opening, mixed), s.Return(h))

    def mirrored(self) -> s.Method:
        """Two ends of a text that are compared."""
        text = self.text()
        i, j = (s.Var(self.namer.pick(names.INDICES), "int", natural=True) for _ in range(2))
        last = s.Binary("-", s.Call("length", (text,)), ONE)
        ends = s.Compared(
            self.chance.choice(("!=", "==")), s.Call("charAt", (text, i)), s.Call("charAt", (text, j))
        )
        moves = (s.Step(i, "++"), s.Step(j, "--"))
        start = (s.Declare(i, ZERO), s.Declare(j, last))
        if ends.op == "!=" and self.chance.random() < 0.5:
            hit = s.If(((ends, (s.Return(s.Constant(False, "boolean")),)),))
            loop = s.While(s.Compared("<", i, j), (hit, *moves))
            return self.made("boolean", [text], *start, loop, s.Return(s.Constant(True, "boolean")))
        total = self.total()
        hit = s.If(((ends, (s.Step(total, "++"),)),))
        loop = s.While(s.Compared("<", i, j), (hit, *moves))
        return self.made("int", [text], s.Declare(total, ZERO), *start, loop, s.Return(total))

    def repeated(self) -> s.Method:
        """A text that a loop makes longer."""
        n = self.number_parameters(1, 1)[0]
        out = s.Var(self.namer.pick(names.BUILDERS), "StringBuilder")
        i = s.Var(self.namer.pick(names.INDICES), "int", natural=True)
        roll = self.chance.random()
        if roll < 0.35:
            text = self.text()
            work: list[s.Statement] = [s.Append(out, text, "String")]
            parameters = [text, n]
        else:
            parameters = [n]
            work = [s.Append(out, i if roll < 0.7 else self.arithmetic(Scope([i]), 1), "int")]
        if roll > 0.85:
            odd = s.Compared("==", s.Binary("%", i, number(2), natural=True), ZERO)
            mark = letter(self.chance.choice("*#+x"))
            work = [s.If(((odd, tuple(work)),), (s.Append(out, mark, "char"),))]
        elif roll > 0.2 and self.chance.random() < 0.5:
            work.append(s.Append(out, letter(self.chance.choice(", ;-")), "char"))
        loop = s.For(i, ZERO if roll < 0.5 else ONE, "<" if roll < 0.5 else "<=", n, 1, tuple(work))
        return self.made("String", parameters, s.Declare(out, EMPTY), loop, s.Return(out))
