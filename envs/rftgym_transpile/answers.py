"""Reading the code out of a completion: strict about the format, lenient about everything else."""

from __future__ import annotations

import re

from rftgym.parser import Parsed, Parser

FENCES = {"python": ("python", "py", "python3"), "java": ("java",), "javascript": ("javascript", "js")}
_FENCE = re.compile(
    r"^[ \t]*```[ \t]*([\w+-]*)[^\n]*\n(.*?)(?:^[ \t]*```[ \t]*$|\Z)", re.DOTALL | re.MULTILINE
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_DEFINING = {
    "python": r"^[ \t]*(?:(?:async[ \t]+)?def|class)[ \t]+(?:{names})\b|^(?:{names})[ \t]*=",
    "java": r"\b(?:class|record|enum|interface)\s+(?:{names})\b|[\w\]>](?<!\bdef)\s+(?:{names})\s*\(",
    "javascript": r"\b(?:function\b(?:\s*\*)?|class|const|let|var)\s*(?:{names})\b",
}


class CodeParser(Parser):
    """The code of one language; well-formed where it stands in one closed block with that language's name.

    Otherwise the last block is taken, one that was never closed too, or the bare text.
    """

    def __init__(self, language: str) -> None:
        self._names = FENCES[language]

    def parse(self, completion: str) -> Parsed:
        """Linear in the completion's length."""
        said = completion.rpartition("</think>")[2]
        blocks = _FENCE.findall(said)
        if not blocks:
            inner = (
                said.rpartition("</answer>")[0].rpartition("<answer>")[2] or said
            )  # a habit from elsewhere
            bare = inner.strip("\n")
            return Parsed(bare if bare.strip() else None, False)
        own = [code for name, code in blocks if name.lower() in self._names]
        code = (own or [code for _, code in blocks])[-1].strip("\n")
        lines = [line.strip() for line in said.split("\n") if line.lstrip().startswith("```")]
        formal = len(lines) == 2 and lines[0] == f"```{self._names[0]}" and lines[1] == "```"
        return Parsed(code if code.strip() else None, formal and bool(code.strip()))


def defines(code: str, entry: str, language: str) -> bool:
    """Whether the code looks as if it defined the entry, under its name or that name as Python writes it."""
    name = entry.rpartition(".")[2]
    snake = _HUMP.sub("_", name).lower()
    names = "|".join(re.escape(each) for each in dict.fromkeys((name, snake, f"{name}_", f"{snake}_")))
    return re.search(_DEFINING[language].format(names=names), code, re.MULTILINE) is not None
