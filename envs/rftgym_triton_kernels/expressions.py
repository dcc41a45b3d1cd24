"""Random expressions in PyTorch: trees of element-wise functions over given leaves."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

UNARY: Final = (
    ("torch.exp({})", 5),
    ("torch.abs({})", 5),
    ("torch.sqrt({})", 4),
    ("torch.log({})", 3),
    ("torch.tanh({})", 4),
    ("torch.erf({})", 3),
    ("torch.sigmoid({})", 2),
    ("torch.sin({})", 1),
    ("torch.cos({})", 1),
    ("torch.rsqrt({})", 1),
    ("torch.square({})", 1),
    ("torch.log1p({})", 1),
    ("torch.expm1({})", 1),
    ("torch.floor({})", 0.5),
    ("torch.relu({})", 0.5),
    ("torch.clamp({}, min={c})", 3),
    ("torch.clamp({}, max={c})", 1),
    ("torch.clamp({}, {c}, {e})", 3),
    ("-({})", 3),
    ("1 / ({})", 2),
    ("torch.log(1 + torch.exp({}))", 2),
    ("torch.exp(-torch.abs({}))", 2),
    ("1 + torch.exp(-({}))", 2),
    ("1 + ({})", 3),
    ("({}) - 1", 2),
    ("1 - ({})", 2),
    ("{c} * ({})", 4),
    ("({}) / {c}", 3),
    ("({}) + {c}", 3),
    ("({}) - {c}", 2),
)
BINARY: Final = (
    ("({}) + ({})", 6),
    ("({}) - ({})", 5),
    ("({}) * ({})", 7),
    ("({}) / ({})", 4),
    ("torch.maximum({}, {})", 1),
    ("torch.minimum({}, {})", 1),
)
COMPARED: Final = ((">", 5), ("<", 5), (">=", 1), ("<=", 1))


def weighted(chance: random.Random, options: Sequence[tuple[str, float]]) -> str:
    """One of the options, by weight."""
    return chance.choices([text for text, _ in options], [weight for _, weight in options])[0]


def number(chance: random.Random) -> str:
    """A literal."""
    style = chance.random()
    if style < 0.4:
        return str(chance.choice((0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 6, 7, 8, 10)))
    if style < 0.7:
        return chance.choice(("0.5", "0.5", "0.25", "1.5", "0.1", "0.0", "1.0", "2.0", "0.2", "2.5", "0.75"))
    digits = chance.choice((1, 2, 3, 3, 4, 6, 10, 16))
    return (
        f"{chance.choice((0, 0, 0, 1, 1, 2, 3))}."
        + "".join(chance.choice("0123456789") for _ in range(digits - 1))
        + chance.choice("123456789")
    )


def wrapped(chance: random.Random, text: str, share: float) -> str:
    """With unary functions around it: one with the chance `share`, two with its square..."""
    while chance.random() < share:
        around = weighted(chance, UNARY)
        text = around.replace("{c}", number(chance)).replace("{e}", number(chance)).replace("{}", text)
        share *= 0.8
    return text


def expression(chance: random.Random, leaves: Sequence[str], share: float = 0.35) -> str:
    """A random tree over the leaves, in their order."""
    if len(leaves) == 1:
        return wrapped(chance, leaves[0], share)
    if len(leaves) >= 3 and chance.random() < 0.22:
        return wrapped(chance, choice_between(chance, leaves, share), share / 3)
    at = chance.randrange(1, len(leaves))
    one, two = expression(chance, leaves[:at], share), expression(chance, leaves[at:], share)
    joined = weighted(chance, BINARY).replace("{}", one, 1)
    start = joined.rindex("{}")
    return wrapped(chance, joined[:start] + two + joined[start + 2 :], share / 2)


def choice_between(chance: random.Random, leaves: Sequence[str], share: float) -> str:
    """torch.where over the leaves: the first one or two are compared."""
    compared = 2 if len(leaves) > 3 and chance.random() < 0.6 else 1
    right = leaves[1] if compared == 2 else number(chance)
    right = f"-{right}" if chance.random() < 0.15 else right
    rest = leaves[compared:]
    at = chance.randrange(1, len(rest)) if len(rest) > 1 else 1
    left, other = (
        expression(chance, rest[:at], share),
        expression(chance, rest[at:], share) if rest[at:] else number(chance),
    )
    if chance.random() < 0.3:
        left, other = other, left
    return f"torch.where({wrapped(chance, leaves[0], share / 4)} {weighted(chance, COMPARED)} {right}, {left}, {other})"


def leaves_of(chance: random.Random, needed: Sequence[str], pool: Sequence[str], count: int) -> list[str]:
    """`count` leaves or more: each of `needed` at least once, the rest from the pool, shuffled."""
    leaves = [*needed, *chance.choices(pool, k=max(0, count - len(needed)))]
    chance.shuffle(leaves)
    return leaves


def distinct(chance: random.Random, names: Sequence[str], count: int, taken: Sequence[str] = ()) -> list[str]:
    """Different names, none of those taken."""
    found: list[str] = []
    while len(found) < count:
        name = chance.choice(names)
        if name not in found and name not in taken:
            found.append(name)
    return found
