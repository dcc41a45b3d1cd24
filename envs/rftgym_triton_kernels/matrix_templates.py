"""Templates of kernels for functions of a matrix's positions, and for matrix products."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Final

from rftgym.syntax import parse_expression
from rftgym_triton_kernels.pieces import Piece, Slip, own
from rftgym_triton_kernels.templates import (
    Reference,
    ending,
    flat_index,
    flat_launch,
    guarded,
    head,
    load,
    opening,
    parameters,
    passed,
    store,
    translated,
)
from rftgym_triton_kernels.translate import Translation, Untranslatable

TRANSPOSED: Final = "_ptr + i % cols * down + i // cols * across"
FLIPPED: Final = {
    "[0]": "_ptr + (n // cols - 1 - i // cols) * down + i % cols * across",
    "[1]": "_ptr + i // cols * down + (cols - 1 - i % cols) * across",
    "[-1]": "_ptr + i // cols * down + (cols - 1 - i % cols) * across",
    "[0, 1]": "_ptr + (n // cols - 1 - i // cols) * down + (cols - 1 - i % cols) * across",
}
"""Where the element at i of a flipped matrix comes from, by the dimensions that are flipped."""


def write_positions(reference: Reference) -> list[Piece]:
    """A function that combines or moves elements by their row and column."""
    if reference.locals:
        raise Untranslatable("assignments before a change of layout")
    result = reference.result
    match result:
        case ast.Call(func=ast.Attribute(value=inner, attr="contiguous"), args=[]):
            result = inner
    match result:
        case ast.Call(func=ast.Attribute(value=inner, attr="transpose"), args=[ast.expr(), ast.expr()]):
            return _moved(reference, inner, TRANSPOSED, transposed=True)
        case ast.Call(func=ast.Attribute(value=inner, attr="t"), args=[]):
            return _moved(reference, inner, TRANSPOSED, transposed=True)
        case ast.Call(
            func=ast.Attribute(attr="flip"), args=[inner], keywords=[ast.keyword(arg="dims", value=dims)]
        ):
            if ast.unparse(dims) not in FLIPPED:
                raise Untranslatable(ast.unparse(result))
            return _moved(reference, inner, FLIPPED[ast.unparse(dims)], transposed=False)
        case ast.Call(func=ast.Attribute(attr="tril" | "triu" as name), args=[inner, *diagonal]):
            return _triangle(reference, name, inner, diagonal)
    return _outer(reference)


def _replaced(reference: Reference, result: ast.expr) -> Reference:
    return Reference(reference.signature, reference.parameters, reference.numbers, reference.locals, result)


def _grid(
    reference: Reference,
    loads: list[Piece],
    result: ast.expr,
    out: list[Piece],
    within: Callable[[Translation], Translation] = lambda value: value,
    *,
    sizes: str = "n, cols, ",
    strides: Sequence[Piece] = (),
) -> list[Piece]:
    """An answer over the positions of a matrix.

    Args:
        reference: the whole of it.
        loads: lines that load what the result is made of.
        result: what is computed of it.
        out: the line that allocates the result.
        within: completes the translated result.
        sizes: parameters of the kernel after the result's.
        strides: what is passed for those after n and cols; without any, tensors are made contiguous first.
    """
    wide = dict.fromkeys(reference.tensors, True)
    body, value, used = translated(_replaced(reference, result), wide, rows=False)
    rest = [
        Piece(", out, n, cols", (Slip("passed", ", out, cols, n"),)),
        *([Piece(", ")] if strides else []),
        *strides,
    ]
    return [
        *head(used),
        *parameters(reference, sizes),
        *flat_index(),
        *loads,
        *body,
        *store([Piece("\n    tl.store(out_ptr + i, ")], within(value), wide=True),
        *opening(reference, strided=bool(strides)),
        *out,
        Piece("\n    cols = "),
        own("out"),
        Piece(".shape[-1]", (Slip("size", ".shape[0]"),)),
        *flat_launch(reference, *rest),
    ]


def _moved(reference: Reference, inner: ast.expr, place: str, *, transposed: bool) -> list[Piece]:
    """A matrix read by its strides: where only data is moved, torch must not do it for a contiguous copy's sake."""
    if len(reference.tensors) != 1:
        raise Untranslatable("a layout of several tensors")
    (x,) = reference.tensors
    loads = load(x, [Piece(place, (Slip("place", "_ptr + i"),))])
    if isinstance(inner, ast.Name):  # nothing is computed, and integers stay what they are
        loads = loads[:-1]
    if transposed:
        out = [
            Piece("\n    out = torch.empty(("),
            own(x),
            Piece(".shape[1], "),
            own(x),
            Piece(".shape[0]), dtype="),
        ]
    else:
        out = [Piece("\n    out = torch.empty("), own(x), Piece(".shape, dtype=")]
    out += [own(x), Piece(".dtype, device="), own(x), Piece(".device)")]
    strides = [own(x), Piece(".stride(0), "), own(x), Piece(".stride(1)", (Slip("stride", ".stride(0)"),))]
    return _grid(reference, loads, inner, out, sizes="n, cols, down, across, ", strides=strides)


def _triangle(reference: Reference, name: str, inner: ast.expr, diagonal: list[ast.expr]) -> list[Piece]:
    if len(reference.tensors) != 1:
        raise Untranslatable("a triangle of several tensors")
    (x,) = reference.tensors
    loads = load(x, [Piece("_ptr + i")])
    if isinstance(inner, ast.Name):
        loads = loads[:-1]
    sign, other = (" <= ", " >= ") if name == "tril" else (" >= ", " <= ")
    shift = [Piece(" + "), own(ast.unparse(diagonal[0]))] if diagonal else []
    where = [
        Piece("tl.where("),
        Piece("i % cols"),
        Piece(sign, (Slip("operator", other),)),
        Piece("i // cols"),
    ]

    def within(value: Translation) -> Translation:
        return Translation(
            [*where, *shift, Piece(", "), *value.pieces, Piece(", "), own("0"), Piece(")")], wide=True
        )

    out = [Piece("\n    out = torch.empty_like("), own(x), Piece(")")]
    return _grid(reference, loads, inner, out, within)


def _outer(reference: Reference) -> list[Piece]:
    """A function of two vectors, one along the rows and one along the columns of the result."""
    down, across = set[str](), set[str]()
    for node in ast.walk(reference.result):
        match node:
            case ast.Subscript(value=ast.Name(id=name), slice=place):
                (down if ast.unparse(place) in {"(:, None)", ":, None"} else across).add(name)
    if len(down) != 1 or len(across) != 1 or down | across != set(reference.tensors):
        raise Untranslatable(ast.unparse(reference.result))
    (x,), (y,) = down, across
    places = {x: Piece("_ptr + i // cols"), y: Piece("_ptr + i % cols")}
    slips = {x: "_ptr + i", y: "_ptr + i"}
    loads = [
        piece
        for name in reference.tensors
        for piece in load(name, [Piece(places[name].text, (Slip("place", slips[name]),))])
    ]
    out = [
        Piece("\n    out = torch.empty(("),
        own(x),
        Piece(".shape[0], "),
        own(y),
        Piece(".shape[0]), dtype="),
    ]
    out += [own(x), Piece(".dtype, device="), own(x), Piece(".device)")]
    return _grid(reference, loads, reference.result, out)


def write_product(reference: Reference) -> list[Piece]:
    """A product of two matrices, either of them transposed, and what is done with its elements."""
    products = [node for node in ast.walk(reference.result) if isinstance(node, ast.BinOp)]
    products = [node for node in products if isinstance(node.op, ast.MatMult)]
    if reference.locals or len(products) != 1 or len(reference.tensors) != 2:
        raise Untranslatable(ast.unparse(reference.result))
    (product,) = products
    (a, a_turned), (b, b_turned) = _factor(product.left), _factor(product.right)
    if {a, b} != set(reference.tensors):
        raise Untranslatable(ast.unparse(product))
    result = Accumulated().visit(parse_expression(ast.unparse(reference.result)))
    body, value, used = translated(_replaced(reference, result), {"acc": True}, rows=False)
    a_place = "_ptr + k[None, :] * M + i[:, None]" if a_turned else "_ptr + i[:, None] * K + k[None, :]"
    b_place = "_ptr + j[None, :] * K + k[:, None]" if b_turned else "_ptr + k[:, None] * N + j[None, :]"
    return [
        *head(used),
        *parameters(reference, "M, N, K: tl.constexpr, "),
        Piece(
            TILE,
            (
                Slip("index", TILE.replace("program_id(1)", "program_id(0)")),
                Slip("spelling", TILE.replace("arange", "arrange")),
            ),
        ),
        *_tile(a, a_place, ", mask=(i[:, None] < M) & (k[None, :] < K), other=0.0)"),
        *_tile(b, b_place, ", mask=(k[:, None] < K) & (j[None, :] < N), other=0.0)"),
        Piece("\n        acc += tl.dot(", (Slip("operator", "\n        acc = tl.dot("),)),
        own(a),
        Piece(", "),
        own(b),
        Piece(', input_precision="ieee")'),
        *body,
        Piece(
            "\n    tl.store(out_ptr + i[:, None] * N + j[None, :], ",
            (Slip("place", "\n    tl.store(out_ptr + i[:, None] * K + j[None, :], "),),
        ),
        *value.pieces,
        Piece(", mask=(i[:, None] < M) & (j[None, :] < N))", (Slip("store", ")"),)),
        *opening(reference),
        *_size("M", a, 1 if a_turned else 0),
        *_size("K", a, 0 if a_turned else 1),
        *_size("N", b, 0 if b_turned else 1),
        Piece("\n    out = torch.empty((M, N), dtype="),
        own(a),
        Piece(".dtype, device="),
        own(a),
        Piece(".device)"),
        guarded("out.numel()", "(triton.cdiv(M, 32), triton.cdiv(N, 32))", ("(M // 32, N // 32)", "(1, 1)")),
        *passed(reference),
        Piece(", out, M, N, K", (Slip("passed", ", out, M, K, N"),)),
        Piece(", BLOCK=32)", (Slip("block", ", BLOCK=16)"), Slip("block", ", BLOCK=30)"))),
        ending(),
    ]


TILE: Final = (
    "\n    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)"
    "\n    j = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)"
    "\n    acc = tl.zeros((BLOCK, BLOCK), dtype=tl.float32)"
    "\n    for start in range(0, K, BLOCK):"
    "\n        k = start + tl.arange(0, BLOCK)"
)


class Accumulated(ast.NodeTransformer):
    """Puts the name `acc` in place of a product."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """Replace the product itself, look into everything else."""
        if isinstance(node.op, ast.MatMult):
            return ast.Name("acc")
        return self.generic_visit(node)


def _factor(node: ast.expr) -> tuple[str, bool]:
    """The name of a product's factor, and whether it is transposed."""
    match node:
        case ast.Name(id=name):
            return name, False
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="transpose" | "t")):
            return name, True
    raise Untranslatable(ast.unparse(node))


def _tile(name: str, place: str, mask: str) -> list[Piece]:
    pieces = [
        Piece("\n        "),
        own(name),
        Piece(" = tl.load(", (Slip("spelling", " = tl.loads("),)),
        own(name),
    ]
    widened = Piece(
        ".to(tl.float32)", (Slip("widening", ".to(tl.float16)"), Slip("widening", ".to(tl.int32)"))
    )
    return [*pieces, Piece(place), Piece(mask, (Slip("load", ")"),)), widened]


def _size(size: str, name: str, dim: int) -> list[Piece]:
    return [
        Piece(f"\n    {size} = "),
        own(name),
        Piece(f".shape[{dim}]", (Slip("size", f".shape[{1 - dim}]"),)),
    ]
