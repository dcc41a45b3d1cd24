"""Stage 1 too: what the Python around the kernels may not do. By the syntax tree alone, and no defence by itself.

The later stages hold whatever the wrapper does. These rules are there so that an attempt is called by its name and
earns nothing, even where it would come to nothing: a wrapper has no honest use for the interpreter's frames, for
patching torch, or for remembering results.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from rftgym_triton_kernels.names import path_of
from rftgym_triton_kernels.verdict import Refused

MODULES = frozenset(
    {
        "__future__", "abc", "argparse", "cmath", "collections", "contextlib", "copy", "dataclasses", "einops",
        "enum", "fractions", "functools", "itertools", "logging", "math", "numbers", "numpy", "operator",
        "packaging", "string", "textwrap", "time", "torch", "triton", "typing", "typing_extensions", "warnings",
    }
)  # fmt: skip
"""What a wrapper may use. Others may be imported, as models do out of habit, and not touched."""
BUILTINS = frozenset(
    {
        "__import__", "__builtins__", "__loader__", "__spec__", "breakpoint", "compile", "delattr", "eval", "exec",
        "exit", "globals", "input", "locals", "memoryview", "open", "quit", "setattr", "vars",
    }
)  # fmt: skip
NAMES = frozenset({"__name__", "__doc__", "__all__", "__version__"})
DUNDERS = frozenset({"__init__", "__name__", "__doc__", "__call__", "__version__"})
SELF = frozenset({"self", "ctx", "cls"})
READS = ("os.environ.get", "os.getenv")
"""What may be called of a module that is not to be touched: the sandbox's environment says nothing."""
LEADS = frozenset(
    {
        "_getframe", "builtins", "ctypes", "ctypeslib", "f_back", "f_builtins", "f_globals", "f_locals", "gi_frame",
        "importlib", "modules", "os", "subprocess", "sys", "tb_frame",
    }
)  # fmt: skip
"""Attributes by which other modules lead to the interpreter's inner parts: ``torch.sys``, ``warnings.sys``."""
STREAMS = frozenset(
    {"Stream", "stream", "ExternalStream", "graph", "graphs", "CUDAGraph", "make_graphed_callables"}
)
MUTATORS = frozenset(
    {
        "add", "append", "appendleft", "clear", "copy_", "extend", "fill_", "insert", "pop", "popitem", "popleft",
        "push", "remove", "reverse", "setdefault", "sort", "update", "zero_", "__setitem__",
    }
)  # fmt: skip


def check_conduct(tree: ast.Module, jitted: frozenset[str]) -> None:
    """Look over everything but the kernels' bodies.

    Args:
        tree: of the module.
        jitted: names of the kernels.
    Raises:
        Refused: as a cheat; says what and in which line.
    """
    checker = _Conduct(tree, jitted)
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef) and statement.name in jitted and checker.first(statement):
            for decorator in statement.decorator_list:
                checker.visit(decorator)
        elif not _is_main_block(statement):
            checker.visit(statement)


def _is_main_block(statement: ast.stmt) -> bool:
    """``if __name__ == "__main__":`` never runs here."""
    return (
        isinstance(statement, ast.If)
        and isinstance(statement.test, ast.Compare)
        and isinstance(statement.test.left, ast.Name)
        and statement.test.left.id == "__name__"
        and not statement.orelse
    )


class _Conduct(ast.NodeVisitor):
    """Walks the module; the first offence raises."""

    def __init__(self, tree: ast.Module, jitted: frozenset[str]) -> None:
        self.jitted = jitted
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
        self.foreign = dict(_foreign(imports))
        self.torch = _aliases(imports, "torch")
        self.triton: dict[str, tuple[str, ...]] = dict.fromkeys(_aliases(imports, "triton"), ("triton",))
        self.state = _module_values(tree) - jitted
        self.depth = 0
        self.hidden: list[frozenset[str]] = []
        self._seen: set[str] = set()

    def first(self, function: ast.FunctionDef) -> bool:
        """Whether this is the first definition of its name."""
        if function.name in self._seen:
            return False
        self._seen.add(function.name)
        return True

    def refuse(self, node: ast.AST, what: str) -> Refused:
        return Refused("extract", "cheat", f"line {getattr(node, 'lineno', 0)}: {what}")

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """A function of the module: its locals hide the module's names."""
        self._bound(node, node.name)
        arguments = node.args
        every = [
            *arguments.posonlyargs,
            *arguments.args,
            *arguments.kwonlyargs,
            arguments.vararg,
            arguments.kwarg,
        ]
        own = {each.arg for each in every if each is not None}
        declared = {name for each in ast.walk(node) if isinstance(each, ast.Global) for name in each.names}
        own |= {
            each.id
            for each in ast.walk(node)
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
        } - declared
        self.hidden.append(frozenset(own))
        self.depth += 1
        self.generic_visit(node)
        self.depth -= 1
        self.hidden.pop()

    visit_AsyncFunctionDef = visit_FunctionDef  # the visitor's name

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """A class may not take a kernel's name."""
        self._bound(node, node.name)
        self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> None:
        """State between calls."""
        raise self.refuse(node, f"the wrapper keeps {node.names[0]} between calls")

    def visit_Name(self, node: ast.Name) -> None:
        """A builtin that leads out, a module without an honest use, a kernel's name bound anew."""
        if isinstance(node.ctx, ast.Store | ast.Del):
            self._bound(node, node.id)
        elif not self._local(node.id):
            if node.id in self.foreign:
                raise self.refuse(node, f"the wrapper uses {self.foreign[node.id]}")
            if node.id in BUILTINS or (node.id.startswith("__") and node.id not in NAMES):
                raise self.refuse(node, f"the wrapper uses {node.id}")

    def visit_Constant(self, node: ast.Constant) -> None:
        """A format's way to a dunder: "{0.__class__}"."""
        if isinstance(node.value, str) and ".__" in node.value:
            raise self.refuse(node, "a text reaches for a dunder")

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """Patches, the interpreter's inner parts, side streams."""
        if _dotted(node) in READS and not self._local(_root(node)):
            return
        settings = _dotted(node).startswith("torch.backends.")
        if isinstance(node.ctx, ast.Store | ast.Del) and not settings and _dotted(node.value) not in SELF:
            raise self.refuse(node, f"the wrapper sets .{node.attr} of something")
        if node.attr in LEADS or (node.attr.startswith("__") and node.attr not in DUNDERS):
            raise self.refuse(node, f"the wrapper uses .{node.attr}")
        if node.attr in STREAMS and _root(node) in self.torch and not self._local(_root(node)):
            raise self.refuse(node, f"the wrapper leaves the current stream (.{node.attr})")
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        """A store into the module's state."""
        if isinstance(node.ctx, ast.Store | ast.Del) and self.depth and self._is_state(_root(node)):
            raise self.refuse(node, f"the wrapper keeps {_root(node)} between calls")
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        """A change of the module's state, or a kernel made at run time."""
        function = node.func
        if (
            self.depth
            and isinstance(function, ast.Attribute)
            and function.attr in MUTATORS
            and self._is_state(_root(function.value))
        ):
            raise self.refuse(node, f"the wrapper keeps {_root(function.value)} between calls")
        if path_of(function, self.triton) == ("triton", "jit") and (node.args or self.depth):
            raise self.refuse(node, "a kernel is made at run time")
        self.generic_visit(node)

    def _bound(self, node: ast.AST, name: str) -> None:
        if name in self.jitted and not self._local(name):
            raise self.refuse(node, f"{name} is a kernel, and something else too")

    def _local(self, name: str) -> bool:
        return any(name in names for names in self.hidden)

    def _is_state(self, name: str) -> bool:
        return name in self.state and not self._local(name)


def _dotted(node: ast.AST) -> str:
    """``a.b.c`` as text; "" for anything else."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def _root(node: ast.AST) -> str:
    """The name that an expression such as ``a.b[c].d`` starts with; "" where there is none."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _foreign(imports: Sequence[ast.Import | ast.ImportFrom]) -> Iterator[tuple[str, str]]:
    """Names that imports bind, anywhere, to modules without an honest use; and what they stand for."""
    for node in imports:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] not in MODULES:
                    yield alias.asname or alias.name.split(".")[0], alias.name
        else:
            module = node.module or "."
            if node.level or module.split(".")[0] not in MODULES:
                if any(alias.name == "*" for alias in node.names):
                    raise Refused(
                        "extract", "cheat", f"line {node.lineno}: everything of {module} is imported"
                    )
                for alias in node.names:
                    yield alias.asname or alias.name, f"{module}.{alias.name}"


def _aliases(imports: Sequence[ast.Import | ast.ImportFrom], module: str) -> frozenset[str]:
    """Names that a package, or something inside of it, is imported as."""
    names = set()
    for node in imports:
        if isinstance(node, ast.Import):
            names |= {
                alias.asname or alias.name.split(".")[0]
                for alias in node.names
                if alias.name.split(".")[0] == module
            }
        elif (node.module or "").split(".")[0] == module:
            names |= {alias.asname or alias.name for alias in node.names}
    return frozenset(names)


def _module_values(tree: ast.Module) -> frozenset[str]:
    """Names that assignments at module level bind."""
    return frozenset(
        node.id
        for statement in tree.body
        if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign)
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ) | frozenset(statement.name for statement in tree.body if isinstance(statement, ast.ClassDef))
