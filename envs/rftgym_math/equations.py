"""Linear equations in x, and systems of two of them in x and y."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from random import Random

from rftgym_math.problems import Hand, Problem

ONE = {"variables": ["x"]}
TWO = {"variables": ["x", "y"]}


def term(factor: int, variable: str) -> str:
    """3x, x, -x; nothing else for 0."""
    return {1: variable, -1: f"-{variable}"}.get(factor, f"{factor}{variable}")


def plus(number: int, variable: str = "") -> str:
    """A further term with its sign in front: " + 3", " - 2x", nothing for 0."""
    if not number:
        return ""
    size = term(abs(number), variable) if variable else str(abs(number))
    return f" {'+' if number > 0 else '-'} {size}"


def _less(left: int, right: int) -> str:
    """left minus right, written out: 20-5, 20+5."""
    return f"{left}-{right}" if right >= 0 else f"{left}+{-right}"


def _moved(hand: Hand, kept: int, moved: int) -> tuple[str, int]:
    """A term taken to the other side: how that is written, and what comes out; the slip keeps its sign."""
    sign = -1 if hand.slips("side") else 1
    return _less(kept, sign * moved), kept - sign * moved


def _divided(hand: Hand, factor: int, right: int, variable: str = "x") -> str:
    """The last step: factor * x = right."""
    value = Fraction(right, factor)
    if factor == 1:
        return str(right)
    quotient = f"{right}/{factor}" if factor > 0 else f"{right}/({factor})"
    hand.write(f"{variable}={quotient}" if quotient == str(value) else f"{variable}={quotient}={value}")
    return str(value)


def _equation(left: str, right: str, solve: Callable[[Hand], str]) -> Problem:
    return Problem("equations", f"{left} = {right}, x = ?", f"{left}={right}", solve, ONE)


def _nonzero(rng: Random, largest: int) -> int:
    return rng.choice((-1, 1)) * rng.randint(1, largest)


def one_step(rng: Random) -> Problem:
    """x + b = c."""
    b, x = _nonzero(rng, 20), rng.randint(-9, 20)

    def solve(hand: Hand) -> str:
        text, value = _moved(hand, x + b, b)
        hand.write(f"x={text}={value}")
        return str(value)

    return _equation(f"x{plus(b)}", str(x + b), solve)


def multiple(rng: Random) -> Problem:
    """a x = c."""
    a, x = rng.randint(2, 12), _nonzero(rng, 12)
    return _equation(term(a, "x"), str(a * x), lambda hand: _divided(hand, a, a * x))


def two_steps(low: int, high: int) -> Callable[[Random], Problem]:
    """a x + b = c with a solution from a range."""

    def make(rng: Random) -> Problem:
        a, b, x = rng.randint(2, 9), _nonzero(rng, 20), rng.randint(low, high)
        return _linear(a, b, a * x + b)

    return make


def _linear(a: int, b: int, c: int) -> Problem:
    def solve(hand: Hand) -> str:
        text, value = _moved(hand, c, b)
        hand.write(f"{term(a, 'x')}={text}={value}")
        return _divided(hand, a, value)

    return _equation(f"{term(a, 'x')}{plus(b)}", str(c), solve)


def fractional_solution(rng: Random) -> Problem:
    """a x + b = c whose solution is no whole number."""
    a, b = rng.randint(2, 9), _nonzero(rng, 20)
    right = rng.choice([each for each in range(-20, 31) if each % a])
    return _linear(a, b, right + b)


def both_sides(rng: Random) -> Problem:
    """a x + b = c x + d."""
    c, x = rng.randint(1, 6), rng.randint(-9, 12)
    a, b = c + rng.randint(1, 6), _nonzero(rng, 20)
    d = (a - c) * x + b

    def solve(hand: Hand) -> str:
        left, factor = _moved_factor(hand, a, c)
        text, value = _moved(hand, d, b)
        hand.write(f"{left}={text}")
        hand.write(f"{term(factor, 'x')}={value}")
        return _divided(hand, factor, value)

    return _equation(f"{term(a, 'x')}{plus(b)}", f"{term(c, 'x')}{plus(d)}", solve)


def _moved_factor(hand: Hand, kept: int, moved: int) -> tuple[str, int]:
    sign = -1 if hand.slips("side") else 1
    return (
        f"{term(kept, 'x')}{'-' if sign > 0 else '+'}{term(moved, 'x')}",
        kept - sign * moved,
    )


def bracket(rng: Random) -> Problem:
    """a(x + b) = c."""
    a, b, x = rng.randint(2, 9), _nonzero(rng, 9), rng.randint(-9, 12)

    def solve(hand: Hand) -> str:
        inner = x + b
        hand.write(f"x{plus(b).replace(' ', '')}={a * inner}/{a}={inner}")
        text, value = _moved(hand, inner, b)
        hand.write(f"x={text}={value}")
        return str(value)

    return _equation(f"{a}(x{plus(b)})", str(a * (x + b)), solve)


def quotient(rng: Random) -> Problem:
    """x/a + b = c."""
    a, b, q = rng.randint(2, 9), _nonzero(rng, 20), _nonzero(rng, 9)

    def solve(hand: Hand) -> str:
        text, value = _moved(hand, q + b, b)
        hand.write(f"x/{a}={text}={value}")
        hand.write(f"x={value}*{a}={value * a}")
        return str(value * a)

    return _equation(f"x/{a}{plus(b)}", str(q + b), solve)


def bracket_both_sides(rng: Random) -> Problem:
    """a(x + b) = c x + d."""
    c, b, x = rng.randint(1, 5), _nonzero(rng, 9), rng.randint(-9, 12)
    a = c + rng.randint(1, 5)
    d = a * (x + b) - c * x

    def solve(hand: Hand) -> str:
        hand.write(f"{term(a, 'x')}{plus(a * b).replace(' ', '')}={term(c, 'x')}{plus(d).replace(' ', '')}")
        left, factor = _moved_factor(hand, a, c)
        text, value = _moved(hand, d, a * b)
        hand.write(f"{left}={text}")
        hand.write(f"{term(factor, 'x')}={value}")
        return _divided(hand, factor, value)

    return _equation(f"{a}(x{plus(b)})", f"{term(c, 'x')}{plus(d)}", solve)


# ---- systems


def _system(
    first: str, second: str, solve: Callable[[Hand], tuple[int | Fraction, int | Fraction]]
) -> Problem:
    def answer(hand: Hand) -> str:
        x, y = solve(hand)
        return f"({x},{y})"

    return Problem("systems", f"{first}, {second}, (x, y) = ?", f"{first},{second}", answer, TWO)


def proportion(rng: Random) -> Problem:
    """y = k x, x + y = s."""
    k, x = rng.randint(2, 9), rng.randint(1, 12)
    total = x + k * x

    def solve(hand: Hand) -> tuple[int, int]:
        hand.write(f"{k + 1}x={total}")
        hand.write(f"x={total}/{k + 1}={x}")
        hand.write(f"y={k}*{x}={k * x}")
        return x, k * x

    return _system(f"y = {k}x", f"x + y = {total}", solve)


def sum_and_difference(rng: Random) -> Problem:
    """x + y = s, x - y = d."""
    x, y = rng.randint(1, 20), rng.randint(-9, 20)
    total, apart = x + y, x - y

    def solve(hand: Hand) -> tuple[int, Fraction | int]:
        sign = -1 if hand.slips("side") else 1
        hand.write(f"2x={_less(total, -apart)}={total + apart}")
        hand.write(f"x={total + apart}/2={x}")
        y_found = total - sign * x
        hand.write(f"y={_less(total, sign * x)}={y_found}")
        return x, y_found

    return _system(f"x + y = {total}", f"x - y = {apart}", solve)


def same_y(rng: Random) -> Problem:
    """a x + y = c, b x + y = d: one is taken from the other."""
    x, y = rng.randint(-6, 9), rng.randint(-9, 9)
    b = rng.randint(1, 4)
    a = b + rng.randint(1, 5)
    c, d = a * x + y, b * x + y

    def solve(hand: Hand) -> tuple[Fraction, Fraction]:
        sign = -1 if hand.slips("side") else 1
        hand.write(f"{term(a - b, 'x')}={_less(c, sign * d)}={c - sign * d}")
        x_found = Fraction(_divided(hand, a - b, c - sign * d))
        y_found = d - b * x_found
        hand.write(f"y={d}-{b}*{f'({x_found})' if x_found < 0 else x_found}={y_found}")
        return x_found, y_found

    return _system(f"{term(a, 'x')} + y = {c}", f"{term(b, 'x')} + y = {d}", solve)


def elimination(rng: Random) -> Problem:
    """a x + b y = c, d x + y = e: the second times b is taken from the first."""
    x, y = rng.randint(-6, 9), rng.randint(-6, 9)
    b, d = rng.randint(2, 5), rng.randint(1, 5)
    a = rng.choice([each for each in range(1, 10) if each != b * d])
    c, e = a * x + b * y, d * x + y

    def solve(hand: Hand) -> tuple[Fraction, Fraction]:
        sign = -1 if hand.slips("side") else 1
        hand.write(f"{term(d * b, 'x')}+{term(b, 'y')}={e}*{b}={e * b}")
        factor, right = a - d * b, c - sign * e * b
        hand.write(f"{term(factor, 'x')}={_less(c, sign * e * b)}={right}")
        x_found = Fraction(_divided(hand, factor, right))
        y_found = e - d * x_found
        hand.write(f"y={e}-{d}*{f'({x_found})' if x_found < 0 else x_found}={y_found}")
        return x_found, y_found

    return _system(f"{term(a, 'x')} + {term(b, 'y')} = {c}", f"{term(d, 'x')} + y = {e}", solve)
