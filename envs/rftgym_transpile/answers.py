"""Reading the code out of a completion: strict about the format, lenient about everything else."""

from __future__ import annotations

import re
import textwrap

from rftgym.parser import Parsed, Parser

FENCES = {"python": ("python", "py", "python3"), "java": ("java",), "javascript": ("javascript", "js")}
_FENCE = re.compile(
    r"^[ \t]*```+[ \t]*([\w+-]*)[^\n]*\n(.*?)(?:^[ \t]*```+[ \t]*$|\Z)", re.DOTALL | re.MULTILINE
)
_DEFINING = {
    "python": r"^[ \t]*(?:(?:async[ \t]+)?def|class)[ \t]+(\w+)|^(\w+)[ \t]*(?::[^=\n]*)?=(?!=)",
    "java": r"\b(?:class|record|enum|interface)\s+([\w$]+)|[\w\]>](?<!\bdef)\s+([\w$]+)\s*\(",
    "javascript": r"\b(?:function\b(?:\s*\*)?|class|const|let|var)\s*([\w$]+)",
}
_WORTH_RUNNING = {**_DEFINING, "python": r"^[ \t]*(?:def|class)[ \t]|=[ \t]*lambda\b"}
_TRIES_OUT = re.compile(r"^(?:def test_|class Test\w*\(|import (?:unittest|pytest)\b)", re.MULTILINE)
_BEGINS = re.compile(
    r"(?:async )?def \w+ ?[(\[]|class \w+ ?[:(\[]|from [\w.]+ import |import [\w., ]+$|if .*:$|@\w|\w+ ?(?::[^=]+)?=|#"
)
"""A line of a module at the margin that no sentence begins with."""
_CONTINUES = re.compile(
    r"[ \t)\]}]|else:|elif .*:$|except\b.*:$|finally:|try:|(?:for|while|with) .*:$|[\w.]+\(.*\)$"
)


class CodeParser(Parser):
    """The code of one language; well-formed where it stands in one closed block with that language's name.

    Otherwise the last block is taken that defines something, one that was never closed too, or the bare text.
    """

    def __init__(self, language: str) -> None:
        self._names = FENCES[language]

    def parse(self, completion: str) -> Parsed:
        """Linear in the completion's length."""
        said = completion.rpartition("</think>")[2].replace("\r\n", "\n")
        blocks = _FENCE.findall(said)
        if not blocks:
            inner = (
                said.rpartition("</answer>")[0].rpartition("<answer>")[2] or said
            )  # a habit from elsewhere
            bare = (without_prose(inner) if "python" in self._names else inner).strip("\n")
            return Parsed(bare if bare.strip() else None, False)
        own = [code for name, code in blocks if name.lower() in self._names] or [code for _, code in blocks]
        code = self._meant(own).strip("\n")
        code = textwrap.dedent(code) if code[:1] in (" ", "\t") else code
        lines = [line.strip() for line in said.split("\n") if line.lstrip().startswith("```")]
        formal = len(lines) == 2 and lines[0] == f"```{self._names[0]}" and lines[1] == "```"
        return Parsed(code if code.strip() else None, formal and bool(code.strip()))

    def _meant(self, blocks: list[str]) -> str:
        """The last one that defines something: what is behind it, only tries it out."""
        for code in reversed(blocks):
            if re.search(_WORTH_RUNNING[self._names[0]], code, re.MULTILINE) and not _TRIES_OUT.search(code):
                return code
        return blocks[-1]


def without_prose(text: str) -> str:
    """Python that stands among sentences: from the first line that can begin a module to the last one of code."""
    lines = text.split("\n")
    begin = next((number for number, line in enumerate(lines) if _BEGINS.match(line)), 0)
    end = len(lines)
    while end > begin + 1 and not (_BEGINS.match(lines[end - 1]) or _CONTINUES.match(lines[end - 1])):
        end -= 1
    return "\n".join(lines[begin:end])


def defines(code: str, entry: str, language: str) -> bool:
    """Whether the code looks as if it defined the entry, under its name or that name as Python writes it."""
    wanted = _squashed(entry.rpartition(".")[2])
    found = re.finditer(_DEFINING[language], code, re.MULTILINE)
    return any(_squashed(name) == wanted for each in found for name in each.groups() if name)


def _squashed(name: str) -> str:
    return name.replace("_", "").lower()
