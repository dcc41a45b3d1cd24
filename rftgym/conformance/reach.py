"""Which functions of the author's source can be reached from where: by name, rather one too many than one too few."""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


_MAKE = frozenset({"__new__", "__init__", "__post_init__", "__call__", "__enter__", "__iter__"})
"""What is called of a class without being named."""


@dataclass(eq=False)
class Definition:
    """A function in the author's source.

    Attributes:
        name: its own; "" of a lambda.
        owner: the class that it is a method of, or "".
    """

    name: str
    owner: str
    node: Function
    source: Source

    @property
    def parameters(self) -> list[str]:
        """Names of what it takes, in order."""
        given = self.node.args
        return [each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)]

    @functools.cached_property
    def names(self) -> tuple[set[str], set[str]]:
        """Names that it reads, and attributes that it asks for."""
        nodes = list(ast.walk(self.node))
        names = {each.id for each in nodes if isinstance(each, ast.Name)}
        return names, {each.attr for each in nodes if isinstance(each, ast.Attribute)}


@dataclass(eq=False)
class Source:
    """One module's source.

    Attributes:
        aliases: what names stand for: "np" for "numpy", "shuffle" for "random.shuffle".
        definitions: every function in it.
    """

    file: str
    name: str
    tree: ast.Module
    aliases: dict[str, str] = field(default_factory=dict)
    definitions: list[Definition] = field(default_factory=list)

    @classmethod
    def of(cls, module: ModuleType) -> Source | None:
        """The source of a module; None where it cannot be read."""
        try:
            file = str(module.__file__)
            tree = ast.parse(Path(file).read_bytes())
        except (OSError, SyntaxError, ValueError, TypeError):
            return None
        source = cls(file, module.__name__, tree)
        source.aliases = dict(_aliases(tree))
        source._define(tree, "")
        return source

    def _define(self, node: ast.AST, owner: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, Function):
                self.definitions.append(Definition(getattr(child, "name", ""), owner, child, self))
            self._define(child, child.name if isinstance(child, ast.ClassDef) else owner)

    def dotted(self, node: ast.AST) -> str:
        """What a name or a chain of attributes stands for: "numpy.random.rand"; "" for anything else."""
        if isinstance(node, ast.Name):
            return self.aliases.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            inner = self.dotted(node.value)
            return f"{inner}.{node.attr}" if inner else ""
        return ""


def _aliases(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                yield (each.asname, each.name) if each.asname else (each.name.partition(".")[0],) * 2
        elif isinstance(node, ast.ImportFrom) and node.module:
            for each in node.names:
                yield each.asname or each.name, f"{node.module}.{each.name}"


class Sources:
    """The author's modules, with who calls whom.

    Args:
        owners: names of the classes that are in use from the beginning; a method of any other class is called only
            where its class is mentioned.
    """

    def __init__(self, modules: Iterable[ModuleType], owners: Iterable[str] = ()) -> None:
        self._owners = set(owners)
        read = {module.__name__: Source.of(module) for module in modules}
        self.unread = [name for name, source in read.items() if source is None]
        self.all = [source for source in read.values() if source is not None]
        self._by_name: dict[str, list[Definition]] = {}
        self._methods: dict[str, list[Definition]] = {}
        for source in self.all:
            for each in source.definitions:
                self._by_name.setdefault(each.name, []).append(each)
                self._methods.setdefault(each.owner, []).append(each)

    def definition(self, function: Any) -> Definition | None:
        """Where a function object was written."""
        code = getattr(inspect.unwrap(function), "__code__", None)
        if code is None:
            return None
        for source in self.all:
            if source.file == code.co_filename:
                return next(
                    (each for each in source.definitions if _first_line(each) == code.co_firstlineno), None
                )
        return None

    def called(self, by: Definition) -> list[Definition]:
        """The functions whose names a function mentions; of a class that it mentions, what makes an instance."""
        names, attributes = by.names
        found: list[Definition] = []
        for name in names:
            real = by.source.aliases.get(name, name).rpartition(".")[2]
            if real in self._methods:
                self._owners.add(real)
            functions = [each for each in self._by_name.get(real, ()) if not each.owner]
            made = [each for each in self._methods.get(real, ()) if each.name in _MAKE] if real else []
            if name in by.source.aliases:
                found += [*functions, *made]
            else:
                found += [each for each in (*functions, *made) if each.source is by.source]
        for name in attributes:
            found += [
                each for each in self._by_name.get(name, ()) if not each.owner or each.owner in self._owners
            ]
        return found

    def reached(self, roots: Iterable[Definition]) -> list[Definition]:
        """Roots, and everything that they call, directly or not."""
        first, found, owners = list(roots), dict[int, Definition](), -1
        while owners != len(self._owners):  # a class that is mentioned late may have been asked for early
            owners, waiting = len(self._owners), [*first, *found.values()]
            seen: set[int] = set()
            while waiting:
                each = waiting.pop()
                if id(each) not in seen:
                    seen.add(id(each))
                    found[id(each)] = each
                    waiting += self.called(each)
        return list(found.values())


def _first_line(definition: Definition) -> int:
    node = definition.node
    decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
    return min([node.lineno, *(each.lineno for each in decorators)])
