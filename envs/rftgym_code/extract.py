"""Finding the code in an answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from rftgym import Parser
from rftgym.parser import Parsed

FENCE: Final = re.compile(r"^[ \t]{0,3}```[ \t]*([A-Za-z0-9_+-]{0,20})[ \t]*$", re.MULTILINE)
BARE: Final = re.compile(r"(?:from|import|def|class|@|async)\b|[A-Za-z_]\w*\s*=")
LANGUAGES: Final = frozenset({"python", "py", "python3", ""})
THOUGHT: Final = ("<think>", "</think>")


class CodeParser(Parser):
    """The last fenced block of Python, or a whole answer that begins as Python does.

    Well-formed is an answer with exactly one fenced block, marked as ``python`` and closed. What a reasoning model
    thinks before its last ``</think>`` is not said.
    """

    def parse(self, completion: str) -> Parsed:
        """Linear in the completion's length whatever it holds."""
        said = completion.rpartition(THOUGHT[1])[2].partition(THOUGHT[0])[0]
        blocks = list(_blocks(said))
        python = [(code, closed, name) for name, code, closed in blocks if name in LANGUAGES and code.strip()]
        if python:
            code, closed, name = python[-1]
            return Parsed(code, len(blocks) == 1 and closed and name == "python")
        if not blocks and BARE.match(said.strip()):
            return Parsed(said.strip("\n") + "\n", False)
        return Parsed(None, False)


def _blocks(text: str) -> Iterator[tuple[str, str, bool]]:
    """Fenced blocks: language, content, and whether the fence was closed."""
    opened: re.Match[str] | None = None
    for fence in FENCE.finditer(text):
        if opened is None:
            opened = fence
        elif not fence[1]:
            yield opened[1].lower(), text[opened.end() + 1 : fence.start()], True
            opened = None
    if opened is not None:
        yield opened[1].lower(), text[opened.end() + 1 :], False


def defines(code: str, entry: str) -> bool:
    """Whether a line of the code begins to define the entry."""
    name = re.escape(entry.partition(".")[0])
    return re.search(rf"^(?:(?:async )?def|class) {name}\b|^{name}\s*[:=]", code, re.MULTILINE) is not None


def adds_nothing(code: str, prompt: str) -> bool:
    """Whether every line of the code was in the prompt already, or does nothing: the answer is an echo."""
    known = {line.strip() for line in prompt.splitlines()}
    return all(
        line in known or line in ("", "pass", "...") or line.startswith("#")
        for line in map(str.strip, code.splitlines())
    )
