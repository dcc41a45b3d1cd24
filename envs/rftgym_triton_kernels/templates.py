"""Templates of kernels for element-wise functions and for functions of rows, and what all templates share.

An element-wise function gets one program for 1024 elements; a function of rows (reductions and normalisations over the
last dimension) one program a row. Everything is computed in float32 and converted by the store.
"""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from rftgym.syntax import parse
from rftgym_triton_kernels.pieces import Piece, Slip, own
from rftgym_triton_kernels.translate import (
    OWN_FUNCTIONS,
    Translation,
    Translator,
    Untranslatable,
)

IMPORTS: Final = "<kernel>\nimport torch\nimport triton\nimport triton.language as tl\n\n@triton.jit\n"
MASKS: Final = frozenset({"mask", "keep", "cond", "flag"})
"""Names of arguments that hold booleans."""
FLAT_INDEX: Final = "\n    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)"


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference, taken apart.

    Attributes:
        signature: name and parameters as they are written.
        parameters: names in order.
        numbers: the parameters that are no tensors.
        locals: names and values of the assignments before the result.
        result: what is returned.
    """

    signature: str
    parameters: tuple[str, ...]
    numbers: frozenset[str]
    locals: tuple[tuple[str, ast.expr], ...]
    result: ast.expr

    @property
    def tensors(self) -> tuple[str, ...]:
        """The parameters that are tensors."""
        return tuple(name for name in self.parameters if name not in self.numbers)


def read_reference(signature: str, source: str, numbers: Collection[str]) -> Reference:
    """Take a reference apart.

    Args:
        signature: as a problem has it.
        source: one function of assignments to names and one return.
        numbers: names of the parameters that are no tensors.
    Raises:
        Untranslatable: it is something else.
    """
    match parse(source).body:
        case [ast.FunctionDef(args=args, body=[*assigned, ast.Return(value=ast.expr() as result)])]:
            pass
        case _:
            raise Untranslatable("not one function that ends with a return")
    values = []
    for line in assigned:
        match line:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                values.append((name, value))
            case _:
                raise Untranslatable(ast.unparse(line))
    names = tuple(argument.arg for argument in args.args)
    return Reference(signature, names, frozenset(numbers), tuple(values), result)


def write_elements(reference: Reference) -> list[Piece]:
    """An element-wise function."""
    at = [Piece("_ptr + i")]
    loads = [piece for name in reference.tensors for piece in load(name, at)]
    body, result, used = translated(reference, dict.fromkeys(reference.tensors, True), rows=False)
    like = next((name for name in reference.tensors if name not in MASKS), reference.tensors[0])
    return [
        *head(used),
        *parameters(reference, "n, "),
        *flat_index(),
        *loads,
        *body,
        *store([Piece("\n    tl.store(out_ptr + i, ")], result, wide=True),
        *opening(reference),
        Piece("\n    out = torch.empty_like("),
        own(like),
        Piece(")"),
        *flat_launch(reference, Piece(", out, n")),
    ]


def write_rows(reference: Reference) -> list[Piece]:
    """A function of the rows of matrices: a reduction, or a normalisation by reductions."""
    vectors = {name for name in reference.tensors if name in VECTORS}
    loads = []
    for name in reference.tensors:
        at = "_ptr + j" if name in vectors else "_ptr + row * cols + j"
        loads += load(name, [Piece(at)], other=", other=0.0")
    body, result, used = translated(reference, dict.fromkeys(reference.tensors, True), rows=True)
    x = reference.tensors[0]
    if result.wide:
        place = Piece(
            "\n    tl.store(out_ptr + row * cols + j, ", (Slip("place", "\n    tl.store(out_ptr + j, "),)
        )
        out = [Piece("\n    out = torch.empty_like("), own(x), Piece(")")]
    else:
        place = Piece(
            "\n    tl.store(out_ptr + row, ", (Slip("place", "\n    tl.store(out_ptr + row * cols, "),)
        )
        out = [Piece("\n    out = torch.empty("), own(x), Piece(".shape[:-1], dtype=")]
        dtype = [Piece("torch.int64, device=")] if result.index else [own(x), Piece(".dtype, device=")]
        out += [*dtype, own(x), Piece(".device)")]
    return [
        *head(used),
        *parameters(reference, "cols, "),
        Piece(
            "\n    row = tl.program_id(0)",
            (Slip("index", "\n    row = tl.program_id(1)"), Slip("index", "\n    row = 0")),
        ),
        Piece("\n    j = tl.arange(0, BLOCK)", (Slip("spelling", "\n    j = tl.arrange(0, BLOCK)"),)),
        Piece(
            "\n    ok = j < cols",
            (Slip("bound", "\n    ok = j <= cols"), Slip("bound", "\n    ok = row < cols")),
        ),
        *loads,
        *body,
        *store([place], result, wide=result.wide),
        *opening(reference),
        Piece("\n    cols = "),
        own(x),
        Piece(".shape[-1]", (Slip("size", ".shape[0]"),)),
        Piece("\n    rows = "),
        own(x),
        Piece(".shape[:-1].numel()", (Slip("size", ".numel()"),)),
        *out,
        guarded("rows", "(rows,)", ("(triton.cdiv(rows, 1024),)", "(1,)")),
        *passed(reference),
        Piece(", out, cols", (Slip("passed", ", out, rows"),)),
        Piece(
            ", BLOCK=triton.next_power_of_2(cols))",
            (Slip("power", ", BLOCK=cols)"), Slip("fixed", ", BLOCK=16)")),
        ),
        ending(),
    ]


VECTORS: Final = frozenset({"weight", "bias", "gain", "shift", "center"})
"""Names of arguments that hold one value a column."""


def head(used: Collection[str]) -> list[Piece]:
    """Imports, and definitions of the functions which Triton lacks."""
    first = Piece(IMPORTS, (Slip("imports", IMPORTS.replace("import triton.language as tl\n", "")),))
    definitions = [Piece(f"def {name}(x):\n    {OWN_FUNCTIONS[name]}\n\n@triton.jit\n") for name in used]
    return [first, *definitions, Piece("def kernel(")]


def parameters(reference: Reference, sizes: str) -> list[Piece]:
    """The kernel's parameters: pointers and numbers in the order of the signature, then the result and sizes."""
    pieces = []
    for name in reference.parameters:
        pieces += [own(name), Piece(", " if name in reference.numbers else "_ptr, ")]
    return [
        *pieces,
        Piece("out_ptr, "),
        Piece(sizes),
        Piece("BLOCK: tl.constexpr):", (Slip("constexpr", "BLOCK):"),)),
    ]


def flat_index() -> list[Piece]:
    """Which elements a program of the element-wise templates takes."""
    index = Piece(
        FLAT_INDEX,
        (
            Slip("index", "\n    i = tl.program_id(0) + tl.arange(0, BLOCK)"),
            Slip("index", "\n    i = tl.arange(0, BLOCK)"),
            Slip("spelling", FLAT_INDEX.replace("arange", "arrange")),
        ),
    )
    bound = Piece(
        "\n    ok = i < n", (Slip("bound", "\n    ok = i <= n"), Slip("bound", "\n    ok = i < BLOCK"))
    )
    return [index, bound]


def load(name: str, at: list[Piece], other: str = "") -> list[Piece]:
    """Load a tensor's values, widened to float32."""
    start = [
        Piece("\n    "),
        own(name),
        Piece(" = tl.load(", (Slip("spelling", " = tl.loads("),)),
        own(name),
        *at,
    ]
    masked = Piece(f", mask=ok{other})", (Slip("load", ")"),))
    if name in MASKS:
        return [*start, masked, Piece(" != 0")]
    return [
        *start,
        masked,
        Piece(".to(tl.float32)", (Slip("widening", ".to(tl.float16)"), Slip("widening", ".to(tl.int32)"))),
    ]


def store(place: list[Piece], result: Translation, *, wide: bool) -> list[Piece]:
    """Store the result."""
    if wide:
        return [*place, *result.pieces, Piece(", mask=ok)", (Slip("store", ")"),))]
    return [*place, *result.pieces, Piece(")")]


def translated(
    reference: Reference, wide: dict[str, bool], *, rows: bool
) -> tuple[list[Piece], Translation, list[str]]:
    """The lines of a reference's assignments, its result, and the functions that have to be defined."""
    names = dict.fromkeys(reference.numbers, False) | wide
    translator, lines = Translator(names, rows=rows), list[Piece]()
    for name, value in reference.locals:
        each = translator.expression(value)
        lines += [Piece("\n    "), own(name), Piece(" = "), *each.pieces]
        names[name] = each.wide
    return lines, translator.expression(reference.result), translator.used


def opening(reference: Reference, *, strided: bool = False) -> list[Piece]:
    """The wrapper's first lines: every tensor made contiguous, unless it is read by its strides."""
    name, _, rest = reference.signature.partition("(")
    pieces = [Piece("\n\ndef "), own(name), Piece("("), own(rest.removesuffix(")")), Piece("):")]
    for tensor in () if strided else reference.tensors:
        pieces += [Piece("\n    "), own(tensor), Piece(" = "), own(tensor)]
        pieces.append(Piece(".contiguous()", (Slip("contiguous", ".view(-1)"),)))
    return pieces


def guarded(count: str, grid: str, wrong: tuple[str, ...]) -> Piece:
    """The launch's beginning, which happens only where there is something to do."""
    check = f"\n    if {count} > 0:\n        kernel["
    slips = [Slip("grid", f"{check}{each}](") for each in wrong]
    return Piece(f"{check}{grid}](", (*slips, Slip("guard", f"\n    kernel[{grid}](")))


def passed(reference: Reference) -> list[Piece]:
    """The problem's arguments, handed on to the kernel."""
    pieces = []
    for number, name in enumerate(reference.parameters):
        pieces += [Piece(", ")] * (number > 0) + [own(name)]
    return pieces


def flat_launch(reference: Reference, *rest: Piece) -> list[Piece]:
    """Count, launch and return of the element-wise templates."""
    return [
        Piece("\n    n = out.numel()", (Slip("size", "\n    n = out.shape[0]"),)),
        guarded("n", "(triton.cdiv(n, 1024),)", ("(n // 1024,)", "(1,)")),
        *passed(reference),
        *rest,
        Piece(", BLOCK=1024)", (Slip("block", ", BLOCK=256)"), Slip("block", ", BLOCK=1000)"))),
        ending(),
    ]


def ending() -> Piece:
    """The wrapper's last line."""
    return Piece("\n    return out\n</kernel>", (Slip("return", "\n</kernel>"),))
