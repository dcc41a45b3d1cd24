"""Finding the code in an answer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rftgym import Parser
from rftgym.parser import Parsed

FENCE: Final = re.compile(r"^([ \t]*+)(`{3,}+|~{3,}+)[ \t]*+([^\s`]*+)[^\n`]*+$", re.MULTILINE)
BARE: Final = re.compile(r"(?:from|import|def|class|@|async)\b|[A-Za-z_]\w*\s*=|[#'\"]")
DEFINITION: Final = re.compile(
    r"^(?:async )?def \w+ ?\(|^class \w+ ?[:(]|^[A-Za-z_]\w*(?: ?:[^\n=]{1,80})? ?=", re.MULTILINE
)
LANGUAGES: Final = frozenset({"python", "py", "python3", ""})
THOUGHT: Final = ("<think>", "</think>")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block.

    Attributes:
        language: in small letters; "" where none is named.
        code: what stands in it, without the indentation of its fence.
        closed: whether the fence was closed.
    """

    language: str
    code: str
    closed: bool


class CodeParser(Parser):
    """The last fenced block of Python, or an answer that begins as Python does.

    Well-formed is an answer with exactly one fenced block, marked as ``python`` and closed. What a reasoning model
    thinks before its last ``</think>`` is not said.
    """

    def parse(self, completion: str) -> Parsed:
        """Linear in the completion's length whatever it holds."""
        return parsed(completion)


def parsed(completion: str, entry: str = "") -> Parsed:
    """The code of an answer, and whether it is well-formed; see `CodeParser`.

    Args:
        completion: all that was said.
        entry: name of what was asked for. The last block that defines it goes before later ones, which may show its use
            or its output.
    """
    said = completion.replace("\r\n", "\n").rpartition(THOUGHT[1])[2].partition(THOUGHT[0])[0]
    blocks, bare = list(_blocks(said)), _bare(said)
    if bare is not None and (not blocks or defines(bare, entry)):
        return Parsed(bare, False)
    python = [each for each in blocks if each.language in LANGUAGES and each.code.strip()]
    if python:
        defining = [each for each in python if defines(each.code, entry)]
        chosen = (defining or python)[-1]
        return Parsed(chosen.code, len(blocks) == 1 and chosen.closed and chosen.language == "python")
    return Parsed(None, False)


def _bare(said: str) -> str | None:
    """An answer that begins as Python does, up to a fence that ends it; None of any other."""
    fence = next((each for each in FENCE.finditer(said) if not each[1]), None)
    code = said[: fence.start()] if fence else said
    if not BARE.match(code.strip()) or not DEFINITION.search(code):
        return None
    return code.strip("\n") + "\n"


def _blocks(text: str) -> Iterator[Block]:
    opened: re.Match[str] | None = None
    for fence in FENCE.finditer(text):
        if opened is None:
            opened = fence
        elif _closes(fence, opened):
            yield _block(opened, text[opened.end() + 1 : fence.start()], closed=True)
            opened = None
    if opened is not None:
        yield _block(opened, text[opened.end() + 1 :], closed=False)


def _closes(fence: re.Match[str], opened: re.Match[str]) -> bool:
    """Whether a fence ends a block: not one that stands further in, as in a docstring, nor a shorter one."""
    further = len(fence[1].expandtabs()) - len(opened[1].expandtabs())
    return not fence[3] and fence[2].startswith(opened[2]) and further <= 3


def _block(opened: re.Match[str], content: str, *, closed: bool) -> Block:
    indentation = opened[1]
    lines = (line.removeprefix(indentation) for line in content.splitlines(keepends=True))
    return Block(opened[3].strip("{.}").lower(), "".join(lines) if indentation else content, closed)


def defines(code: str, entry: str) -> bool:
    """Whether a line of the code begins to define the entry; no code defines the empty one."""
    name = re.escape(entry.partition(".")[0])
    if not name:
        return False
    return re.search(rf"^(?:(?:async )?def|class) {name}\b|^{name}\s*[:=]", code, re.MULTILINE) is not None


def adds_nothing(code: str, prompt: str) -> bool:
    """Whether every line of the code was in the prompt already, or does nothing: the answer is an echo."""
    known = {line.strip() for line in prompt.splitlines()}
    return all(
        line in known or line in ("", "pass", "...") or line.startswith("#")
        for line in map(str.strip, code.splitlines())
    )
