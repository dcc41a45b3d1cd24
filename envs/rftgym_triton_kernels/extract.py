"""Stage 1, extract: the kernels of an answer as vetted source, by its syntax tree alone. Nothing is executed here.

What comes out contains module-level ``@triton.jit`` functions and literal constexprs, rewritten by ``ast.unparse``
with canonical imports. Their bodies name parameters, locals, ``tl``, ``libdevice``, one another, a few builtins, and a
fixed list of methods; so they can be compiled and interpreted by trusted code.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field

from rftgym import syntax
from rftgym_triton_kernels.conduct import check_conduct
from rftgym_triton_kernels.literals import constants_of
from rftgym_triton_kernels.names import module_names, path_of
from rftgym_triton_kernels.verdict import Refused
from rftgym_triton_kernels.vetting import Kernel, outside_of, vetted

LARGEST_SOURCE_CHARS = 65_536
LONGEST_BITS = 1024
"""Of an integer; Python refuses to write very long ones as text."""
DEEPEST = 200
"""Levels of a syntax tree; the compiler's own recursion ends not much later."""


@dataclass(frozen=True, slots=True)
class Extraction:
    """An answer that was read.

    Attributes:
        kernels: by name.
        constants: source of the constexpr globals, by name.
        formatting: formal demands, by name, and whether they are met.
        wrapper: parameters of the wrapper; None where its name is bound to something else than a function.
    """

    kernels: dict[str, Kernel]
    constants: dict[str, str]
    formatting: dict[str, bool] = field(default_factory=dict)
    wrapper: tuple[str, ...] | None = None

    def module(self, names: frozenset[str] | None = None) -> str:
        """Vetted source of the named kernels with everything that they call; None = of all."""
        wanted = set(self.kernels) if names is None else self._closure(names)
        constants = [source for name, source in self.constants.items() if names is None or name in wanted]
        functions = [kernel.source for name, kernel in self.kernels.items() if name in wanted]
        body = "\n\n".join(["\n".join(constants), *functions]).strip()
        return f"import triton\nimport triton.language as tl\nfrom triton.language.extra import libdevice\n\n{body}\n"

    def _closure(self, names: frozenset[str]) -> set[str]:
        wanted: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in wanted:
                wanted.add(name)
                waiting.extend(self.kernels[name].calls if name in self.kernels else ())
        return wanted


_TAGS = ("kernel", "triton", "code", "answer", "python", "solution")
_FENCE = re.compile(r"^[ \t]*```[ \t]*[\w+-]*[ \t]*\n(.*?)^[ \t]*```", re.DOTALL | re.MULTILINE)
LARGEST_COMPLETION_CHARS = 4 * LARGEST_SOURCE_CHARS


def find_source(completion: str) -> tuple[str | None, bool]:
    """The module in a completion, and whether it stands in the tag that was asked for. Linear in its length.

    Looked for in this order: the last <kernel> element (or one of a few names that models fall back to), the last
    fenced block, the completion itself where it looks like Python.
    """
    if len(completion) > LARGEST_COMPLETION_CHARS:
        return None, False
    said = completion.rpartition("</think>")[2]
    found = max((_element(said, tag) for tag in _TAGS), key=lambda element: element[0])
    if found[0] >= 0:
        _, text, tag = found
        fenced = _FENCE.findall(text)
        return (fenced[-1] if fenced else text).strip("\n"), tag == "kernel"
    fenced = _FENCE.findall(said)
    if fenced:
        return "\n".join(fenced).strip("\n"), False
    bare = re.search(r"^(import |from |@triton)", said, re.MULTILINE)
    return (said[bare.start() :], False) if bare else (None, False)


def _element(text: str, tag: str) -> tuple[int, str, str]:
    """Where the last element of a tag ends (-1 = there is none), its text, the tag."""
    end = text.rfind(f"</{tag}>")
    start = text.rfind(f"<{tag}>", 0, end) if end >= 0 else -1
    return (end, text[start + len(tag) + 2 : end], tag) if start >= 0 else (-1, "", tag)


def extract(source: str, name: str, parameters: tuple[str, ...]) -> Extraction:
    """Read an answer.

    Args:
        source: of the module.
        name: of the wrapper that was asked for.
        parameters: of the wrapper.
    Raises:
        Refused: it is no Python, or has no kernel or no wrapper (format); a kernel uses what no kernel may use (cheat),
            or what the compiler would not take (compile).
    """
    return read(parse(source), name, parameters)


def read(tree: ast.Module, name: str, parameters: tuple[str, ...]) -> Extraction:
    """The same from a syntax tree, which is changed by it."""
    demands = formatting(tree, name, parameters)
    modules = module_names(tree)
    functions = _jit_functions(tree, modules)
    wrapper, bound = _wrapper(tree, name)
    if not functions:
        raise Refused("extract", "format", "no @triton.jit function at module level")
    if not bound:
        raise Refused("extract", "format", f"no function {name} at module level")
    check_conduct(tree, frozenset(functions))
    constants = constants_of(tree, modules)
    outside = outside_of(tree)
    kernels = {
        each.name: vetted(each, modules, frozenset(functions), frozenset(constants), outside)
        for each in functions.values()
    }
    return Extraction(kernels, constants, demands, wrapper)


def parse(source: str) -> ast.Module:
    """The syntax tree.

    Raises:
        Refused: it is none, or too large, or too deep.
    """
    if len(source) > LARGEST_SOURCE_CHARS:
        raise Refused(
            "extract", "format", f"{len(source)} characters; an answer has at most {LARGEST_SOURCE_CHARS}"
        )
    try:
        tree = syntax.parse(source)
    except SyntaxError as error:
        raise Refused(
            "extract", "format", f"line {error.lineno or 1}: {error.msg}: {(error.text or '').strip()[:80]}"
        ) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise Refused("extract", "format", f"not Python: {type(error).__name__}: {error}") from error
    _check_size(tree)
    return tree


def formatting(tree: ast.Module, name: str, parameters: tuple[str, ...]) -> dict[str, bool]:
    """Formal demands on a module that parses, by name."""
    modules = module_names(tree)
    wrapper, bound = _wrapper(tree, name)
    return {
        "parses": True,
        "imports": ("triton",) in modules.values() and ("tl",) in modules.values(),
        "kernel": bool(_jit_functions(tree, modules, strict=False)),
        "wrapper": bound,
        "signature": wrapper is not None and wrapper[: len(parameters)] == parameters,
    }


def _check_size(tree: ast.AST) -> None:
    """Refuse what is too deep for recursion, and integers that are too long for text; level by level, in one walk."""
    deepest, level = 0, [tree]
    while level:
        deepest += 1
        if deepest > DEEPEST:
            raise Refused("extract", "format", f"nested more than {DEEPEST} levels deep")
        below: list[ast.AST] = []
        for node in level:
            if isinstance(node, ast.Constant):
                if isinstance(node.value, int) and node.value.bit_length() > LONGEST_BITS:
                    raise Refused(
                        "extract", "format", f"line {node.lineno}: a number of {node.value.bit_length()} bits"
                    )
            elif not isinstance(node, ast.Name):
                below.extend(ast.iter_child_nodes(node))
        level = below


def _jit_functions(
    tree: ast.Module, modules: dict[str, tuple[str, ...]], *, strict: bool = True
) -> dict[str, ast.FunctionDef]:
    """Module-level functions with Triton's decorators.

    Raises:
        Refused: where ``strict``: a kernel is defined twice or has a foreign decorator.
    """
    found: dict[str, ast.FunctionDef] = {}
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef):
            continue
        paths = [
            path_of(each.func if isinstance(each, ast.Call) else each, modules)
            for each in node.decorator_list
        ]
        if not any(path in (("triton", "jit"), ("triton", "runtime", "jit")) for path in paths):
            continue
        if strict and node.name in found:
            raise Refused("extract", "cheat", f"two kernels are called {node.name}")
        known = ("jit", "autotune", "heuristics")
        if strict and not all(path[:1] == ("triton",) and path[-1] in known for path in paths):
            raise Refused(
                "extract",
                "cheat",
                f"kernel {node.name} has a decorator other than Triton's jit, autotune and heuristics",
            )
        found[node.name] = node
    return found


def _wrapper(tree: ast.Module, name: str) -> tuple[tuple[str, ...] | None, bool]:
    """Parameters of the function of this name (None for another kind of binding), and whether the name is bound."""
    parameters: tuple[str, ...] | None = None
    bound = False
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            arguments = node.args
            parameters = tuple(
                each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
            )
            bound = True
        elif isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == name for target in node.targets
        ):
            parameters, bound = None, True
    return parameters, bound
