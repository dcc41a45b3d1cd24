"""Names and descriptions of the functions to practise on."""

from __future__ import annotations

import keyword
import random
from collections.abc import Sequence
from typing import Final

WORDS: Final = [
    "row",
    "rows",
    "column",
    "columns",
    "matrix",
    "tensor",
    "tensors",
    "vector",
    "vectors",
    "element",
    "elements",
    "number",
    "numbers",
    "sum",
    "mean",
    "product",
    "largest",
    "smallest",
    "difference",
    "absolute",
    "square",
    "squared",
    "root",
    "share",
    "loss",
    "norm",
    "soft",
    "hard",
    "sign",
    "sine",
    "scaled",
    "shifted",
    "stable",
    "accurate",
    "contiguous",
    "reverse",
    "order",
    "result",
    "range",
    "limit",
    "error",
    "entropy",
    "cross",
    "binary",
    "logarithm",
    "triangle",
    "lower",
    "upper",
    "diagonal",
    "position",
    "first",
    "last",
    "mask",
    "boolean",
    "true",
    "false",
    "exact",
    "approximation",
    "function",
    "length",
    "Euclidean",
    "variance",
    "divided",
    "multiplied",
    "added",
    "times",
    "plus",
    "minus",
    "both",
    "each",
    "every",
    "other",
    "weight",
    "bias",
    "dtype",
    "inputs",
    "accumulated",
    "float32",
    "int64",
    "overflow",
    "large",
    "small",
    "negative",
    "positive",
    "must",
    "not",
    "where",
    "else",
    "with",
    "without",
    "from",
    "into",
    "than",
    "much",
    "and",
    "the",
    "for",
    "its",
    "they",
    "are",
    "of",
    "to",
    "by",
    "in",
    "it",
    "or",
    "an",
    "is",
    "on",
    "as",
    "at",
    "if",
    "gate",
    "clip",
    "mix",
    "blend",
    "ratio",
    "wave",
    "step",
    "bump",
    "ramp",
    "fold",
    "curve",
    "peak",
    "band",
    "tilt",
    "flat",
    "warp",
    "drift",
    "pulse",
    "shape",
    "level",
    "unit",
    "score",
    "label",
    "log",
    "exp",
    "max",
    "min",
    "abs",
    "sigmoid",
    "sqrt",
]
"""What names are made of and what descriptions hold; most of it is noise that a model has to read past."""
OPENINGS: Final = (
    "The element-wise",
    "The mean over each row of",
    "The sum of each row of a matrix",
    "Multiply each element by",
    "Divide each row of the matrix by",
    "Replace each element",
    "Limit each element to",
    "Subtract",
    "Add",
    "Move each element",
    "Go from",
    "With d =",
    "The",
)
SHAPES: Final = {
    "elements": (
        "element by element",
        "of the same shape",
        "of two tensors of the same shape",
        "three tensors of the same shape",
    ),
    "reduction": (
        "(rows, columns) to (rows,)",
        "over each row of a matrix",
        "in the dtype of x",
        "each row of a matrix",
    ),
    "normalised": ("each row of a matrix", "both (columns,)", "(columns,)", "stable for large elements"),
    "position": (
        "(rows, columns) to (columns, rows), contiguous",
        "of a matrix",
        "in reverse order",
        "above the diagonal",
    ),
    "outer": ("of two vectors", "(m,) and (n,) to (m, n)"),
    "product": ("of (m, k) and (k, n)", "accumulated in float32", "result in the dtype of the inputs"),
}
LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"


def function_name(chance: random.Random) -> str:
    """A name of words, of random letters, or of both run together."""
    style = chance.random()
    if style < 0.3:
        name = "_".join(chance.choices(WORDS, k=chance.choice((1, 2, 2, 3)))).lower()
    elif style < 0.6:
        name = "_".join(_letters(chance, 2, 8) for _ in range(chance.choice((1, 1, 2, 2, 3))))
    else:
        name = "_".join(_compound(chance) for _ in range(chance.choice((1, 1, 1, 2, 2, 3))))
    return f"{name}_of" if keyword.iskeyword(name) else name


def _letters(chance: random.Random, fewest: int, below: int) -> str:
    """Random letters, now and then with a digit at the end."""
    letters = "".join(chance.choices(LETTERS, k=chance.randrange(fewest, below)))
    return letters + (chance.choice("0123456789") if chance.random() < 0.15 else "")


def _compound(chance: random.Random) -> str:
    """Words and letters without anything between them."""
    units = [
        chance.choice(WORDS).lower() if chance.random() < 0.55 else _letters(chance, 1, 5)
        for _ in range(chance.choice((2, 2, 3)))
    ]
    name = "".join(units)
    return name if name[0].isalpha() else f"f{name}"


def describe(
    chance: random.Random, kind: str, parameters: Sequence[str], numbers: Sequence[str], result: str
) -> str:
    """A description that says which parameters are numbers, and is otherwise of little use."""
    parts = [chance.choice(OPENINGS)]
    if chance.random() < 0.3 and len(result) < 60:
        parts.append(result.replace("torch.", ""))
    tensors = [name for name in parameters if name not in numbers]
    for _ in range(chance.choice((0, 1, 2, 3))):
        parts.append(chance.choice(WORDS) if chance.random() < 0.7 else chance.choice(tensors))
    if numbers and chance.random() < 0.95:
        names = numbers[0] if len(numbers) == 1 else ", ".join(numbers[:-1]) + f" and {numbers[-1]}"
        plural = "numbers" if len(numbers) > 1 else "number"
        parts.append(
            chance.choice((f"the {plural} {names}", f"with {plural} {names}", f"{names} (a number)"))
        )
    parts.append(chance.choice(SHAPES[kind]))
    if chance.random() < 0.4:
        parts[-1] += chance.choice((";", ",", ":"))
        parts += chance.choices(WORDS, k=chance.randrange(1, 6))
    return " ".join(parts) + "."
