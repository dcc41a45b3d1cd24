"""The parts of a reference: what is shown of it, and what solves the problem."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from rftgym.errors import UsageError
from rftgym.syntax import parse

Definition = ast.FunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True)
class Outline:
    """A reference in parts.

    Attributes:
        source: the whole of it.
        entry: its name.
        is_class: it is a class, not a function.
        docstring: of the function or class.
        stub: signatures and docstrings, and nothing of what they do.
        solution: the source without its docstrings.
    """

    source: str
    entry: str
    is_class: bool
    docstring: str
    stub: str
    solution: str


def outline(source: str) -> Outline:
    """Take a reference apart.

    Raises:
        UsageError: it is not one function or class with a docstring.
    """
    body = parse(source).body
    if len(body) != 1 or not isinstance(body[0], Definition) or ast.get_docstring(body[0]) is None:
        raise UsageError("a reference is one function or class with a docstring")
    top = body[0]
    lines = source.splitlines()
    docstring = (ast.get_docstring(top) or "").strip()
    stub = _class_stub(top, lines) if isinstance(top, ast.ClassDef) else lines[: _docstring_end(top)]
    dropped = {n for each in _documented(top) for n in range(each.body[0].lineno - 1, _docstring_end(each))}
    solution = _tidy([line for number, line in enumerate(lines) if number not in dropped])
    return Outline(source, top.name, isinstance(top, ast.ClassDef), docstring, _tidy(stub), solution)


def _documented(top: Definition) -> list[Definition]:
    inner = [each for each in top.body if isinstance(each, Definition)]
    return [each for each in (top, *inner) if ast.get_docstring(each) is not None]


def _docstring_end(node: Definition) -> int:
    """Number of lines up to the end of its docstring."""
    return node.body[0].end_lineno or 0


def _class_stub(top: ast.ClassDef, lines: list[str]) -> list[str]:
    stub = lines[: _docstring_end(top)]
    for method in top.body:
        if isinstance(method, ast.FunctionDef):
            first = method.body[0]
            documented = ast.get_docstring(method) is not None
            end = _docstring_end(method) if documented else first.lineno - 1
            stub += ["", *lines[method.lineno - 1 : end]]
            if not documented:
                stub.append(" " * first.col_offset + "...")
    return stub


def _tidy(lines: list[str]) -> str:
    """Lines as text, without blank ones behind a signature or at the ends, and never two of them together."""
    out: list[str] = []
    for line in lines:
        if line.strip() or (out and out[-1].strip() and not out[-1].rstrip().endswith(":")):
            out.append(line)
    return "\n".join(out).strip("\n") + "\n"
