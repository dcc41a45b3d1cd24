"""Problems without end: element-wise formulas and row-wise reductions, composed at random, in five levels.

Level 1 is one or two element-wise operations, 2 three or four, 3 five to seven; 4 is a reduction over each row, with
something computed before or after it; 5 normalises each row by one or two reductions. What comes out is numerically
tame (see :mod:`rftgym_triton_kernels.tameness`), depends on each of its parameters, and is none of the functions held
out for validation and test (see :mod:`rftgym_triton_kernels.twins`).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from rftgym.errors import UsageError
from rftgym.syntax import parse
from rftgym.tasks import ProceduralTaskset, Taskset
from rftgym.types import Task
from rftgym_triton_kernels import twins
from rftgym_triton_kernels.problems import ProblemRow, problems
from rftgym_triton_kernels.tameness import Grade, grade

LEVELS: Final = (1, 2, 3, 4, 5)
DIFFICULTY: Final = {1: 0.1, 2: 0.25, 3: 0.4, 4: 0.5, 5: 0.65}
TOLERANCE: Final = {"float32": [2e-5, 1e-5], "float16": [1e-2, 4e-3], "bfloat16": [3e-2, 3e-2]}
MOST_TRIES: Final = 1000

TENSORS: Final = (
    ("x", "y", "z"),
    ("a", "b", "c"),
    ("u", "v", "w"),
    ("p", "q", "r"),
    ("left", "right", "other"),
)
NUMBERS: Final = (("alpha", "beta"), ("scale", "shift"), ("s", "t"), ("gain", "bias"), ("k", "m"))
LOCALS: Final = ("d", "e", "f", "g", "h", "i", "j", "l", "n", "o")
CONSTANTS: Final = ("0.1", "0.25", "0.5", "1.5", "2.0", "3.0", "4.0")

UNARY: Final = {
    "abs": "torch.abs({0})",
    "neg": "-{0}",
    "twice": "2.0 * {0}",
    "part": "{c} * {0}",
    "shift": "{0} + {c}",
    "below": "{0} - {c}",
    "one_minus": "1 - {0}",
    "square": "{0} * {0}",
    "cube": "{0} * {0} * {0}",
    "root": "torch.sqrt(torch.abs({0}))",
    "root_one": "torch.sqrt(1 + {0} * {0})",
    "recip": "1 / (1 + torch.abs({0}))",
    "recip_square": "1 / (1 + {0} * {0})",
    "decay": "torch.exp(-torch.abs({0}))",
    "bell": "torch.exp(-{0} * {0})",
    "grow": "torch.exp(torch.clamp({0}, max={c}))",
    "log": "torch.log(1 + torch.abs({0}))",
    "log_square": "torch.log(1 + {0} * {0})",
    "sin": "torch.sin({0})",
    "cos": "torch.cos({0})",
    "tanh": "torch.tanh({0})",
    "sigmoid": "1 / (1 + torch.exp(-{0}))",
    "gate": "{0} / (1 + torch.exp(-{0}))",
    "logistic": "torch.sigmoid({0})",
    "erf": "torch.erf({0})",
    "positive": "torch.clamp({0}, min=0)",
    "negative": "torch.clamp({0}, max=0)",
    "limit": "torch.clamp({0}, -{c}, {c})",
    "relu": "torch.where({0} > 0, {0}, 0.0)",
    "bent": "torch.where({0} > 0, {0}, {c} * {0})",
    "kink": "torch.where({0} < 0, {0} * {0}, {c} * {0})",
    "far": "torch.where(torch.abs({0}) > {c}, torch.abs({0}) - {c}, 0.0)",
}
BINARY: Final = {
    "add": "{0} + {1}",
    "sub": "{0} - {1}",
    "mul": "{0} * {1}",
    "ratio": "{0} / (1 + torch.abs({1}))",
    "over": "{0} / torch.sqrt(1 + {1} * {1})",
    "max": "torch.maximum({0}, {1})",
    "min": "torch.minimum({0}, {1})",
    "gated": "{0} / (1 + torch.exp(-{1}))",
    "mixed": "{0} + {c} * ({1} - {0})",
    "length": "torch.sqrt({0} * {0} + {1} * {1})",
    "gap": "torch.abs({0} - {1})",
}
REDUCED: Final = {
    "sum": "torch.sum({0}, dim=-1{k})",
    "mean": "torch.mean({0}, dim=-1{k})",
    "max": "torch.amax({0}, dim=-1{k})",
    "min": "torch.amin({0}, dim=-1{k})",
}
INDEX: Final = {"argmax": "torch.argmax({0}, dim=-1)", "argmin": "torch.argmin({0}, dim=-1)"}
NORMALISED: Final = {
    "centred": "{0} - {r}",
    "shared": "{0} / (1 + torch.abs({r}))",
    "scaled": "{0} * {r}",
    "moved": "torch.exp(-torch.abs({0} - {r}))",
    "standing": "torch.where({0} > {r}, {0} - {r}, 0.0)",
    "weighed": "{0} / torch.sqrt(1 + {r} * {r})",
    "rooted": "{0} / torch.sqrt(torch.abs({r}) + {c})",
    "squashed": "1 / (1 + torch.exp({r} - {0}))",
}
AFTERWARDS: Final = (
    "abs",
    "twice",
    "part",
    "shift",
    "root",
    "root_one",
    "recip",
    "log",
    "tanh",
    "sigmoid",
    "bent",
)


@dataclass(slots=True)
class _Draft:
    """A function under construction: the statements before its return, and the operations that went into it."""

    rng: Random
    tensors: tuple[str, ...]
    numbers: tuple[str, ...]
    statements: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def leaf(self) -> str:
        """A tensor."""
        return self.rng.choice(self.tensors)

    def constant(self) -> str:
        """A number: a parameter where there is one, else a constant."""
        if self.numbers and self.rng.random() < 0.7:
            return self.rng.choice(self.numbers)
        return self.rng.choice(CONSTANTS)

    def named(self, text: str) -> str:
        """A name for a value that is used more than once."""
        if text.isidentifier() or _is_number(text):
            return text
        taken = {*self.tensors, *self.numbers}
        free = [name for name in LOCALS if name not in taken]
        name = free[len(self.statements) % len(free)]
        self.statements.append(f"{name} = {text}")
        return name

    def apply(self, word: str, template: str, *operands: str) -> str:
        """An operation on operands; one that it mentions twice gets a name first."""
        self.words.append(word)
        filled = [
            self.named(operand) if template.count(f"{{{place}}}") > 1 else f"({operand})"
            for place, operand in enumerate(operands)
        ]
        return template.format(*filled, c=self.constant() if "{c}" in template else "")

    def formula(self, operations: int, start: str | None = None) -> str:
        """An element-wise formula of so many operations."""
        value = self.leaf() if start is None else start
        for number in range(operations):
            if self.rng.random() < (0.5 if len(self.tensors) > 1 else 0.15):
                other = self.leaf()
                if operations - number > 2 and self.rng.random() < 0.3:
                    other = self.apply(*self.rng.choice(list(UNARY.items())), other)
                pair = [value, other]
                self.rng.shuffle(pair)
                value = self.apply(*self.rng.choice(list(BINARY.items())), *pair)
            else:
                value = self.apply(*self.rng.choice(list(UNARY.items())), value)
        return value

    def reduced(self, operations: int) -> str:
        """Level 4: a reduction, perhaps with something after it."""
        before = self.formula(operations)
        if operations <= 1 and self.rng.random() < 0.15:
            return self.apply(*self.rng.choice(list(INDEX.items())), before)
        word, template = self.rng.choice(list(REDUCED.items()))
        value = self.apply(word, template.replace("{k}", ""), before)
        if self.rng.random() < 0.4:
            after = self.rng.choice(AFTERWARDS)
            value = self.apply(after, UNARY[after], value)
        return value

    def normalised(self) -> str:
        """Level 5: each row with the help of one or two of its reductions."""
        value = self.formula(self.rng.randint(0, 1))
        for _ in range(self.rng.randint(1, 2)):
            value = self.named(value)
            inner = self.formula(1, value) if self.rng.random() < 0.4 else value
            word, template = self.rng.choice(list(REDUCED.items()))
            whole = self.apply(word, template.replace("{k}", ", keepdim=True"), inner)
            word, template = self.rng.choice(list(NORMALISED.items()))
            twice = template.count("{r}") > 1
            row = self.named(whole) if twice or self.rng.random() < 0.5 else f"({whole})"
            value = self.apply(word, template.replace("{r}", row), value)
        return self.formula(1, value) if self.rng.random() < 0.3 else value


def generated(levels: Sequence[int] = LEVELS) -> ProceduralTaskset:
    """Generated problems; their only split is "train".

    Args:
        levels: among which each problem's is drawn.

    Raises:
        UsageError: there is no such level, or none is given.
    """
    wanted = tuple(levels)
    if not wanted or not set(wanted) <= set(LEVELS):
        raise UsageError(f"levels {list(wanted)}; they are some of {', '.join(map(str, LEVELS))}")

    def generate(split: str, rng: Random, id: str) -> Task:
        data = row(rng, rng.choice(wanted)).to_task()
        return Task(id, data.data, split, data.difficulty)

    return ProceduralTaskset(generate, splits=("train",))


class MeasuredOnBattery(Taskset):
    """Generated problems to train on, and the battery's own to be measured on; no generated one is a twin of those.

    Args:
        practice: with the one split "train".
        battery: whose splits "validation" and "test" are taken.
    """

    def __init__(self, practice: Taskset, battery: Taskset) -> None:
        self._practice, self._battery = practice, battery

    def size(self, split: str) -> int | None:
        """None for "train", which has no end."""
        return self._of(split).size(split)

    def item(self, split: str, index: int, seed: int = 0) -> Task:
        """A generated problem, or one of the battery's."""
        return self._of(split).item(split, index, seed)

    def by_id(self, id: str) -> Task:
        """The task of an id; the battery's own problems to train on are none of these.

        Raises:
            UsageError: there is no such task.
        """
        try:
            found = self._battery.by_id(id)
        except UsageError:
            return self._practice.by_id(id)
        return self._practice.by_id(id) if found.split == "train" else found

    def _of(self, split: str) -> Taskset:
        return self._practice if split == "train" else self._battery


def row(rng: Random, level: int) -> ProblemRow:
    """A problem of a level, as a line of a problems file.

    Raises:
        UsageError: no problem was found, which does not happen with the operations that there are.
    """
    for _ in range(MOST_TRIES):
        found = _attempt(rng, level)
        if found is not None:
            return found
    raise UsageError(f"no problem of level {level} in {MOST_TRIES} tries")


def _attempt(rng: Random, level: int) -> ProblemRow | None:
    """A problem, or None where what was drawn is no good."""
    draft = _Draft(
        rng,
        rng.choice(TENSORS)[: rng.choice((1, 1, 2, 2, 3) if level in {2, 3} else (1, 1, 2))],
        rng.choice(NUMBERS)[: rng.choice((0, 0, 0, 1, 2) if level > 1 else (0, 0, 1))],
    )
    value = _value(draft, level)
    name, reference = _written(draft, value)
    parameters = [*draft.tensors, *draft.numbers]
    body = reference.partition(":\n")[2]
    if "--" in body or "- -" in body or not set(parameters) <= set(re.findall(r"\w+", body)):
        return None
    tensors = [True] * len(draft.tensors) + [False] * len(draft.numbers)
    numbers = [rng.choice((0.25, 0.5, 0.75, 1.5, 2.0, 3.0)) for _ in draft.numbers]
    rows = level >= 4
    found = grade(reference, name, tensors, numbers, TOLERANCE)
    if found is None or twins.twin(
        reference, name, ["tensor" if each else "number" for each in tensors], numbers
    ):
        return None
    return ProblemRow.model_validate(
        {
            "name": name,
            "signature": f"{name}({', '.join(parameters)})",
            "doc": _doc(level, found),
            "reference": reference,
            "cases": (_row_cases if rows else _flat_cases)(rng, len(draft.tensors), numbers, found),
            "tol": {} if found.index else TOLERANCE,
            "difficulty": DIFFICULTY[level],
            "category": ("reduction" if found.reduces else "normalisation") if rows else "element-wise",
        }
    )


def _value(draft: _Draft, level: int) -> str:
    rng = draft.rng
    if level <= 3:
        return draft.formula(rng.randint(*{1: (1, 2), 2: (3, 4), 3: (5, 7)}[level]))
    return draft.reduced(rng.randint(0, 3)) if level == 4 else draft.normalised()


def _written(draft: _Draft, value: str) -> tuple[str, str]:
    """Name and source, with no more parentheses than needed."""
    words = [word for index, word in enumerate(draft.words) if word not in draft.words[:index]]
    name = "_".join(words[-3:])
    if name in {*problems(), *draft.tensors, *draft.numbers} or not name.isidentifier() or "_" not in name:
        name = f"{name}_{draft.rng.choice(('of', 'fn', 'op', 'rows', 'fused'))}"
    lines = [*draft.statements, f"return {value}"]
    body = "".join(f"    {ast.unparse(parse(line))}\n" for line in lines)
    return name, f"def {name}({', '.join((*draft.tensors, *draft.numbers))}):\n{body}"


def _doc(level: int, found: Grade) -> str:
    if level <= 3:
        return "Element by element; tensors of the same shape."
    if found.index:
        return "One column number (int64) a row: (rows, columns) to (rows,)."
    return (
        "One value a row: (rows, columns) to (rows,)."
        if found.reduces
        else "Row by row: (rows, columns) to the same."
    )


def _flat_cases(rng: Random, tensors: int, numbers: Sequence[float], found: Grade) -> list[list[Any]]:
    """Odd sizes, other dtypes, one element, none, a transposed input, a larger magnitude: what the grade allows."""
    wide, tall = rng.randint(17, 60), rng.randint(17, 60)
    shapes: list[dict[str, Any]] = [
        {"shape": [rng.randint(700, 3000)]},
        {"shape": [wide, tall]},
        *({"shape": [rng.randint(1100, 3000)], "dtype": "float16"} for _ in range(found.float16)),
        *({"shape": [3, 7, rng.randint(40, 90)], "dtype": "bfloat16"} for _ in range(found.bfloat16)),
        {"shape": [1]},
        {"shape": [0]},
        *({"shape": [5, rng.randint(300, 600)], "scale": found.scale} for _ in range(found.scale > 1)),
    ]
    cases = [[dict(shape) for _ in range(tensors)] + list(numbers) for shape in shapes]
    cases[1][0] = {"shape": [tall, wide], "t": True}
    return cases


def _row_cases(rng: Random, tensors: int, numbers: Sequence[float], found: Grade) -> list[list[Any]]:
    wide, tall = rng.randint(17, 60), rng.randint(17, 60)
    shapes: list[dict[str, Any]] = [
        {"shape": [rng.randint(17, 40), rng.randint(65, 130)]},
        {"shape": [rng.randint(41, 70), rng.randint(5, 15)]},
        {"shape": [wide, tall]},
        *(
            {"shape": [rng.randint(9, 20), rng.randint(33, 257)], "dtype": "float16"}
            for _ in range(found.float16)
        ),
        *({"shape": [rng.randint(9, 20), 64], "dtype": "bfloat16"} for _ in range(found.bfloat16)),
        {"shape": [0, 33]},
        *({"shape": [7, rng.randint(33, 300)], "scale": found.scale} for _ in range(found.scale > 1)),
    ]
    cases = [[dict(shape) for _ in range(tensors)] + list(numbers) for shape in shapes]
    cases[2][0] = {"shape": [tall, wide], "t": True}
    return cases


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[0-9.]+", text) is not None
