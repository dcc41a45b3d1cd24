"""Arithmetic with whole numbers: sums to products, precedence, brackets, negative numbers, remainders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from rftgym_math.problems import Hand, Problem, bracketed

DOZENS: Final = 13
"""Quotients below this are known by heart."""
Term = int | str
"""A number, an operator or a bracket of an expression in infix notation."""


def infix(terms: list[Term]) -> Problem:
    """The problem of an expression over whole numbers; every division in it must come out even."""
    text = "".join(
        f" {term} " if term in ("+", "-", "*", "/") else bracketed(term) if index else str(term)
        for index, term in enumerate(terms)
    )
    return Problem("arithmetic", f"{text} = ?", _key(terms), lambda hand: str(worked(list(terms), hand)))


def _key(terms: Sequence[Term]) -> str:
    """The expression without the order of what may change places: summands, and factors of one product."""
    summands, factors, sign, at = list[str](), list[str](), "+", 0
    operator = ""
    while at < len(terms):
        term = terms[at]
        if term == "(":
            end = _closing(terms, at)
            factors.append(f"{operator}({_key(terms[at + 1 : end])})")
            at = end
        elif isinstance(term, int):
            factors.append(f"{operator}{term}")
        elif term in ("*", "/"):
            operator = "/" if term == "/" else ""
        else:
            summands.append(sign + "*".join(sorted(factors)))
            factors, operator, sign = [], "", term
        at += 1
    return "".join(sorted([*summands, sign + "*".join(sorted(factors))]))


def _closing(terms: Sequence[Term], at: int) -> int:
    """Where the bracket that opens at a place is closed."""
    depth = 0
    for place in range(at, len(terms)):
        depth += {"(": 1, ")": -1}.get(str(terms[place]), 0)
        if not depth:
            return place
    raise ValueError(f"a bracket is not closed in {terms}")


def worked(terms: list[Term], hand: Hand) -> int:
    """The value of an expression, one written operation after another."""
    while "(" in terms:
        end = terms.index(")")
        start = max(at for at in range(end) if terms[at] == "(")
        terms[start : end + 1] = [worked(terms[start + 1 : end], hand)]
    left_to_right = _misleading(terms) and hand.slips("precedence")
    while len(terms) > 1:
        strong = [at for at, term in enumerate(terms) if term in ("*", "/")]
        uneven = terms[1] == "/" and int(terms[0]) % int(terms[2])
        at = 1 if not strong or (left_to_right and not uneven) else strong[0]
        left, operator, right = terms[at - 1 : at + 2]
        terms[at - 1 : at + 2] = [hand.operate(int(left), str(operator), int(right))]
    return int(terms[0])


def _misleading(terms: list[Term]) -> bool:
    """Whether an operation that binds more strongly stands behind one that binds less."""
    weak = next((at for at, term in enumerate(terms) if term in ("+", "-")), len(terms))
    return any(term in ("*", "/") for term in terms[weak:])


# ---- one function a level; each draws from its generator and nothing else


def sums(low: int, high: int, low_right: int, high_right: int) -> Callable[[Random], Problem]:
    """a + b, each from its own range."""
    return lambda rng: infix([rng.randint(low, high), "+", rng.randint(low_right, high_right)])


def differences(low: int, high: int) -> Callable[[Random], Problem]:
    """a - b with a >= b, both from one range."""

    def make(rng: Random) -> Problem:
        a, b = sorted((rng.randint(low, high), rng.randint(low, high)), reverse=True)
        return infix([a, "-", b])

    return make


def below_zero(rng: Random) -> Problem:
    """a - b with a < b, or a sum or difference that begins below zero."""
    a, b = sorted(rng.sample(range(1, 31), 2))
    forms: list[list[Term]] = [[a, "-", b], [-a, "-", b], [-b, "+", a], [-a, "+", b]]
    return infix(rng.choice(forms))


def signs(rng: Random) -> Problem:
    """Three small numbers, one or two of them negative, with + and -."""
    numbers = [rng.randint(1, 20) * sign for sign in rng.choice(((1, -1, 1), (-1, -1, 1), (-1, 1, -1)))]
    return infix([numbers[0], rng.choice("+-"), numbers[1], rng.choice("+-"), numbers[2]])


def signed_products(rng: Random) -> Problem:
    """A product of numbers up to 12, at least one of them negative, and a sum."""
    a, b = rng.choice(((-1, 1), (1, -1), (-1, -1)))
    c = rng.randint(1, 30)
    return infix([a * rng.randint(2, 12), "*", b * rng.randint(2, 12), rng.choice("+-"), c])


def products(low: int, high: int, low_right: int, high_right: int) -> Callable[[Random], Problem]:
    """a * b, each from its own range."""
    return lambda rng: infix([rng.randint(low, high), "*", rng.randint(low_right, high_right)])


def quotients(rng: Random) -> Problem:
    """a / b that comes out even."""
    b, c = rng.randint(2, 12), rng.randint(2, 12)
    return infix([b * c, "/", b])


def three_terms(rng: Random) -> Problem:
    """Three numbers up to 20 with + and -, never below zero on the way."""
    a, b = rng.randint(1, 20), rng.randint(1, 20)
    first = rng.choice("+-") if a >= b else "+"
    middle = a + b if first == "+" else a - b
    c = rng.randint(1, 20)
    return infix([a, first, b, rng.choice("+-") if middle >= c else "+", c])


def precedence(rng: Random) -> Problem:
    """a + b * c, a - b * c below zero at times, a + b / c."""
    b, c = rng.randint(2, 9), rng.randint(2, 9)
    if rng.random() < 0.25:
        return infix([rng.randint(1, 40), "+", b * c, "/", c])
    return infix([rng.randint(1, 90), rng.choice("+-"), b, "*", c])


def brackets(rng: Random) -> Problem:
    """(a + b) * c, a * (b - c), (a - b) / c."""
    a, b, c = rng.randint(2, 12), rng.randint(1, 9), rng.randint(2, 9)
    form = rng.randrange(4)
    if form == 0:
        return infix(["(", a, "+", b, ")", "*", c])
    if form == 1:
        return infix([c, "*", "(", a + b, "-", b, ")"])
    if form == 2:
        return infix(["(", a * c + b, "-", b, ")", "/", c])
    return infix([c, "*", "(", a, "+", b, ")"])


def mixed(rng: Random) -> Problem:
    """Four numbers with a product in the middle and one at an end: a - b * c + d, a * b + c * d."""
    a, b, c, d = (rng.randint(2, 12) for _ in range(4))
    if rng.random() < 0.5:
        return infix([a, "*", b, rng.choice("+-"), c, "*", d])
    return infix([rng.randint(1, 60), rng.choice("+-"), b, "*", c, rng.choice("+-"), rng.randint(1, 40)])


def two_brackets(rng: Random) -> Problem:
    """Two brackets that are multiplied, added or subtracted."""
    a, b, c, d = (rng.randint(1, 9) for _ in range(4))
    left: list[Term] = ["(", a + b, rng.choice("+-"), b, ")"]
    right: list[Term] = ["(", c, "+", d, ")"]
    if rng.random() < 0.5:
        return infix([*left, "*", *right])
    return infix([rng.randint(2, 9), "*", *left, "-", *right])


def long_expression(rng: Random) -> Problem:
    """Five numbers, a bracket, a product and a negative number."""
    a, b, c, d = (rng.randint(2, 12) for _ in range(4))
    e = -rng.randint(1, 30)
    first, second, third = rng.choice("+-"), rng.choice("+-"), rng.choice("+-")
    return infix([rng.randint(1, 60), first, a, "*", "(", b, second, c, ")", third, d, "+", e])


def product_and_sum(rng: Random) -> Problem:
    """A product of two numbers of two digits, and a number of three digits."""
    a, b = rng.randint(12, 99), rng.randint(12, 99)
    return infix([a, "*", b, rng.choice("+-"), rng.randint(100, 999)])


def remainders(low: int, high: int) -> Callable[[Random], Problem]:
    """The remainder of a number from a range, divided by one up to 9."""

    def make(rng: Random) -> Problem:
        a, b = rng.randint(low, high), rng.randint(3, 9)

        def solve(hand: Hand) -> str:
            if a < DOZENS * b:
                hand.write(f"{b}*{a // b}={a // b * b}")
                return str(hand.subtract(a, a // b * b))
            tens = a // (b * 10) * 10
            hand.write(f"{b}*{tens}={b * tens}")
            rest = hand.subtract(a, b * tens)
            if rest < b:
                return str(rest)
            hand.write(f"{b}*{rest // b}={rest // b * b}")
            return str(hand.subtract(rest, rest // b * b))

        return Problem("arithmetic", f"What is the remainder of {a} / {b}?", f"{a} mod {b}", solve)

    return make
