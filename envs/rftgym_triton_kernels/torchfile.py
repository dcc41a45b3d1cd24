"""Reads a file of the nn.Module sort, in the manner of KernelBench: its parts, and its arguments under given sizes."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from rftgym import syntax
from rftgym_triton_kernels.torchmodules import Made, parameters
from rftgym_triton_kernels.torchstatic import CannotTell, Drawn, Static, executed, names_in, product

SMALL: Final = 16
"""Up to here a number that only layers use is a kernel's size, a stride or the like, and stays as it is."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file in its parts.

    Attributes:
        constants: module-level names and what they are given, in order.
        model: the class.
        code: everything else that the class may need: imports, functions, other classes.
        inputs: body of ``get_inputs``.
        init_inputs: body of ``get_init_inputs``.
    """

    constants: tuple[tuple[str, ast.expr], ...]
    model: ast.ClassDef
    code: tuple[ast.stmt, ...]
    inputs: tuple[ast.stmt, ...]
    init_inputs: tuple[ast.stmt, ...]

    def behind(self, roots: Iterable[ast.AST]) -> set[str]:
        """Names that pieces of the file use, and those that these are computed from."""
        return self.behind_names(set().union(*(names_in(each) for each in roots)))

    def behind_names(self, names: set[str]) -> set[str]:
        """Some names, and those that these are computed from."""
        found = set(names)
        for name, value in reversed(self.constants):
            if name in found:
                found |= names_in(value)
        return found


@dataclass(frozen=True, slots=True)
class Sized:
    """A file's arguments under certain sizes."""

    constants: dict[str, Any]
    init: tuple[Any, ...]
    drawn: tuple[Drawn, ...]
    made: Made

    def largest(self) -> int:
        """Elements of the largest argument."""
        shapes = [*(each.shape for each in self.drawn), *(each.shape for each in self.made.values())]
        return max(map(product, shapes))


def parse(text: str) -> Source:
    """The parts of a file.

    Raises:
        CannotTell: it has no class Model or no get_inputs(), or does more than define things.
    """
    try:
        tree = syntax.parse(text)
    except (SyntaxError, ValueError) as error:
        raise CannotTell(f"not Python ({error})") from error
    functions = {each.name: tuple(each.body) for each in tree.body if isinstance(each, ast.FunctionDef)}
    models = [each for each in tree.body if isinstance(each, ast.ClassDef) and each.name == "Model"]
    if not models or "get_inputs" not in functions:
        raise CannotTell("there is no class Model or no get_inputs()")
    constants: list[tuple[str, ast.expr]] = []
    code: list[ast.stmt] = []
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                constants.append((name, value))
            case ast.FunctionDef(name="get_inputs" | "get_init_inputs") | ast.Expr(value=ast.Constant()):
                continue
            case ast.FunctionDef() | ast.ClassDef() | ast.Import() | ast.ImportFrom():
                if statement is not models[0]:
                    code.append(statement)
            case _:
                raise CannotTell(f"`{ast.unparse(statement).splitlines()[0][:60]}` at module level")
    init_inputs = functions.get("get_init_inputs", (ast.Return(ast.List([], ast.Load())),))
    return Source(tuple(constants), models[0], tuple(code), functions["get_inputs"], init_inputs)


def sized_for(source: Source, limit: int, *, vary: bool) -> Sized:
    """The arguments with no size above a limit; with ``vary``, sizes that no layer depends on are odd ones.

    Raises:
        CannotTell: a size, an input or a layer is not understood.
    """
    inputs = source.behind(source.inputs)
    bound = source.behind(source.init_inputs) | source.behind_names(free_names([source.model, *source.code]))
    static = Static({}, lambda size: _shrunk(size, limit))
    for name, expression in source.constants:
        try:
            value = static.value(expression)
        except CannotTell:
            if name in inputs | bound:
                raise
            continue
        if not names_in(expression) & set(static.names):
            value = _mapped(value, lambda size: _shrunk(size, limit if name in inputs else max(limit, SMALL)))  # noqa: B023
            if vary and name in inputs - bound:
                value = _mapped(value, lambda size: size if size < 4 else size * 5 // 8 | 1)
        static.names[name] = value
    init = executed(source.init_inputs, replace(static, names=dict(static.names)))
    drawn = executed(source.inputs, replace(static, names=dict(static.names)))
    if not isinstance(init, tuple) or not isinstance(drawn, tuple):
        raise CannotTell("get_inputs() or get_init_inputs() returns no list")
    if not all(isinstance(each, Drawn) for each in drawn) or not drawn:
        raise CannotTell("get_inputs() returns something that is not a random tensor")
    return Sized(dict(static.names), init, drawn, _made(source.model, init, static))


def _made(model: ast.ClassDef, init: tuple[Any, ...], static: Static) -> Made:
    """The parameters that the model makes when it is given the init inputs."""
    method = method_of(model, "__init__")
    names = dict(static.names)
    if method is not None:
        arguments = [argument.arg for argument in method.args.args[1:]]
        defaults = method.args.defaults
        names |= {
            argument: static.value(default)
            for argument, default in zip(arguments[len(arguments) - len(defaults) :], defaults, strict=True)
        }
        names |= dict(zip(arguments, init, strict=False))
    return parameters(method, replace(static, names=names, literal=int))


def _mapped(value: Any, change: Callable[[int], int]) -> Any:
    """A value with every integer in it changed."""
    if isinstance(value, tuple):
        return tuple(_mapped(each, change) for each in value)
    return change(value) if type(value) is int else value


def _shrunk(size: int, limit: int) -> int:
    """A size of at most the limit. The same size gives the same, others mostly others; all can be split into groups."""
    if size <= limit:
        return size
    quarters = 4 - (size.bit_length() + size.bit_count()) % 3
    step = 8 if limit >= 16 else 4
    return max(4, limit * quarters // 4 // step * step)


def method_of(model: ast.ClassDef, name: str) -> ast.FunctionDef | None:
    """A method of the class, or None."""
    return next(
        (each for each in model.body if isinstance(each, ast.FunctionDef) and each.name == name), None
    )


def free_names(nodes: Iterable[ast.AST]) -> set[str]:
    """Names that functions among the nodes read without having them as a parameter."""
    found: set[str] = set()
    for node in nodes:
        for each in ast.walk(node):
            if isinstance(each, ast.FunctionDef):
                found |= names_in(each) - {argument.arg for argument in each.args.args}
            elif isinstance(each, ast.ClassDef):
                inside = [child for child in each.body if not isinstance(child, ast.FunctionDef)]
                found |= set().union(*map(names_in, inside))
    return found
