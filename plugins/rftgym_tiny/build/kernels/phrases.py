"""What the tokenizer of `tiny-kernels` holds as one token beside the bytes."""

from __future__ import annotations

from typing import Final

from rftgym_triton_kernels import prompts
from rftgym_triton_kernels.kernel_writer import write_kernel
from rftgym_triton_kernels.practice import NUMBERS, TENSORS, practice
from rftgym_triton_kernels.practice_texts import OPENINGS, SHAPES, WORDS
from rftgym_triton_kernels.templates import MASKS, VECTORS, read_reference
from rftgym_triton_kernels.translate import FUNCTIONS, OWN_FUNCTIONS, REDUCTIONS, Untranslatable

VERSIONS: Final = ((3, 6), (3, 7), (3, 8), (3, 9))
"""Versions of Triton that the system message may name."""
SAMPLED: Final = 4000
"""Practice functions whose answers are searched for fixed phrases."""
POSED: Final = (
    "Write ",
    "\nIn PyTorch:\ndef ",
    "\n    return ",
    "\n    ",
    ", dim=-1)",
    ", dim=-1, keepdim=True)",
    ", min=",
    ", max=",
    "[:, None]",
    "[None, :]",
    ".transpose(0, 1)",
    ".contiguous()",
    ".t()",
    ", dims=[",
    "torch.relu(",
    "torch.clamp(",
    "torch.flip(",
    "torch.tril(",
    "torch.triu(",
    " + ",
    " - ",
    " * ",
    " / ",
    " > ",
    " < ",
    " >= ",
    " <= ",
    " @ ",
    " = ",
    ", ",
    "1e-05",
)


def phrases() -> list[str]:
    """The phrases in the order of their tokens."""
    example = prompts.system(VERSIONS[0], example=True).removeprefix(prompts.system(VERSIONS[0]))
    facts = [fact for _, fact in prompts.FACTS]
    found = [prompts.RULES, example, *(f"\nTriton {major}.{minor}: " for major, minor in VERSIONS)]
    found += [*facts, *(f" {fact}" for fact in facts), *POSED]
    found += [f"torch.{name}(" for name in (*FUNCTIONS, *OWN_FUNCTIONS, *REDUCTIONS)]
    found += sorted(_fixed())
    found += [*OPENINGS, *dict.fromkeys(f" {shape}" for shapes in SHAPES.values() for shape in shapes)]
    names = {*TENSORS, *NUMBERS, *VECTORS, *MASKS}
    found += sorted(name for name in names | {word.lower() for word in WORDS} if len(name) > 2)
    found += sorted({f" {word}" for word in (*WORDS, *names)})
    return list(dict.fromkeys(found))


def _fixed() -> set[str]:
    """Fixed phrases of written kernels, and of the mistakes in them."""
    texts = set[str]()
    for index in range(SAMPLED):
        function = practice(0, index)
        try:
            pieces = write_kernel(read_reference(function.signature, function.reference, function.numbers))
        except Untranslatable:
            continue
        for piece in pieces:
            if piece.fixed:
                texts.update((piece.text, *(slip.text for slip in piece.slips)))
    return {text for text in texts if len(text) > 1}
