"""Where what a model wrote goes in the source: from a completion into calls and conditions."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from rftgym.conformance.reach import Definition, Sources

WRITTEN = frozenset({"completion", "answer", "turn", "trajectory"})
"""Arguments of reward functions that hold what a model wrote."""
_HARMLESS = frozenset({"int", "float", "len", "bool", "isinstance", "abs", "ord", "hash"})
"""What these give of a text is a number."""
_OWN = frozenset({"task", "seed", "env", "group", "sample"})
"""Attributes of a trajectory that no model wrote."""


class Flow:
    """A function in which some names hold what a model wrote."""

    def __init__(self, definition: Definition, parameters: Iterable[str]) -> None:
        self.definition = definition
        self.names = set(parameters)
        for _ in range(2):  # a name may be used, in a loop, above the line that fills it
            for node in ast.walk(definition.node):
                self._spread(node)

    def _spread(self, node: ast.AST) -> None:
        if (
            isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr)
            and node.value is not None
        ):
            targets: list[ast.expr] = node.targets if isinstance(node, ast.Assign) else [node.target]
            if self.holds(node.value):
                self._fill(targets)
        elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension) and self.holds(node.iter):
            self._fill([node.target])
        elif (
            isinstance(node, ast.withitem)
            and node.optional_vars is not None
            and self.holds(node.context_expr)
        ):
            self._fill([node.optional_vars])

    def _fill(self, targets: Iterable[ast.expr]) -> None:
        for target in targets:
            self.names |= {each.id for each in ast.walk(target) if isinstance(each, ast.Name)} - {"self"}

    def holds(self, node: ast.AST) -> bool:
        """Whether an expression has something of it."""
        if isinstance(node, ast.Name):
            return node.id in self.names
        if isinstance(node, ast.Attribute) and node.attr in _OWN:
            return False
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _HARMLESS:
            return False
        if isinstance(node, ast.Compare):
            return False  # true or false is nothing that a model wrote
        return any(self.holds(child) for child in ast.iter_child_nodes(node))


def flows(sources: Sources, roots: Iterable[tuple[Definition, Iterable[str]]]) -> Iterator[Flow]:
    """The roots, with the parameters that hold what a model wrote, and the functions that they hand it on to."""
    seen: set[tuple[int, frozenset[str]]] = set()
    waiting = [(definition, frozenset(parameters)) for definition, parameters in roots]
    while waiting:
        definition, parameters = waiting.pop()
        if (id(definition), parameters) in seen or not parameters:
            continue
        seen.add((id(definition), parameters))
        flow = Flow(definition, parameters)
        yield flow
        known = sources.called(definition)
        for node in ast.walk(definition.node):
            if isinstance(node, ast.Call):
                waiting += _handed_on(flow, node, known)


def _handed_on(
    flow: Flow, call: ast.Call, known: Iterable[Definition]
) -> Iterator[tuple[Definition, frozenset[str]]]:
    name = flow.definition.source.dotted(call.func).rpartition(".")[2]
    for callee in known if name else ():
        if callee.name != name:
            continue
        parameters = [each for each in callee.parameters if each not in ("self", "cls")]
        given = [p for p, argument in zip(parameters, call.args, strict=False) if flow.holds(argument)]
        given += [each.arg for each in call.keywords if each.arg in parameters and flow.holds(each.value)]
        yield callee, frozenset(given)
