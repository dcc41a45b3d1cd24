"""From the kernels' source to intermediate representation, through Triton's own compiler frontend."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rftgym_triton_kernels.dtypes import POINTERS
from rftgym_triton_kernels.modules import module_of
from rftgym_triton_kernels.replay.faults import Fault

__all__ = ["Frontend", "Signature", "signature"]

# The language's rules don't depend on the target; one target makes one intermediate representation.
_TARGET = ("cuda", 90, 32)


@dataclass(frozen=True, slots=True)
class Signature:
    """What distinguishes two compilations of one kernel.

    Args:
        kernel: Its name.
        types: (parameter, Triton's name of its type) in order; "constexpr" for what is fixed.
        constants: (parameter, value) of the fixed ones; a type is written as ("dtype", "float32").
    """

    kernel: str
    types: tuple[tuple[str, str], ...]
    constants: tuple[tuple[str, Any], ...]

    @property
    def runtime(self) -> tuple[str, ...]:
        """Parameters that the compiled kernel still has."""
        return tuple(name for name, type_ in self.types if type_ != "constexpr")


def signature(
    kernel: str, arguments: Sequence[tuple[str, Mapping[str, Any]]], fixed: Mapping[str, str]
) -> Signature:
    """How a launch specialises its kernel, as Triton's launcher decides it.

    Args:
        kernel: Name of the kernel.
        arguments: The tape's (parameter, argument) pairs.
        fixed: Types that the kernel's source prescribes, by parameter; "" where it only forbids specialisation.
    """
    types, constants = [], []
    for name, argument in arguments:
        type_, value = _classify(argument, fixed.get(name))
        types.append((name, type_))
        if type_ == "constexpr":
            constants.append((name, value))
    return Signature(kernel, tuple(types), tuple(constants))


def _classify(argument: Mapping[str, Any], prescribed: str | None) -> tuple[str, Any]:
    if "constexpr" in argument:
        value = argument["constexpr"]
        return "constexpr", ("dtype", value["dtype"]) if isinstance(value, dict) else value
    if argument.get("none"):
        return "constexpr", None
    if "view" in argument:
        return POINTERS[argument["view"]["dtype"]], None
    if prescribed:
        return prescribed, None
    if "bool" in argument:
        return "u1", None
    if "float" in argument:
        return "fp32", None
    value = argument["int"]
    if value == 1 and prescribed is None:
        return "constexpr", 1
    if -(2**31) <= value < 2**31:
        return "i32", None
    return ("i64" if value < 2**63 else "u64"), None


class Frontend:
    """Triton's frontend for one module of kernels.

    Args:
        source: The module; it has been vetted: imports, literal constants and `@triton.jit` functions.
        name: The module's name in error messages and locations, where it stands in angle brackets; unique in this
            process.
    Raises:
        Fault: The source can't be loaded.
    """

    _shared: ClassVar[dict[str, Any]] = {}

    def __init__(self, source: str, name: str):
        import triton

        self._triton = triton
        try:
            self._starts = {
                item.name: item.lineno for item in ast.parse(source).body if isinstance(item, ast.FunctionDef)
            }
        except SyntaxError as error:
            raise Fault("exception", f"SyntaxError: {error.msg}", line=error.lineno) from error
        try:
            self._module = module_of(source, name)
        except Exception as error:  # whatever Triton's decorator makes of a definition
            raise Fault(
                "exception", f"the kernels can't be defined: {type(error).__name__}: {error}"
            ) from error

    def prescribed(self, kernel: str) -> dict[str, str]:
        """Parameters whose type or whose lack of specialisation the kernel's author has prescribed."""
        return {
            parameter.name: parameter.annotation_type
            for parameter in self._kernel(kernel).params
            if parameter.annotation_type or parameter.do_not_specialize
        }

    def lower(self, wanted: Signature) -> str:
        """Compile as far as TTIR, and tidy it with the passes that every target runs.

        Raises:
            Fault: The compiler refuses the kernel.
        """
        from triton.compiler.compiler import ASTSource

        tools = self._tools()
        constants = {name: self._constant(value) for name, value in wanted.constants}
        function = self._kernel(wanted.kernel)
        source = ASTSource(fn=function, signature=dict(wanted.types), constexprs=constants, attrs={})
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                module = source.make_ir(
                    tools["target"], tools["options"], tools["functions"], tools["modules"], tools["context"]
                )
                _tidy(module, tools)
        except Exception as error:
            raise Fault("exception", _last_words(error), wanted.kernel, self._line(error)) from error
        text: str = module.str()
        return text

    def _line(self, error: BaseException | None) -> int | None:
        """Where in the module the compiler stopped: in the innermost of its errors that stands in the module."""
        line = None
        while error is not None:
            source, node = getattr(error, "src", None), getattr(error, "node", None)
            for name, start in self._starts.items():
                if (
                    node is not None
                    and source is not None
                    and getattr(getattr(self._module, name), "src", None) == source
                ):
                    line = start + node.lineno - 1
            error = error.__cause__
        return line

    def _kernel(self, name: str) -> Any:
        found = getattr(self._module, name, None)
        if not isinstance(found, self._triton.runtime.jit.JITFunction):
            raise Fault("exception", f"there is no kernel named {name}", name)
        return found

    def _constant(self, value: Any) -> Any:
        if isinstance(value, tuple) and len(value) == 2 and value[0] == "dtype":
            return getattr(self._triton.language, value[1].replace("bool", "int1"))
        return value

    @classmethod
    def _tools(cls) -> dict[str, Any]:
        """Target, options and context, made once a process: a context costs as much as a small kernel."""
        if not cls._shared:
            from triton._C.libtriton import ir, passes
            from triton.backends.compiler import GPUTarget
            from triton.compiler.compiler import make_backend

            target = GPUTarget(*_TARGET)
            backend = make_backend(target)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                options = backend.parse_options({"sanitize_overflow": False})
            context = ir.context()
            ir.load_dialects(context)
            backend.load_dialects(context)
            cls._shared.update(
                target=target,
                options=options,
                functions=backend.get_codegen_implementation(options),
                modules=backend.get_module_map(),
                context=context,
                ir=ir,
                passes=passes,
            )
        return cls._shared


def _tidy(module: Any, tools: Mapping[str, Any]) -> None:
    """Inline calls, turn block pointers and descriptors into pointers, and drop what isn't used."""
    passes = tools["passes"]
    manager = tools["ir"].pass_manager(tools["context"])
    passes.common.add_inliner(manager)
    if hasattr(passes.ttir, "add_rewrite_tensor_pointer"):  # block pointers: up to 3.7
        passes.ttir.add_rewrite_tensor_pointer(manager)
    passes.ttir.add_rewrite_tensor_descriptor_to_pointer(manager)
    passes.common.add_canonicalizer(manager)
    passes.ttir.add_combine(manager)
    passes.common.add_cse(manager)
    passes.common.add_licm(manager)
    passes.common.add_symbol_dce(manager)
    manager.run(module, "replay")


def _last_words(error: BaseException) -> str:
    """The compiler's message, shortened to its last line that says something."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip().strip("^ ")]
    return f"{type(error).__name__}: {lines[-1][:300]}" if lines else type(error).__name__
