"""From tokens to trees: a parser of our own, linear in the text, which calls nothing that the text names."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from rftgym_math.expressions import DEEPEST, FUNCTIONS, Node, Unreadable, constant, negated, number, quotient
from rftgym_math.lexing import Token, tokens

END: Final = Token("end", "", False)
LARGEST_EXPONENT: Final = 2_000
"""Of a number in scientific notation."""
MOST_MARKS: Final = 3
"""Exclamation and percent marks behind one number."""
_FRACTIONS: Final = frozenset({"frac", "dfrac", "tfrac", "cfrac"})
_SHOWN: Final = frozenset(
    {"boxed", "fbox", "mathrm", "mathbf", "mathit", "text", "textbf", "operatorname", "mathbb"}
)
_TIMES: Final = frozenset({"cdot", "times", "ast"})
_RELATIONS: Final = {"=": "=", "==": "=", "<": "<", "lt": "<", "<=": "<=", "le": "<=", "leq": "<="}
_TURNED: Final = {">": "<", "gt": "<", ">=": "<=", "ge": "<=", "geq": "<="}
_CLOSING: Final = frozenset({")", "]", "}", "\\}", "|", ",", ";"})


def parse(text: str, *, thousands: bool = True) -> Node:
    """The tree of a text.

    Args:
        text: an answer, plain or LaTeX.
        thousands: see `rftgym_math.lexing.tokens`.
    Raises:
        Unreadable: it is no expression, or a too large one.
    """
    parser = _Parser(tokens(text, thousands=thousands))
    node = parser.items()
    if parser.next is not END:
        raise Unreadable(f"{parser.next.text!r} is not expected there")
    return node


class _Parser:
    """A recursive descent; what can be long is read in loops, what is nested counts against `DEEPEST`."""

    def __init__(self, found: list[Token]) -> None:
        self._tokens = [*found, END, END]  # the parser reads at most one token past the end before it stops
        self._at = 0
        self._depth = 0

    @property
    def next(self) -> Token:
        return self._tokens[self._at]

    def _sees(self, *texts: str) -> bool:
        kind, text, _ = self._tokens[self._at]
        return text in texts and kind in ("mark", "command")

    def _takes(self, *texts: str) -> str | None:
        kind, text, _ = self._tokens[self._at]
        if text in texts and kind in ("mark", "command"):
            self._at += 1
            return text
        return None

    def _expect(self, *texts: str) -> str:
        found = self._takes(*texts)
        if found is None:
            said = "the end of the answer" if self.next is END else repr(self.next.text)
            raise Unreadable(f"{' or '.join(texts)} is missing before {said}")
        return found

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise Unreadable(f"nested more than {DEEPEST} deep", "too_deep")

    # ---- lists and relations

    def items(self) -> Node:
        """Relations between commas, semicolons, "or" and "and"; one alone is itself."""
        found = [self._relation()]
        while self._takes(",", ";", "or", "and"):
            self._takes("or", "and")  # ", and"
            found.append(self._relation())
        return found[0] if len(found) == 1 else Node("list", tuple(found))

    def _relation(self) -> Node:
        left = self._union()
        while self._sees(*_RELATIONS, *_TURNED):
            text = self.next.text
            self._at += 1
            right = self._union()
            sides = (right, left) if text in _TURNED else (left, right)
            left = Node(_TURNED.get(text) or _RELATIONS[text], sides)
        return left

    def _union(self) -> Node:
        parts = [self._sum()]
        while self._takes("cup"):
            parts.append(self._sum())
        return parts[0] if len(parts) == 1 else Node("union", tuple(parts))

    # ---- sums, products, powers

    def _sum(self) -> Node:
        self._deeper()
        terms = [self._signed(self._takes("+", "-", "pm"))]
        while sign := self._takes("+", "-", "pm"):
            terms.append(self._signed(sign))
        self._depth -= 1
        return terms[0] if len(terms) == 1 else Node("+", tuple(terms))

    def _signed(self, sign: str | None) -> Node:
        node = self._product()
        if sign == "-":
            return negated(node)
        return Node("pm", (node,)) if sign == "pm" else node

    def _product(self) -> Node:
        factors = [self._factor()]
        while True:
            if self._takes("*", *_TIMES):
                factors.append(self._factor())
            elif self._takes("/", "div"):
                factors.append(Node("inv", (self._factor(),)))
            elif self._begins():
                factors.append(self._power())
            else:
                return factors[0] if len(factors) == 1 else Node("*", tuple(factors))

    def _begins(self) -> bool:
        """Whether something follows that is multiplied without a sign."""
        token = self.next
        if token.kind == "number":
            if self._tokens[self._at - 1].kind == "number":
                raise Unreadable(f"two numbers without a sign between them, before {token.text!r:.20}")
            return True
        if token.kind == "mark":
            return token.text in ("(", "[", "{", "\\{")
        return token.kind == "name" or (
            token.kind == "command"
            and token.text in {*FUNCTIONS, *_FRACTIONS, *_SHOWN, "pi", "infty", "cbrt"}
        )

    def _factor(self) -> Node:
        """A power, signs in front of it allowed."""
        minus = False
        while sign := self._takes("+", "-"):
            minus ^= sign == "-"
        node = self._power()
        return negated(node) if minus else node

    def _power(self) -> Node:
        base = self._postfixed()
        if not self._takes("^", "**"):
            return base
        self._deeper()
        exponent = self._group() if self._sees("{") else self._factor()
        self._depth -= 1
        return Node("^", (base, exponent))

    def _postfixed(self) -> Node:
        node = self._primary()
        marks = 0
        while mark := self._takes("!", "%", "\\%"):
            marks += 1
            if marks > MOST_MARKS:
                raise Unreadable(f"more than {MOST_MARKS} marks behind a number", "too_deep")
            node = Node("factorial", (node,)) if mark == "!" else quotient(node, number(100))
        return node

    # ---- the smallest parts

    def _primary(self) -> Node:
        self._deeper()
        token = self.next
        self._at += 1
        if token.kind == "number":
            node = self._number(token)
        elif token.kind == "name":
            node = self._symbol(token.text)
        elif token.kind == "command":
            node = self._command(token.text)
        elif token.text in ("(", "[", "\\{", "{"):
            node = self._bracket(token.text)
        elif token.text == "|":
            node = Node("abs", (self._sum(),))
            self._expect("|")
        else:
            raise Unreadable(
                "something is missing at the end"
                if token is END
                else f"{token.text!r:.20} is not expected there"
            )
        self._depth -= 1
        return node

    def _number(self, token: Token) -> Node:
        if token.text.isdigit():
            whole = Fraction(int(token.text))
            part = self._proper_part() if self._tokens[self._at] is not END else None
            return number(whole if part is None else whole + part)  # perhaps a mixed number, as in 1 1/2
        mantissa, _, exponent = token.text.lower().partition("e")
        if exponent and abs(int(exponent)) > LARGEST_EXPONENT:
            raise Unreadable(f"an exponent of {exponent} is too large", "too_large")
        if "." in mantissa and not exponent and self._takes("overline"):
            return self._repeating(mantissa)
        value = Fraction(mantissa.removesuffix("."))
        return number(value * Fraction(10) ** int(exponent) if exponent else value)

    def _proper_part(self) -> Fraction | None:
        """The fraction of a mixed number: whole numbers, below one, set off by a space or in LaTeX."""
        ahead = self._tokens[self._at : self._at + 7]
        texts = [each.text for each in ahead]
        if (
            len(texts) >= 3
            and ahead[0].spaced
            and texts[1] == "/"
            and texts[0].isdigit()
            and texts[2].isdigit()
        ):
            top, bottom, used = int(texts[0]), int(texts[2]), 3
        elif (
            len(texts) == 7
            and texts[0] in _FRACTIONS
            and texts[1] == texts[4] == "{"
            and texts[3] == texts[6] == "}"
            and texts[2].isdigit()
            and texts[5].isdigit()
        ):
            top, bottom, used = int(texts[2]), int(texts[5]), 7
        else:
            return None
        if not 0 < top < bottom:
            return None
        self._at += used
        return Fraction(top, bottom)

    def _repeating(self, mantissa: str) -> Node:
        r"""0.1\overline{6}: the digits under the line go on for ever."""
        self._expect("{")
        token = self.next
        self._at += 1
        if not token.text.isdigit():
            raise Unreadable("only digits can repeat")
        self._expect("}")
        places = len(mantissa.partition(".")[2])
        period = Fraction(int(token.text), 10**places * (10 ** len(token.text) - 1))
        return number(Fraction(mantissa.removesuffix(".")) + period)

    def _symbol(self, letter: str) -> Node:
        if self._sees("_"):
            self._at += 1
            return Node("symbol", name=f"{letter}_{self._subscript()}")
        return constant(letter) if letter in ("e", "i") else Node("symbol", name=letter)

    def _subscript(self) -> str:
        braced = self._takes("{")
        token = self.next
        self._at += 1
        if token.kind not in ("number", "name"):
            raise Unreadable("an index is a letter or a number")
        if braced:
            self._expect("}")
        return token.text

    def _command(self, name: str) -> Node:
        if name == "pi":
            return constant("pi")
        if name == "infty":
            return constant("oo")
        if name in _FRACTIONS:
            return quotient(self._group(), self._group())
        if name in _SHOWN:
            return self._group()
        if name in ("sqrt", "cbrt"):
            degree = number(3) if name == "cbrt" else None
            if degree is None and self._takes("["):
                degree = self._sum()
                self._expect("]")
            inside = self._argument()
            return Node("sqrt", (inside,)) if degree is None else Node("root", (inside, degree))
        if name in FUNCTIONS:
            return self._function(name)
        raise Unreadable(f"{name!r:.30} is not known here")

    def _function(self, name: str) -> Node:
        base = None
        if name == "log" and self._takes("_"):
            base = self._group() if self._sees("{") else self._primary()
        power = None
        if self._takes("^", "**"):
            power = self._group() if self._sees("{") else self._primary()
        node = Node(name, (self._argument(), *((base,) if base else ())))
        return node if power is None else Node("^", (node, power))

    def _argument(self) -> Node:
        """What a function is of: a bracket, a group, or what stands behind it up to the next sign."""
        if self._sees("{", "("):
            return self._group()
        node = self._power()
        while self.next.kind in ("name", "number") and not self.next.spaced:
            node = Node("*", (node, self._power()))
        return node

    def _group(self) -> Node:
        """One argument in braces or brackets, or without them a single token."""
        opened = self._takes("{", "(")
        if opened is None:
            token = self.next
            if token.kind == "number" and len(token.text) > 1 and token.text.isdigit():  # \frac12
                self._tokens[self._at] = Token("number", token.text[1:], False)
                return number(int(token.text[0]))
            return self._primary()
        node = self.items()
        self._expect("}" if opened == "{" else ")")
        return node

    def _bracket(self, opened: str) -> Node:
        if opened in ("{", "\\{"):
            node = self.items()
            self._expect("}" if opened == "{" else "\\}")
            braces = node.op == "list" or opened == "\\{"
            return Node("set", node.args if node.op == "list" else (node,)) if braces else node
        node = self.items()
        closed = self._expect(")", "]")
        if node.op == "list":
            return Node(opened + closed, node.args)
        if opened + closed not in ("()", "[]"):
            raise Unreadable(f"{opened} is closed by {closed}")
        return node
