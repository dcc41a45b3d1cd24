"""Arithmetic with fractions and decimals."""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from random import Random

from rftgym_math.problems import Hand, Problem, bracketed


def text_of(value: Fraction) -> str:
    """A fraction in lowest terms, a whole number without a denominator."""
    return str(value)


def reduced(top: int, bottom: int, hand: Hand) -> str:
    """A fraction in lowest terms; the reduction is a step of its own."""
    value = Fraction(top, bottom)
    if str(value) != f"{top}/{bottom}":
        hand.write(f"{top}/{bottom}={value}")
    return text_of(value)


def _proper(rng: Random, largest: int) -> Fraction:
    bottom = rng.randint(2, largest)
    return Fraction(rng.randint(1, bottom - 1), bottom)


def like_fractions(rng: Random) -> Problem:
    """a/n + b/n or a/n - b/n."""
    n = rng.randint(3, 15)
    a, b = rng.randint(1, 2 * n), rng.randint(1, n)
    operator = rng.choice("+-")

    def solve(hand: Hand) -> str:
        top = hand.operate(a, operator, b)
        hand.write(f"{a}/{n}{operator}{b}/{n}={top}/{n}")
        return reduced(top, n, hand)

    return Problem(
        "arithmetic",
        f"{a}/{n} {operator} {b}/{n} = ?",
        _fraction_key(f"{a}/{n}", operator, f"{b}/{n}"),
        solve,
    )


def _fraction_key(left: str, operator: str, right: str) -> str:
    return operator.join(sorted((left, right)) if operator in "+*" else (left, right))


def unlike_fractions(rng: Random) -> Problem:
    """A sum or difference of fractions with two denominators."""
    left = _proper(rng, 8)
    right = next(each for each in iter(lambda: _proper(rng, 8), None) if each.denominator != left.denominator)
    operator = rng.choice("+-")

    def solve(hand: Hand) -> str:
        n = lcm(left.denominator, right.denominator)
        tops = [each.numerator * (n // each.denominator) for each in (left, right)]
        for each, top in zip((left, right), tops, strict=True):
            if each.denominator != n:
                hand.write(f"{each}={top}/{n}")
        top = tops[0] + tops[1] if operator == "+" else tops[0] - tops[1]
        hand.write(f"{tops[0]}/{n}{operator}{tops[1]}/{n}={top}/{n}")
        return reduced(top, n, hand)

    return Problem(
        "arithmetic",
        f"{left} {operator} {right} = ?",
        _fraction_key(str(left), operator, str(right)),
        solve,
    )


def fraction_products(rng: Random) -> Problem:
    """a/b * c/d."""
    left, right = _proper(rng, 9), _proper(rng, 9)

    def solve(hand: Hand) -> str:
        top = hand.multiply(left.numerator, right.numerator)
        bottom = hand.multiply(left.denominator, right.denominator)
        hand.write(f"{left}*{right}={top}/{bottom}")
        return reduced(top, bottom, hand)

    return Problem("arithmetic", f"{left} * {right} = ?", _fraction_key(str(left), "*", str(right)), solve)


def fraction_quotients(rng: Random) -> Problem:
    """(a/b) / (c/d)."""
    left, right = _proper(rng, 9), _proper(rng, 9)

    def solve(hand: Hand) -> str:
        top = hand.multiply(left.numerator, right.denominator)
        bottom = hand.multiply(left.denominator, right.numerator)
        hand.write(f"({left})/({right})=({left})*({1 / right})={top}/{bottom}")
        return reduced(top, bottom, hand)

    return Problem("arithmetic", f"({left}) / ({right}) = ?", f"({left})/({right})", solve)


# ---- decimals


def decimal_text(units: int, places: int) -> str:
    """1250 hundredths as 12.5."""
    sign, digits = "-" if units < 0 else "", str(abs(units)).rjust(places + 1, "0")
    whole, part = digits[:-places], digits[-places:].rstrip("0")
    return f"{sign}{whole}.{part}" if part else f"{sign}{whole}"


def decimal_sums(rng: Random) -> Problem:
    """Decimals with one place, added or subtracted."""
    a, b = (rng.randint(1, 20) * 10 + rng.randint(1, 9) for _ in range(2))
    operator = rng.choice("+-")
    return _decimal(a, operator, b, 1, 1)


def uneven_decimals(rng: Random) -> Problem:
    """A decimal with one place and one with two, added or subtracted."""
    a = rng.randint(1, 20) * 10 + rng.randint(1, 9)
    b = rng.randint(1, 9) * 100 + rng.randint(1, 99)
    return _decimal(a, rng.choice("+-"), b, 1, 2)


def _decimal(a: int, operator: str, b: int, places: int, places_right: int) -> Problem:
    left, right = decimal_text(a, places), decimal_text(b, places_right)
    most = max(places, places_right)
    units = a * 10 ** (most - places), b * 10 ** (most - places_right)

    def solve(hand: Hand) -> str:
        result = hand.operate(units[0], operator, units[1])
        answer = decimal_text(result, most)
        hand.write(f"{left}{operator}{bracketed(right)}={answer}")
        return answer

    return Problem(
        "arithmetic", f"{left} {operator} {right} = ?", _fraction_key(left, operator, right), solve
    )


def decimal_products(rng: Random) -> Problem:
    """A decimal with one place times one digit, or times another one below 1."""
    a, b = rng.choice([each for each in range(2, 100) if each % 10]), rng.randint(2, 9)
    places = rng.choice((0, 1))
    left, right = decimal_text(a, 1), decimal_text(b, places) if places else str(b)

    def solve(hand: Hand) -> str:
        answer = decimal_text(hand.multiply(a, b), 1 + places)
        hand.write(f"{left}*{right}={answer}")
        return answer

    return Problem("arithmetic", f"{left} * {right} = ?", _fraction_key(left, "*", right), solve)
