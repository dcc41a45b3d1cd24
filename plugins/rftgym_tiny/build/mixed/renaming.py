"""Gives the methods of translations other names, so that copying names is learnt rather than a list of them."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Final

from rftgym.types import Message

DECLARED: Final = re.compile(r"\b(?:int|long|boolean|char|String|StringBuilder)(?:\[\])? (\w+)")
WORD: Final = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])+\'|\.?\b[A-Za-z_]\w*')
"""A text or a character, which stays as it is; or a name, with the point before it where there is one."""
JAVA: Final = frozenset(
    re.findall(
        r"\w+",
        "abstract boolean break byte case catch char class const continue default do double else enum extends final "
        "finally float for goto if implements import instanceof int interface long native new package private "
        "protected public return short static super switch this throw throws try void volatile while true false null",
    )
)
TAKEN: Final = JAVA | frozenset(keyword.kwlist) | frozenset(dir(builtins))
LETTERS: Final = "etaoinsrhldcumfpgwybvkxjqz"


def renamed(chat: Sequence[Message], words: Sequence[str], chance: Random) -> list[Message]:
    """A translation in which some of the names that the Java text declares are others, in all messages alike.

    Args:
        chat: messages; the last two are a Java method and its translation.
        words: what names are made of.
        chance: the only source of chance.
    """
    names = dict.fromkeys(DECLARED.findall(chat[-2].content))
    share = chance.choice((0.3, 0.6, 1.0))
    others: dict[str, str] = {}
    for name in names:
        if chance.random() < share:
            new = made_up(words, chance)
            if new not in TAKEN and new not in names and new not in others.values():
                others[name] = new
    return [*chat[:-2], *(replace(each, content=replaced(each.content, others)) for each in chat[-2:])]


def replaced(text: str, others: Mapping[str, str]) -> str:
    """A text with other names; what stands in quotes and what follows a point stays."""
    return WORD.sub(lambda found: others.get(found.group(), found.group()), text)


def made_up(words: Sequence[str], chance: Random) -> str:
    """A name: a word, two or three of them in camel case, or letters without sense; perhaps with a digit."""
    kind = chance.random()
    if kind < 0.55:
        return chance.choice(words)
    if kind < 0.8:
        first, *rest = (chance.choice(words) for _ in range(chance.choice((2, 2, 3))))
        return first + "".join(word.capitalize() for word in rest)
    letters = "".join(chance.choice(LETTERS[: chance.choice((8, 26))]) for _ in range(chance.randint(1, 7)))
    return letters + (chance.choice("123") if chance.random() < 0.2 else "")


def words_of(chats: Iterator[Sequence[Message]]) -> tuple[str, ...]:
    """Every word of two letters and more that conversations have, in lower case and in order."""
    found = {
        word.lower() for chat in chats for m in chat for word in re.findall(r"[A-Za-z][a-z]+", m.content)
    }
    return tuple(sorted(found))
