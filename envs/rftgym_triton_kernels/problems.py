"""Problems: what a line of ``problems.jsonl`` or of a ``--tasks`` file says, checked.

A line: ``{"name", "signature", "doc", "reference", "cases": [[argument, ...], ...], "tol": {dtype: [rtol, atol]},
"layout_op"}`` and, if wanted, ``id``, ``split``, ``difficulty``, ``category``. An argument is a constant (number,
boolean, string, null, list of integers) or a tensor, see :class:`TensorArgument`.
"""

from __future__ import annotations

import ast
import keyword
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

from rftgym.env import TaskRow
from rftgym.syntax import parse
from rftgym.tasks import ListTaskset, read_jsonl
from rftgym.types import Task
from rftgym_triton_kernels.dtypes import FLOATS, DtypeName

Category = Literal["matrix", "activation", "element-wise", "reduction", "normalisation", "loss", "layout"]
Kind = Literal["normal", "uniform", "sign", "mask"]
Tolerance = tuple[float, float]
"""rtol, atol: a number ``got`` passes for ``want`` where ``|got - want| <= atol + rtol * |want|``."""

MOST_ELEMENTS: Final = 2**24
MOST_ELEMENTS_IN_ALL: Final = 2**26
"""Of all cases of a problem: they are drawn, referenced and kept in the judge's own memory."""
MOST_DIMENSIONS: Final = 8
LARGEST: Final = {"int64": 2**63, "int32": 2**31, "int16": 2**15, "int8": 2**7, "uint8": 2**8, "bool": 2}
DEFAULT_TOLERANCE: Final[dict[str, Tolerance]] = {
    # Triton passes a Python float to a kernel as float32, so that even a float64 kernel is good for seven digits only.
    "float64": (1e-6, 1e-8),
    # Sums over some hundred terms of size 1 fit; a detour through tf32 or float16 does not.
    "float32": (1e-4, 2e-5),
    # A few steps of the type: intermediate results may be rounded as well.
    "float16": (1e-2, 2e-3),
    "bfloat16": (2e-2, 1e-2),
}


class TensorArgument(BaseModel):
    """How a tensor argument is made; its values are drawn afresh for every judgement.

    Attributes:
        shape: sizes; 0 is allowed.
        dtype: of the elements; where it is missing, bool for a mask, else float32.
        t: ``make(shape).transpose(-1, -2)``, so the argument is not contiguous and ``shape`` is the shape before the
            transposition. A file may mean the shape after it: see :func:`rftgym_triton_kernels.cases.choose_reading`.
        scale: floats are ``value * scale + offset``.
        offset: see ``scale``; integers are moved by it too.
        high: integers are drawn from 0 to ``high - 1``.
        kind: values before ``scale`` and ``offset``: "normal" (mean 0, deviation 1), "uniform" (0 to 1), "sign" (-1 or
            1), "mask" (0 or 1).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    shape: tuple[Annotated[int, Field(ge=0)], ...] = Field(max_length=MOST_DIMENSIONS)
    dtype: DtypeName = "float32"
    t: bool = False
    scale: float = 1.0
    offset: float = 0.0
    high: int = Field(default=10, ge=1)
    kind: Kind = "normal"

    @model_validator(mode="before")
    @classmethod
    def _mask_is_bool(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("kind") == "mask" and "dtype" not in data:
            return {**data, "dtype": "bool"}
        return data

    @field_validator("scale", "offset")
    @classmethod
    def _finite(cls, value: float) -> float:
        if not math.isfinite(value):
            raise ValueError(f"{value} is not a finite number")
        return value

    @model_validator(mode="after")
    def _makes_sense(self) -> TensorArgument:
        if self.t and len(self.shape) < 2:
            raise ValueError(f"'t' transposes the last two dimensions, shape {list(self.shape)} has fewer")
        if math.prod(self.shape) > MOST_ELEMENTS:
            raise ValueError(f"shape {list(self.shape)} has more than {MOST_ELEMENTS:,} elements")
        if self.dtype != "bool" and self.high > LARGEST.get(self.dtype, self.high):
            raise ValueError(f"high={self.high} is too large for {self.dtype}")
        return self


def _sort_of(value: Any) -> str:
    """Which of the three sorts of arguments a JSON value is, so that an error speaks of one sort only."""
    if isinstance(value, dict | TensorArgument):
        return "tensor"
    return "integers" if isinstance(value, list | tuple) else "constant"


Constant = bool | int | float | str | None | tuple[int, ...]
ArgumentSpec = Annotated[
    Annotated[TensorArgument, Tag("tensor")]
    | Annotated[tuple[int, ...], Tag("integers")]
    | Annotated[bool | int | float | str | None, Tag("constant")],
    Discriminator(_sort_of),
]
Case = tuple[TensorArgument | Constant, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """A function to be written as a Triton kernel, and how an answer is judged.

    Attributes:
        name: of the function.
        signature: ``name(parameters)`` with the defaults.
        parameters: names in order.
        doc: what it does, in a sentence or two.
        reference: Python source that defines it; ``torch``, ``math`` and ``F`` (torch.nn.functional) are there.
        cases: arguments, by position; the last ones may be left to their defaults.
        tolerances: rtol and atol by the dtype of the result, where they differ from `DEFAULT_TOLERANCE`.
        layout_op: the function only moves data, so an answer must not leave the moving to torch.
        split: "train", "validation" or "test".
        difficulty: 0 to 1, or None.
        category: or None.
        swapped: ``t`` is read the other way: ``shape`` is the shape of the argument, after the transposition.
    """

    name: str
    signature: str
    parameters: tuple[str, ...]
    doc: str
    reference: str
    cases: tuple[Case, ...]
    tolerances: Mapping[str, Tolerance]
    layout_op: bool = False
    split: str = "train"
    difficulty: float | None = None
    category: Category | None = None
    swapped: bool = False

    def tolerance(self, dtype: str) -> Tolerance:
        """rtol and atol of a result of this dtype; integers and booleans are exact."""
        if dtype not in FLOATS:
            return 0.0, 0.0
        return self.tolerances.get(dtype, DEFAULT_TOLERANCE[dtype])


class ProblemRow(TaskRow):
    """A line of a problems file. The task's id is its name unless one is given."""

    name: str = Field(description="The function's name", examples=["softmax"])
    signature: str = Field(description="Name and parameters", examples=["softmax(x)"])
    doc: str = Field(default="", description="What it does, in a sentence or two")
    reference: str = Field(description="Python source that defines the function; may use torch")
    cases: tuple[tuple[ArgumentSpec, ...], ...] = Field(min_length=1, description="Arguments, case by case")
    tol: dict[Literal["float64", "float32", "float16", "bfloat16"], Tolerance] = Field(
        default_factory=dict, description="rtol and atol by the result's dtype"
    )
    layout_op: bool = Field(default=False, description="The function only moves data")
    category: Category | None = None

    @field_validator("name")
    @classmethod
    def _identifier(cls, name: str) -> str:
        if not name.isidentifier() or keyword.iskeyword(name):
            raise ValueError(f"{name!r} cannot be the name of a Python function")
        return name

    @field_validator("tol")
    @classmethod
    def _not_negative(cls, tol: dict[str, Tolerance]) -> dict[str, Tolerance]:
        for dtype, pair in tol.items():
            if not all(math.isfinite(each) and each >= 0 for each in pair):
                raise ValueError(f"{dtype}: rtol and atol are numbers from 0 on, not {list(pair)}")
        return tol

    @model_validator(mode="after")
    def _fits_together(self) -> ProblemRow:
        fewest, most = _arity(self.name, self.signature)
        for number, case in enumerate(self.cases):
            if not fewest <= len(case) <= most:
                wanted = f"{fewest}" if fewest == most else f"{fewest} to {most}"
                raise ValueError(
                    f"cases[{number}] has {len(case)} arguments, {self.signature!r} takes {wanted}"
                )
        _check_reference(self.name, self.reference)
        elements = sum(
            math.prod(each.shape) for case in self.cases for each in case if isinstance(each, TensorArgument)
        )
        if elements > MOST_ELEMENTS_IN_ALL:
            raise ValueError(
                f"cases: {elements:,} elements in all, at most {MOST_ELEMENTS_IN_ALL:,} are judged"
            )
        return self

    def task_id(self) -> str:
        """The name, where no id is given."""
        return self.id or self.name

    def problem(self) -> Problem:
        """The record that the judge works with."""
        return Problem(
            name=self.name,
            signature=self.signature,
            parameters=tuple(argument.arg for argument in _parameters(self.signature).args),
            doc=self.doc,
            reference=self.reference,
            cases=self.cases,
            tolerances={str(dtype): pair for dtype, pair in self.tol.items()},
            layout_op=self.layout_op,
            split=self.split,
            difficulty=self.difficulty,
            category=self.category,
        )


def problem_of(task: Task) -> Problem:
    """The problem that a task poses.

    Raises:
        pydantic.ValidationError: the task's data are not those of a `ProblemRow`.
    """
    return ProblemRow.model_validate(
        {**task.data, "split": task.split, "difficulty": task.difficulty}
    ).problem()


@lru_cache(maxsize=1)
def tasks() -> ListTaskset:
    """The bundled problems as tasks."""
    return ListTaskset(row.to_task() for row in _bundled())


@lru_cache(maxsize=1)
def problems() -> Mapping[str, Problem]:
    """The bundled problems by name, in the order of the file."""
    return {row.name: row.problem() for row in _bundled()}


@lru_cache(maxsize=1)
def _bundled() -> tuple[ProblemRow, ...]:
    data = resources.files("rftgym_triton_kernels") / "data" / "problems.jsonl"
    with resources.as_file(data) as path:
        return tuple(ProblemRow.model_validate(row) for _, row in read_jsonl(path))


def _parameters(signature: str) -> ast.arguments:
    """The parameters of ``name(a, b=1)``; annotations, ``def`` and the colon may be there.

    Raises:
        ValueError: it is no signature.
    """
    bare = signature.strip().removeprefix("def ").removesuffix(":")
    try:
        (definition,) = parse(f"def {bare}: ...").body
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"signature: {signature!r} does not read like 'softmax(x)'") from error
    if not isinstance(definition, ast.FunctionDef):  # pragma: no cover  # "def" begins nothing else
        raise ValueError(f"signature: {signature!r} does not read like 'softmax(x)'")
    found = definition.args
    if found.kwonlyargs or found.kwarg or found.posonlyargs:
        raise ValueError(
            f"signature: {signature!r} has parameters that cannot be passed by position and by name"
        )
    return found


def _arity(name: str, signature: str) -> tuple[int, float]:
    """The fewest and the most arguments that a signature takes."""
    found = _parameters(signature)
    called = signature.strip().removeprefix("def ").partition("(")[0].strip()
    if called != name:
        raise ValueError(f"signature: {signature!r} is not of {name!r}")
    return len(found.args) - len(found.defaults), math.inf if found.vararg else len(found.args)


def _check_reference(name: str, source: str) -> None:
    """Whether the source can be parsed and binds the name; it is run in the sandbox only."""
    try:
        tree = parse(source)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise ValueError(f"reference: not Python ({error})") from error
    bound: set[str] = set()
    for statement in tree.body:
        match statement:
            case ast.FunctionDef(name=found) | ast.ClassDef(name=found):
                bound.add(found)
            case ast.Assign(targets=targets):
                bound.update(target.id for target in targets if isinstance(target, ast.Name))
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                bound.update(alias.asname or alias.name for alias in names)
    if name not in bound:
        raise ValueError(f"reference: does not define {name!r}")
