"""Stage 4, compile: every distinct launch, ahead of time for a named GPU; needs none.

An interpreter accepts much that the compiler refuses (a loop-carried change of type, ``break``, too much shared
memory), so a kernel is right only if it compiles too. Vetted kernels only; PTX is made in one sandboxed process and
assembled by ptxas in another. Results are cached by content in the memory of the judge, which no sandboxed process can
reach.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rftgym_triton_kernels.dtypes import ITEMSIZE, POINTERS
from rftgym_triton_kernels.modules import module_of
from rftgym_triton_kernels.tape import Launch
from rftgym_triton_kernels.targets import TARGETS, target_of

LONGEST_MESSAGE_CHARS = 400
ALIGNMENT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Specialisation:
    """A launch as the compiler sees it: what Triton's just-in-time compiler would specialise on.

    Attributes:
        kernel: name.
        signature: (parameter, type) in order, such as "*fp32", "i32" or "constexpr".
        constants: (parameter, value) of constexprs, of arguments that are None and of integers that are 1.
        aligned: parameters whose value (or address) is a multiple of 16.
        options: num_warps and the like.
    """

    kernel: str
    signature: tuple[tuple[str, str], ...]
    constants: tuple[tuple[str, str], ...]
    aligned: tuple[str, ...]
    options: tuple[tuple[str, str], ...]

    def as_json(self) -> dict[str, Any]:
        """For the compiling process."""
        return {
            "kernel": self.kernel,
            "signature": list(self.signature),
            "constants": {name: json.loads(value) for name, value in self.constants},
            "aligned": list(self.aligned),
            "options": {name: json.loads(value) for name, value in self.options},
        }


def specialise(launch: Launch, unspecialised: frozenset[str] = frozenset()) -> Specialisation:
    """The specialisation that a launch needs.

    Args:
        launch: a valid one.
        unspecialised: parameters that the kernel's author excluded (``do_not_specialize``).
    """
    signature, constants, aligned = [], [], []
    for name, argument in launch.arguments:
        (kind, value), *_ = argument.items()
        type_ = "constexpr"
        if kind == "view":
            type_ = POINTERS[value["dtype"]]
            if value["offset"] * ITEMSIZE[value["dtype"]] % ALIGNMENT_BYTES == 0:
                aligned.append(name)
        elif kind == "int" and (value != 1 or name in unspecialised):
            type_ = "i32" if -(1 << 31) <= value < 1 << 31 else "i64" if value < 1 << 63 else "u64"
            if value % 16 == 0 and name not in unspecialised:
                aligned.append(name)
        elif kind == "float":
            type_ = "fp32"
        elif kind == "bool":
            type_ = "u1"
        else:
            constants.append((name, json.dumps(None if kind == "none" else value)))
        signature.append((name, type_))
    options = sorted((name, json.dumps(value)) for name, value in launch.options.items() if value is not None)
    return Specialisation(launch.kernel, tuple(signature), tuple(constants), tuple(aligned), tuple(options))


def cache_key(source: str, what: Specialisation, target: str, version: tuple[int, ...]) -> str:
    """Of a compilation: a hash of everything that its result depends on."""
    content = json.dumps([source, what.as_json(), target, version], sort_keys=True)
    return hashlib.blake2b(content.encode(), digest_size=20).hexdigest()


# ---- in the sandboxed process


def preload() -> None:
    """Import the compiler and compile a kernel once: the first time takes seconds, and the children inherit it."""
    source = (
        "import triton\nimport triton.language as tl\n\n@triton.jit\ndef k(x, y, n, N: tl.constexpr):\n"
        "    i = tl.arange(0, N)\n    v = tl.load(x + i, mask=i < n, other=0.0)\n"
        "    tl.store(y + i, tl.exp(v) / tl.sum(v, axis=0), mask=i < n)\n"
    )
    launch = {
        "kernel": "k",
        "signature": [["x", "*fp32"], ["y", "*fp32"], ["n", "i32"], ["N", "constexpr"]],
        "constants": {"N": 64},
        "aligned": ["x", "y"],
        "options": {},
    }
    for (
        target
    ) in TARGETS:  # each may ask for the version of another assembler, which no sandboxed process can start
        header, _ = compile_launches({"source": source, "target": target, "launches": [launch]}, ())
        if "error" in header["launches"][0]:
            raise RuntimeError(f"Triton does not compile: {header['launches'][0]['error']}")


def compile_launches(
    header: dict[str, Any], blobs: Sequence[bytes]
) -> tuple[dict[str, Any], tuple[bytes, ...]]:
    """Compile specialisations to assembly.

    Args:
        header: "source", vetted; "target"; "launches", specialisations as JSON.
        blobs: none.
    Returns:
        {"launches": [{"blob", "lowered", "shared", "narrows"} or {"error": message}, ...]} and the texts: assembly, and
        Triton's intermediate representation, which the replay can start from.
    """
    module = module_of(header["source"], "kernels")
    outcomes: list[dict[str, Any]] = []
    texts: list[bytes] = []
    for launch in header["launches"]:
        try:
            text, lowered, facts = _assembly(getattr(module, launch["kernel"]), launch, header["target"])
        except Exception as error:  # noqa: BLE001  # whatever Triton makes of a kernel; it is the answer
            outcomes.append({"error": _told(error)})
        else:
            outcomes.append({"blob": len(texts), "lowered": len(texts) + 1, **facts})
            texts += [text.encode(), lowered.encode()]
    return {"launches": outcomes}, tuple(texts)


def _assembly(kernel: Any, launch: dict[str, Any], target_name: str) -> tuple[str, str, dict[str, Any]]:
    """PTX or AMD assembly, by the stages of Triton's own pipeline up to the text; and the first stage's."""
    import triton.language as tl
    from triton._C.libtriton import ir
    from triton.compiler import ASTSource
    from triton.compiler.compiler import make_backend

    target = target_of(target_name).triton()
    backend = make_backend(target)
    options = backend.parse_options(
        {key: value for key, value in launch["options"].items() if key != "allow_tf32"}
    )
    places = {name: index for index, (name, _) in enumerate(launch["signature"])}
    constants = {(places[name],): _value(value, tl) for name, value in launch["constants"].items()}
    attributes = {(places[name],): [["tt.divisibility", ALIGNMENT_BYTES]] for name in launch["aligned"]}
    source = ASTSource(kernel, dict(map(tuple, launch["signature"])), constants, attributes)
    context = ir.context()
    ir.load_dialects(context)
    backend.load_dialects(context)
    stages: dict[str, Any] = {}
    backend.add_stages(stages, options, source.language)
    facts = {"target": target, "hash": "", **vars(options)}
    module = source.make_ir(
        target, options, backend.get_codegen_implementation(options), backend.get_module_map(), context
    )
    narrows = _narrows(str(module), launch["signature"])
    lowered = ""
    for name, stage in stages.items():
        module = stage(module, facts)
        if name == "ttir":
            lowered = str(module)
        if name in ("ptx", "amdgcn"):
            break
    return str(module), lowered, {"shared": int(facts.get("shared", 0)), "narrows": narrows}


_TRUNCATION = re.compile(r"arith\.truncf .*? to (?:tensor<[\dx]*x)?(f16|bf16|f8\w+)")


def _narrows(text: str, signature: Sequence[Sequence[str]]) -> bool:
    """Whether a kernel rounds to 16 bits though no pointer that it is given holds such numbers."""
    pointers = {type_ for _, type_ in signature if type_.startswith("*")}
    return not pointers & {"*fp16", "*bf16"} and _TRUNCATION.search(text) is not None


def _value(value: Any, tl: Any) -> Any:
    if isinstance(value, dict):
        name = str(value["dtype"])
        return getattr(
            tl, {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16", "fp64": "float64"}.get(name, name)
        )
    return value


def _told(error: BaseException) -> str:
    """What the compiler says, in a line: the reason first, then the line of source that it points at."""
    while error.__cause__ is not None:
        error = error.__cause__
    text = str(error)
    lines = [line for line in text.splitlines() if line.strip()]
    caret = next((index for index, line in enumerate(lines) if set(line.strip()) == {"^"}), None)
    if caret:
        reason = " ".join(lines[caret + 1 :]) or "not supported"
        text = f"{reason}, at: {lines[caret - 1].strip()}"
    return f"{type(error).__name__}: {' '.join(text.split())}"[:LONGEST_MESSAGE_CHARS]


# ---- in the judge


_PTXAS = re.compile(r"Used (\d+) registers")
_SPILLS = re.compile(r"(\d+) bytes spill stores, (\d+) bytes spill loads")


def assembler(target_name: str) -> tuple[str, tuple[str, ...]] | None:
    """Path and arguments of the assembler of a target; None for one whose assembler runs inside of Triton."""
    target = target_of(target_name)
    if target.backend != "cuda":
        return None
    from triton.backends.nvidia.compiler import get_ptxas, sm_arch_from_capability

    path = get_ptxas(target.architecture).path
    return path, ("-lineinfo", "-v", f"--gpu-name={sm_arch_from_capability(target.architecture)}")


def assembled(text: str) -> dict[str, int]:
    """Registers a thread and spilled bytes, from what ptxas says with ``-v``."""
    registers, spills = _PTXAS.search(text), _SPILLS.search(text)
    return {
        "registers": int(registers[1]) if registers else 0,
        "spills": int(spills[1]) + int(spills[2]) if spills else 0,
    }


def amd_facts(assembly: str) -> dict[str, int]:
    """Registers and spilled bytes as AMD's assembly states them."""
    registers = [int(found) for found in re.findall(r"\.vgpr_count:\s+(\d+)", assembly)]
    spills = [int(found) * 4 for found in re.findall(r"\.vgpr_spill_count:\s+(\d+)", assembly)]
    return {"registers": max(registers, default=0), "spills": max(spills, default=0)}
