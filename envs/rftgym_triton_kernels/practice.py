"""Procedural functions to practise on: references like those of the problems, but other functions.

Function `i` of a series depends on (seed, i) alone. Expressions are drawn as random trees, so that the same function
hardly ever comes twice; `rftgym_triton_kernels.held_out` tells which of them happen to equal a held-out problem.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rftgym.syntax import parse_expression
from rftgym_triton_kernels.expressions import distinct, expression, leaves_of, weighted, wrapped
from rftgym_triton_kernels.practice_texts import describe, function_name
from rftgym_triton_kernels.templates import MASKS

TENSORS: Final = (
    "x",
    "x",
    "x",
    "x",
    "y",
    "z",
    "u",
    "v",
    "w",
    "a",
    "b",
    "pred",
    "target",
    "scores",
    "labels",
    "left",
    "right",
)
NUMBERS: Final = (
    "a",
    "b",
    "c",
    "alpha",
    "beta",
    "gamma",
    "low",
    "high",
    "lam",
    "eps",
    "delta",
    "slope",
    "value",
    "scale",
    "w",
)
LOCALS: Final = ("d", "e", "z", "t", "s", "h", "p", "q", "r", "g", "m", "u")
REDUCED: Final = (("sum", 5), ("mean", 5), ("amax", 3), ("amin", 2))
KINDS: Final = (
    ("elements", 58),
    ("reduction", 16),
    ("normalised", 14),
    ("position", 4),
    ("outer", 4),
    ("product", 4),
)


@dataclass(frozen=True, slots=True)
class Function:
    """A function to practise on.

    Attributes:
        name, signature, doc, reference: as a problem has them.
        numbers: the parameters that are no tensors.
    """

    name: str
    signature: str
    doc: str
    reference: str
    numbers: tuple[str, ...]


def practice(seed: int, index: int) -> Function:
    """Function number `index` of the series that belongs to `seed`."""
    chance = random.Random(f"rftgym-triton-kernels:practice:{seed}:{index}")
    kind = weighted(chance, KINDS)
    draw = {
        "elements": _elements,
        "reduction": _reduction,
        "normalised": _normalised,
        "position": _position,
        "outer": _outer,
        "product": _product,
    }[kind]
    parameters, numbers, lines, result = draw(chance)
    name = function_name(chance)
    body = [f"{local} = {_plain(value)}" for local, value in lines] + [f"return {_plain(result)}"]
    signature = f"{name}({', '.join(parameters)})"
    reference = f"def {signature}:\n    " + "\n    ".join(body) + "\n"
    doc = describe(chance, kind, parameters, numbers, body[-1].removeprefix("return "))
    return Function(name, signature, doc, reference, tuple(numbers))


Drawn = tuple[list[str], list[str], list[tuple[str, str]], str]
"""Parameters, those which are numbers, assignments, and the result."""


def _plain(text: str) -> str:
    """Without needless parentheses."""
    return ast.unparse(parse_expression(text))


def _arguments(
    chance: random.Random, tensors: Sequence[int], numbers: Sequence[int]
) -> tuple[list[str], list[str], list[str]]:
    """Parameters in the order of the signature, the tensors and the numbers among them; how many by weights."""
    some = distinct(chance, TENSORS, chance.choices(range(1, len(tensors) + 1), tensors)[0])
    if some == ["y"] or some == ["z"]:
        some = ["x"]
    others = distinct(chance, NUMBERS, chance.choices(range(len(numbers)), numbers)[0], some)
    if chance.random() < 0.85:
        return [*some, *others], some, others
    mixed = [*some, *others]
    chance.shuffle(mixed)
    return mixed, [name for name in mixed if name in some], [name for name in mixed if name in others]


def _elements(chance: random.Random) -> Drawn:
    parameters, tensors, numbers = _arguments(chance, (48, 32, 16, 4), (53, 26, 13, 8))
    lines, pool, needed = list[tuple[str, str]](), [*tensors, *tensors, *numbers], list(parameters)
    count = chance.choices((1, 2, 3, 4, 5, 6, 7, 8), (6, 14, 22, 22, 16, 11, 7, 4))[0]
    if chance.random() < 0.12:
        mask = chance.choice(sorted(MASKS))
        left = expression(chance, leaves_of(chance, tensors, pool, len(tensors)), 0.2)
        other = expression(chance, leaves_of(chance, numbers, pool, 1), 0.2)
        pair = [left, other]
        chance.shuffle(pair)
        at = chance.choice((0, len(parameters)))
        return (
            [*parameters[:at], mask, *parameters[at:]],
            numbers,
            [],
            f"torch.where({mask}, {pair[0]}, {pair[1]})",
        )
    if chance.random() < 0.3:
        (local,) = distinct(chance, LOCALS, 1, parameters)
        first = needed if chance.random() < 0.5 else needed[: chance.randrange(1, len(needed) + 1)]
        if any(name in tensors for name in first):
            lines = [(local, expression(chance, leaves_of(chance, first, first, len(first)), 0.4))]
            needed = [local, *(name for name in needed if name not in first)]
            pool = [local, local, *parameters]
    return parameters, numbers, lines, expression(chance, leaves_of(chance, needed, pool, count))


def _reduced(chance: random.Random, inner: str, keep: bool) -> str:
    return f"torch.{weighted(chance, REDUCED)}({inner}, dim=-1{', keepdim=True' if keep else ''})"


def _wide(chance: random.Random, needed: Sequence[str], pool: Sequence[str], share: float = 0.3) -> str:
    """An expression with one value a column, mostly small."""
    count = chance.choices((1, 2, 3, 4), (30, 45, 18, 7))[0]
    return expression(chance, leaves_of(chance, needed, pool, count), share)


def _reduction(chance: random.Random) -> Drawn:
    parameters, tensors, numbers = _arguments(chance, (58, 42), (80, 20))
    (local,) = distinct(chance, LOCALS, 1, parameters)
    style = chance.random()
    if style < 0.12:
        name = chance.choice(("argmin", "argmin", "argmax"))
        return parameters, numbers, [], f"torch.{name}({_wide(chance, parameters, parameters)}, dim=-1)"
    if style < 0.45:
        result = _reduced(chance, _wide(chance, parameters, tensors), keep=False)
        return parameters, numbers, [], wrapped(chance, result, 0.3)
    if style < 0.6:
        lines = [(local, _wide(chance, parameters, tensors))]
        result = _reduced(chance, _wide(chance, [local], [local, local, *tensors]), keep=False)
        return parameters, numbers, lines, wrapped(chance, result, 0.25)
    if style < 0.8:
        middle = _reduced(chance, _wide(chance, tensors[:1], tensors, 0.15), keep=True)
        lines = [(local, expression(chance, leaves_of(chance, [*parameters, middle], [tensors[0]], 2), 0.2))]
        result = _reduced(chance, _wide(chance, [local], [local, local, *tensors]), keep=False)
        return parameters, numbers, lines, wrapped(chance, result, 0.25)
    lines = [(local, _reduced(chance, _wide(chance, tensors[:1], tensors, 0.15), keep=False))]
    inner = expression(chance, leaves_of(chance, [*parameters, f"{local}[:, None]"], [tensors[0]], 2), 0.3)
    result = wrapped(chance, _reduced(chance, inner, keep=False), 0.4)
    return parameters, numbers, lines, expression(chance, leaves_of(chance, [local, result], [local], 2), 0.1)


def _normalised(chance: random.Random) -> Drawn:
    parameters, tensors, numbers = _arguments(chance, (78, 22), (50, 42, 8))
    vectors = distinct(
        chance,
        ("weight", "bias", "weight", "bias", "gain", "shift", "center"),
        chance.choices((0, 1, 2), (50, 28, 22))[0],
    )
    parameters = [*tensors, *vectors, *numbers] if chance.random() < 0.9 else [*vectors, *tensors, *numbers]
    lines = list[tuple[str, str]]()
    base, pool = tensors[0], list(tensors)
    if chance.random() < 0.6:
        (base,) = distinct(chance, LOCALS, 1, parameters)
        middle = _reduced(chance, _wide(chance, tensors[:1], tensors, 0.15), keep=True)
        leaves = leaves_of(chance, [*tensors, middle], tensors, 2) if chance.random() < 0.8 else list(tensors)
        lines, pool = [(base, expression(chance, leaves, 0.3))], [base]
    inner = _wide(chance, [base] if lines else tensors, pool, 0.2)
    reduced = _reduced(chance, inner, keep=True)
    while numbers and chance.random() < 0.7 and numbers[0] not in reduced:
        reduced = f"{reduced} + {numbers[0]}"
    reduced = wrapped(chance, reduced, 0.4)
    missing = [name for name in (*numbers, *vectors) if name not in reduced]
    core = (
        f"({base}) {chance.choice('//-*+')} ({reduced})"
        if chance.random() < 0.7
        else expression(chance, leaves_of(chance, [base, reduced], pool, 2), 0.2)
    )
    for name in missing:
        core = (
            f"({core}) {chance.choice('**+-/')} {name}"
            if chance.random() < 0.8
            else f"{name} {chance.choice('*+-')} ({core})"
        )
    return parameters, numbers, lines, wrapped(chance, core, 0.1)


def _position(chance: random.Random) -> Drawn:
    (x,) = distinct(chance, TENSORS, 1)
    numbers = distinct(chance, NUMBERS, 1, [x]) if chance.random() < 0.15 else []
    inner = (
        x
        if chance.random() < 0.4 and not numbers
        else expression(chance, leaves_of(chance, [x, *numbers], [x], chance.choice((1, 2))), 0.4)
    )
    style = chance.random()
    if style < 0.45:
        diagonal = chance.choice(("", ", 1", ", 2", ", -1", ", -2", ", 3"))
        return [x, *numbers], numbers, [], f"torch.{chance.choice(('tril', 'triu'))}({inner}{diagonal})"
    if style < 0.75:
        ending = chance.choice(
            (".transpose(0, 1).contiguous()", ".transpose(0, 1)", ".t()", ".t().contiguous()")
        )
        return [x, *numbers], numbers, [], f"({inner}){ending}"
    return (
        [x, *numbers],
        numbers,
        [],
        f"torch.flip({inner}, dims=[{chance.choice(('0', '1', '-1', '0, 1'))}])",
    )


def _outer(chance: random.Random) -> Drawn:
    x, y = distinct(chance, TENSORS, 2)
    numbers = distinct(chance, NUMBERS, 1, [x, y]) if chance.random() < 0.2 else []
    down, across = (x, y) if chance.random() < 0.8 else (y, x)
    needed = [f"{down}[:, None]", f"{across}[None, :]", *numbers]
    leaves = (
        needed if chance.random() < 0.6 else leaves_of(chance, needed, needed, chance.choice((2, 2, 3, 4)))
    )
    return [x, y, *numbers], numbers, [], expression(chance, leaves, 0.25)


def _product(chance: random.Random) -> Drawn:
    a, b = ("a", "b") if chance.random() < 0.5 else distinct(chance, TENSORS, 2)
    numbers = distinct(chance, NUMBERS, 1, [a, b]) if chance.random() < 0.25 else []
    turned = chance.choice(("", "", "a", "b"))
    left = f"{a}.transpose(0, 1)" if turned == "a" else a
    right = f"{b}.transpose(0, 1)" if turned == "b" else b
    product = f"({left} @ {right})"
    return (
        [a, b, *numbers],
        numbers,
        [],
        expression(chance, leaves_of(chance, [product, *numbers], [], 1), 0.4),
    )
