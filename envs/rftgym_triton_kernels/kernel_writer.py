"""Writes a kernel for a reference, from four templates, with the places where mistakes are usual.

What stands in the reference is translated operator by operator and put into the template that it calls for, see
`rftgym_triton_kernels.templates` and `rftgym_triton_kernels.matrix_templates`. A reference beyond those raises
`Untranslatable`.
"""

from __future__ import annotations

import ast

from rftgym_triton_kernels.matrix_templates import write_positions, write_product
from rftgym_triton_kernels.pieces import Piece
from rftgym_triton_kernels.templates import Reference, write_elements, write_rows
from rftgym_triton_kernels.translate import REDUCTIONS


def write_kernel(reference: Reference) -> list[Piece]:
    """The answer to a problem, with the slips that may happen in it.

    Raises:
        Untranslatable: the reference is beyond the templates.
    """
    values = [value for _, value in reference.locals] + [reference.result]
    nodes = [node for value in values for node in ast.walk(value)]
    called = {
        node.func.attr
        for node in nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    if any(isinstance(node, ast.MatMult) for node in nodes):
        return write_product(reference)
    if called & set(REDUCTIONS):
        return write_rows(reference)
    if called & {"transpose", "t", "tril", "triu", "flip"} or any(
        isinstance(node, ast.Subscript) for node in nodes
    ):
        return write_positions(reference)
    return write_elements(reference)
