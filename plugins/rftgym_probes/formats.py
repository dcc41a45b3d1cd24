"""What answers of an environment look like, read off its own solutions: tags, fences, and the words that all have."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any
from weakref import WeakKeyDictionary

from rftgym import Message, Task, TextEnv

LOOKED_AT = 64
"""Train tasks whose solutions are looked at."""
SEED = 31
"""Of their choice: not the one of the tasks that an audit tries, by default."""
PROMPTS = 4
"""Train tasks whose questions are looked at, where there are no solutions."""
EVERYWHERE = 0.9
"""A word that at least this share of the solutions has belongs to the format."""
MARK = re.compile(r"(</?[A-Za-z][\w-]*>|```[\w+-]*\n?|~~~[\w+-]*\n?)")
WORD = re.compile(r"[^\W_]\w*", re.ASCII)
PAIR = re.compile(r"</([A-Za-z][\w-]*)>")
_KNOWN: WeakKeyDictionary[Any, list[Solved]] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class Solved:
    """A train task's solution: what was asked first, and the completions."""

    task: Task | None
    question: str
    said: tuple[str, ...]


def known(env: TextEnv[Any], but: Task | None = None) -> list[Solved]:
    """Solutions of train tasks, of the same part of a mix as the task ``but``, which is left out itself.

    Where the environment solves none, its demonstrations; where it has none either, the format that its questions show.
    """
    if env not in _KNOWN:
        _KNOWN[env] = _looked_up(env)
    part = env.tasks.part(but) if but else ""
    return [
        each
        for each in _KNOWN[env]
        if not (but and each.task and (each.task.id == but.id or env.tasks.part(each.task) != part))
    ]


def _looked_up(env: TextEnv[Any]) -> list[Solved]:
    found = list(_solutions(env)) or list(_demonstrations(env))
    told = {env.tasks.part(each.task) if each.task else None for each in found}
    if None not in told:  # a demonstration has no task, and stands for all parts
        found += [each for each in _prompted(env) if each.task and env.tasks.part(each.task) not in told]
    return found


def _solutions(env: TextEnv[Any]) -> Iterator[Solved]:
    if env.tasks.size("train") == 0:
        return
    for task in env.tasks.survey("train", LOOKED_AT, SEED):
        talk = env.demonstrate(task, 0)
        if talk and completions(talk):
            yield Solved(task, _question(talk), completions(talk))


def _demonstrations(env: TextEnv[Any]) -> Iterator[Solved]:
    for talk in islice(env.demonstrations("train", LOOKED_AT, 0), LOOKED_AT):
        if completions(talk):
            yield Solved(None, _question(talk), completions(talk))


def _prompted(env: TextEnv[Any]) -> Iterator[Solved]:
    """Of a few train tasks, an answer in the last tags that the opening names."""
    if env.tasks.size("train") == 0:
        return
    for task in env.tasks.survey("train", PROMPTS, SEED):
        messages = opening(env, task)
        tags = PAIR.findall("\n".join(message.content for message in messages))
        if tags:
            yield Solved(task, _question(messages), (f"<{tags[-1]}>0</{tags[-1]}>",))


def opening(env: TextEnv[Any], task: Task) -> list[Message]:
    """What an episode on a task starts with."""
    twin = env.spawn()
    try:
        return list(twin.start(task, 0))
    finally:
        twin.close()


def completions(talk: list[Message]) -> tuple[str, ...]:
    """What the assistant says in a conversation."""
    return tuple(message.content for message in talk if message.role == "assistant")


def _question(talk: list[Message]) -> str:
    return next((message.content for message in talk if message.role == "user"), "")


def filled(text: str, content: str | Callable[[str], str]) -> str:
    """A completion with its tags and fences, and something else in them."""
    pieces = MARK.split(text)
    return "".join(
        piece
        if place % 2 or not piece.strip()
        else _with_line_end(content if isinstance(content, str) else content(piece), piece)
        for place, piece in enumerate(pieces)
    )


def _with_line_end(content: str, piece: str) -> str:
    return content + "\n" if piece.endswith("\n") and not content.endswith("\n") else content


def shape(text: str) -> str:
    """Letters as x, digits as 0."""
    return re.sub(r"[0-9]", "0", re.sub(r"[^\W\d_]", "x", text))


def frame(texts: list[str]) -> Callable[[str], str]:
    """Keeps the words that nearly all of the texts have, and the punctuation; the others become x or 0."""
    counts = Counter(word for text in texts for word in set(WORD.findall(text)))
    common = {word for word, count in counts.items() if count >= EVERYWHERE * len(texts)}

    def keep(piece: str) -> str:
        return WORD.sub(lambda found: _kept(found[0], common), piece)

    return keep


def _kept(word: str, common: set[str]) -> str:
    return word if word in common else "0" if word.isdigit() else "x"


def core(env: TextEnv[Any], text: str) -> tuple[str, str, str]:
    """A completion as what is before its answer, the answer, and what is behind it.

    The answer is what the environment's parser reads, where it stands in the text; else, and where the parser (as a
    mix's) reads all of it, the longest piece between tags or fences.
    """
    answer = env.parser.parse(text).answer
    if isinstance(answer, str) and answer and answer in text and answer.strip() != text.strip():
        before, _, after = text.rpartition(answer)
        return before, answer, after
    pieces = MARK.split(text)
    place = max(range(0, len(pieces), 2), key=lambda each: len(pieces[each]))
    return "".join(pieces[:place]), pieces[place], "".join(pieces[place + 1 :])


def moulds(env: TextEnv[Any], task: Task) -> list[Callable[[str], str]]:
    """Ways to put an answer: bare, and as the last completion of another task's solution puts it."""
    found: list[Callable[[str], str]] = [lambda answer: answer]
    others = known(env, task)
    if others:
        before, _, after = core(env, others[0].said[-1])
        if before.strip() or after.strip():
            found.append(lambda answer: f"{before}{answer}{after}")
    return found


def adapted(solved: Solved, question: str) -> tuple[str, ...]:
    """Another task's solution with the names of this one: words that stand at the same place of both questions.

    Names are the words that a question says more than once. What it says once may be an operation, and to take that
    over would be a part of the work.
    """
    swaps: dict[str, str] = {}
    for word in dict.fromkeys(each for text in solved.said for each in WORD.findall(text)):
        place = re.search(rf"\b{re.escape(word)}\b", solved.question)
        other = place and _at_the_same_place(solved.question, place.start(), question)
        if other and _is_name(word, solved.question) and _is_name(other, question):
            swaps[word] = other
    return tuple(WORD.sub(lambda found: swaps.get(found[0], found[0]), text) for text in solved.said)


def _is_name(word: str, question: str) -> bool:
    return len(re.findall(rf"\b{re.escape(word)}\b", question)) > 1


def _at_the_same_place(question: str, start: int, other: str) -> str | None:
    before = question[max(0, start - 10) : start]
    place = other.find(before) if len(before) >= 4 else -1
    found = WORD.match(other, place + len(before)) if place >= 0 else None
    return found[0] if found else None
