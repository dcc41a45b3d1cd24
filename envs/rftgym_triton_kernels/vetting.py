"""Which Python may stand in a kernel: its body, checked node by node and rewritten to canonical names."""

from __future__ import annotations

import ast
import builtins
import sys
from dataclasses import dataclass

from rftgym_triton_kernels.names import path_of
from rftgym_triton_kernels.verdict import Kind, Refused

KERNEL_BUILTINS = frozenset(
    {"range", "min", "max", "abs", "len", "int", "float", "bool", "print", "tuple", "isinstance"}
)
METHODS = frozenset(
    """
    abs advance argmax argmin associative_scan atomic_add atomic_and atomic_cas atomic_max atomic_min atomic_or
    atomic_xchg atomic_xor bitcast block_shape block_type broadcast_to cast cdiv ceil cos cumprod cumsum dtype
    element_ty erf exp exp2 expand_dims expm1 flip floor fma gather histogram int_bitwidth is_bf16 is_block
    is_bool is_floating is_fp16 is_fp32 is_fp64 is_int is_ptr join load log log2 logical_and logical_or max
    maximum min minimum ndim numel permute primitive_bitwidth ravel reduce reshape rsqrt scalar scatter shape
    sigmoid sin softmax sort split sqrt sqrt_rn store strides sum swizzle2d T to topk trans type umulhi value view
    where xor_sum zeros zeros_like
    """.split()  # noqa: SIM905  # a list of eighty quoted words is harder to read
)
"""Attributes of values (not of modules) that a kernel may use."""
STATEMENTS = (
    ast.Assign,
    ast.AugAssign,
    ast.AnnAssign,
    ast.Expr,
    ast.If,
    ast.For,
    ast.While,
    ast.Return,
    ast.Pass,
    ast.Break,
    ast.Continue,
    ast.Assert,
)
EXPRESSIONS = (
    ast.BinOp,
    ast.UnaryOp,
    ast.Compare,
    ast.BoolOp,
    ast.IfExp,
    ast.Call,
    ast.Name,
    ast.Constant,
    ast.Tuple,
    ast.List,
    ast.Subscript,
    ast.Slice,
    ast.Attribute,
    ast.Starred,
)
GONE = ("inline_asm_elementwise", "core", "semantic", "standard", "tensor", "builtin", "extern_elementwise")
"""Names of ``tl`` that no kernel needs and that lead to the frontend's inner parts or past the interpreter."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """A vetted kernel, or a function that kernels call.

    Attributes:
        name: of the function.
        source: canonical, with its ``@triton.jit`` line.
        parameters: names in order.
        constexprs: names of the parameters that are compile-time constants.
        calls: names of the other jit functions and of the constexpr globals that it uses.
        unspecialised: parameters that its author excluded from specialisation (``do_not_specialize``).
    """

    name: str
    source: str
    parameters: tuple[str, ...]
    constexprs: frozenset[str]
    calls: frozenset[str]
    unspecialised: frozenset[str] = frozenset()


def vetted(
    function: ast.FunctionDef,
    modules: dict[str, tuple[str, ...]],
    jitted: frozenset[str],
    constants: frozenset[str],
    outside: Outside,
) -> Kernel:
    """Check and canonicalise one function.

    Raises:
        Refused: it uses what no kernel may use.
    """
    arguments = function.args
    if arguments.vararg or arguments.kwarg or arguments.posonlyargs:
        raise Refused(
            "extract", "compile", f"kernel {function.name}: *args, **kwargs and / are no kernel parameters"
        )
    every = [*arguments.args, *arguments.kwonlyargs]
    constexprs = frozenset(each.arg for each in every if _is_constexpr(each.annotation, modules))
    if any(name in (*modules, "tl", "triton", "libdevice") for name in (each.arg for each in every)):
        raise Refused(
            "extract", "compile", f"kernel {function.name}: a parameter hides one of Triton's modules"
        )
    body = function.body
    if (
        isinstance(body[0], ast.Expr)
        and isinstance(body[0].value, ast.Constant)
        and isinstance(body[0].value.value, str)
    ):
        body = body[1:] or [ast.Pass()]
    visitor = _Body(function, modules, jitted, constants, outside, {each.arg for each in every})
    clean = [visitor.visit(statement) for statement in body]
    for each in every:
        each.annotation = (
            ast.Attribute(ast.Name("tl", ast.Load()), "constexpr", ast.Load())
            if each.arg in constexprs
            else None
        )
        each.type_comment = None
    arguments.defaults = [visitor.default(node) for node in arguments.defaults]
    arguments.kw_defaults = [
        None if node is None else visitor.default(node) for node in arguments.kw_defaults
    ]
    jit = ast.Attribute(ast.Name("triton", ast.Load()), "jit", ast.Load())
    canonical = ast.FunctionDef(function.name, arguments, clean, [jit], None, None)
    if sys.version_info >= (3, 12):
        canonical.type_params = []
    return Kernel(
        function.name,
        ast.unparse(ast.fix_missing_locations(canonical)),
        tuple(each.arg for each in every),
        constexprs,
        frozenset(visitor.used),
        _unspecialised(function, [each.arg for each in every]),
    )


def _unspecialised(function: ast.FunctionDef, parameters: list[str]) -> frozenset[str]:
    """Parameters that a decorator's ``do_not_specialize`` lists, by name or by place."""
    keywords = (
        each for call in function.decorator_list if isinstance(call, ast.Call) for each in call.keywords
    )
    names: set[str] = set()
    for keyword in keywords:
        if keyword.arg == "do_not_specialize" and isinstance(keyword.value, ast.List | ast.Tuple):
            listed = [each.value for each in keyword.value.elts if isinstance(each, ast.Constant)]
            names.update(each for each in listed if isinstance(each, str))
            names.update(
                parameters[each] for each in listed if isinstance(each, int) and 0 <= each < len(parameters)
            )
    return frozenset(names)


def _is_constexpr(annotation: ast.expr | None, modules: dict[str, tuple[str, ...]]) -> bool:
    if annotation is None:
        return False
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return annotation.value.split(".")[-1].strip() == "constexpr"
    return path_of(annotation, modules) == ("tl", "constexpr")


@dataclass(frozen=True, slots=True)
class Outside:
    """Names around a kernel.

    Attributes:
        names: everything that the module binds at its top level, by whatever means.
        plain: what assignments bind.
    """

    names: frozenset[str]
    plain: frozenset[str]


def outside_of(tree: ast.Module) -> Outside:
    """The names that a module binds."""
    return Outside(_global_names(tree), _assigned(tree))


def _assigned(tree: ast.Module) -> frozenset[str]:
    """Names that plain assignments at module level bind."""
    return frozenset(
        node.id
        for statement in tree.body
        if isinstance(statement, ast.Assign | ast.AnnAssign)
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )


def _global_names(tree: ast.Module) -> frozenset[str]:
    """Names that the module binds at its top level, by whatever means."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            names.add(statement.name)
        for node in (
            ast.walk(statement) if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign) else ()
        ):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
    return frozenset(names)


class _Body(ast.NodeTransformer):
    """Vets the statements of one function and rewrites names of modules to the canonical ones."""

    def __init__(
        self,
        function: ast.FunctionDef,
        modules: dict[str, tuple[str, ...]],
        jitted: frozenset[str],
        constants: frozenset[str],
        outside: Outside,
        parameters: set[str],
    ) -> None:
        self.name = function.name
        self.modules, self.jitted, self.constants = modules, jitted, constants
        self.outside, self.plain = outside.names, outside.plain
        stored = {
            node.id
            for node in ast.walk(function)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        self.locals = stored | parameters
        self.used: set[str] = set()

    def default(self, node: ast.expr) -> ast.expr:
        """A parameter's default: a literal, or a constant of the module."""
        if isinstance(node, ast.Name | ast.Constant | ast.UnaryOp | ast.Attribute):
            result: ast.expr = self.visit(node)
            return result
        raise Refused("extract", "cheat", f"kernel {self.name}: a parameter's default is computed in Python")

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Every kind of node that no method below allows is refused."""
        plain = (ast.operator, ast.unaryop, ast.cmpop, ast.boolop, ast.expr_context, ast.keyword)
        if not isinstance(node, STATEMENTS + EXPRESSIONS + plain):
            line = getattr(node, "lineno", 0)
            raise Refused(
                "extract",
                "cheat" if isinstance(node, _PYTHON_ONLY) else "compile",
                f"kernel {self.name}, line {line}: {type(node).__name__} is Python, not Triton",
            )
        return super().generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """Numbers and texts; no bytes, no complex numbers."""
        if not isinstance(node.value, int | float | str | None) or (
            isinstance(node.value, int) and abs(node.value) >= 2**64
        ):
            raise Refused(
                "extract", "compile", f"kernel {self.name}, line {node.lineno}: a constant of no Triton type"
            )
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """``x: tl.constexpr = 3`` stays what it is; every other annotation of a local is dropped."""
        if node.value is None or not isinstance(node.target, ast.Name):
            raise Refused(
                "extract", "compile", f"kernel {self.name}, line {node.lineno}: a declaration without a value"
            )
        target, value = self.visit(node.target), self.visit(node.value)
        if _is_constexpr(node.annotation, self.modules):
            annotation = ast.Attribute(ast.Name("tl", ast.Load()), "constexpr", ast.Load())
            return ast.copy_location(ast.AnnAssign(target, annotation, value, 1), node)
        return ast.copy_location(ast.Assign([target], value), node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """A local, a parameter, another kernel, a constant, a builtin; an unknown name is the compiler's to refuse."""
        if isinstance(node.ctx, ast.Store):
            if node.id in self.modules or node.id in ("tl", "triton", "libdevice"):
                raise Refused(
                    "extract", "compile", f"kernel {self.name}: {node.id} is one of Triton's modules"
                )
            if node.id.startswith("__"):
                raise Refused("extract", "cheat", f"kernel {self.name}: {node.id} is Python's")
            return node
        if node.id in self.locals:
            return node
        if node.id in self.jitted or node.id in self.constants:
            self.used.add(node.id)
            return node
        if node.id in self.modules:
            return self._module_value(node, self.modules[node.id])
        if node.id in KERNEL_BUILTINS and node.id not in self.outside:
            return node
        line = f"kernel {self.name}, line {node.lineno}"
        if node.id in self.outside:
            raise Refused("extract", *self._outside(node.id, line))
        if hasattr(builtins, node.id) or node.id.startswith("__"):
            raise Refused("extract", "cheat", f"{line}: {node.id} is Python's, and no kernel can use it")
        raise Refused("extract", "compile", f"{line}: {node.id} is not defined")

    def _outside(self, name: str, line: str) -> tuple[Kind, str]:
        if name in self.plain:
            return "compile", f"{line}: the global {name} is no tl.constexpr with a literal value"
        return "cheat", f"{line}: {name} is Python from outside of the kernel"

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """``tl.exp``, ``libdevice.tanh``, ``x.dtype.element_ty``."""
        root: ast.AST = node
        while isinstance(root, ast.Attribute):
            root = root.value
        if isinstance(root, ast.Name) and root.id not in self.locals:
            path = path_of(node, self.modules)
            if path:
                return self._module_value(node, path)
        value = self.visit(node.value)
        if node.attr not in METHODS:
            raise Refused(
                "extract",
                "cheat" if node.attr.startswith("_") else "compile",
                f"kernel {self.name}, line {node.lineno}: .{node.attr} is no attribute that a kernel's values have",
            )
        return ast.copy_location(ast.Attribute(value, node.attr, node.ctx), node)

    def _module_value(self, node: ast.expr, path: tuple[str, ...]) -> ast.AST:
        """A function or a type of Triton's by its canonical name."""
        line = f"kernel {self.name}, line {node.lineno}"
        text = ".".join(path)
        allowed = (
            (len(path) == 2 and path[0] in ("tl", "libdevice"))
            or (len(path) == 3 and path[:2] in (("tl", "math"), ("tl", "dtype")))
            or path in (("triton", "cdiv"), ("triton", "next_power_of_2"))
        )
        if any(part.startswith("_") for part in path) or path[-1] in GONE:
            raise Refused("extract", "cheat", f"{line}: {text} is not for kernels")
        if not allowed:
            raise Refused("extract", "compile", f"{line}: {text} is no function of Triton's language")
        if not isinstance(node.ctx if hasattr(node, "ctx") else ast.Load(), ast.Load):
            raise Refused("extract", "cheat", f"{line}: {text} is assigned to")
        if path[0] == "triton":  # tl.cdiv is the one that compiles everywhere
            path = ("tl", path[1]) if path[1] == "cdiv" else path
        result: ast.expr = ast.Name(path[0], ast.Load())
        for part in path[1:]:
            result = ast.Attribute(result, part, ast.Load())
        return ast.copy_location(result, node)


_PYTHON_ONLY = (
    ast.Import,
    ast.ImportFrom,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Lambda,
    ast.Global,
    ast.Nonlocal,
    ast.Delete,
    ast.Try,
    ast.With,
    ast.Raise,
    ast.Await,
    ast.Yield,
    ast.YieldFrom,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
    ast.JoinedStr,
    ast.NamedExpr,
)
