"""Probes that start from a task's own solution and make it wrong: what they say should lose.

Whether a change changes anything that matters only a judge can tell: a dropped word of a comment leaves a program
right. The audit therefore gives the share of spoilt solutions that are called a success, and shows them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random
from typing import Any

from rftgym import Task, TextEnv
from rftgym_probes.formats import completions, core, known

Env = TextEnv[Any]
Ways = dict[str, Any]
_TOKEN = re.compile(r"\w+|[^\w\s]|\s+")
_CYRILLIC = str.maketrans("aceopxyABCEHKMOPTX", "асеорхуАВСЕНКМОРТХ")
_FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
_OTHERS = 20


def mutants(env: Env, task: Task, rng: Random) -> Ways:
    """The last completion's answer, changed in one place."""
    return _changed(
        env, task, lambda answer: {name: change(answer, rng) for name, change in MUTATIONS.items()}
    )


def lookalikes(env: Env, task: Task, rng: Random) -> Ways:
    """The answer in letters that look alike, and in the other case."""
    return _changed(env, task, _alike)


def _alike(answer: str) -> Ways:
    middle = len(answer) // 2
    return {
        "Cyrillic": answer.translate(_CYRILLIC),
        "full width": answer.translate(_FULL_WIDTH),
        "other case": answer.swapcase(),
        "invisible": f"{answer[:middle]}\u200b{answer[middle:]}",
        "accents": re.sub(r"([A-Za-z0-9])", "\\1\u0301", answer, count=3),
    }


def hedges(env: Env, task: Task, rng: Random) -> Ways:
    """The answer among others, none of them taken back."""
    others = [
        answer
        for each in known(env, task)
        if (answer := core(env, each.said[-1])[1].strip()) and len(answer) < 200
    ][:_OTHERS]
    other = next(iter(others), "0")
    return _changed(
        env,
        task,
        lambda answer: {
            "or another": f"{answer} or {other}",
            "another or": f"{other} or {answer}",
            "among many": ", ".join([*others, answer]),
            "negated": f"not {answer}",
            "taken back": f"{answer}. No, that is wrong",
        },
    )


def _changed(env: Env, task: Task, changes: Callable[[str], Ways]) -> Ways:
    """The solution with its last completion's answer changed; changes that change nothing are left out."""
    said = completions(env.demonstrate(task, 0) or [])
    if not said:
        return {}
    before, answer, after = core(env, said[-1])
    return {
        name: [*said[:-1], f"{before}{changed}{after}"]
        for name, changed in changes(answer).items()
        if changed != answer
    }


# ---- changes of a text; each gives the text itself where it has nothing to change


def _words(text: str) -> tuple[list[str], list[int]]:
    pieces = _TOKEN.findall(text)
    return pieces, [place for place, piece in enumerate(pieces) if not piece.isspace()]


def _dropped(text: str, rng: Random) -> str:
    pieces, places = _words(text)
    if places:
        del pieces[rng.choice(places)]
    return "".join(pieces)


def _doubled(text: str, rng: Random) -> str:
    pieces, places = _words(text)
    if places:
        place = rng.choice(places)
        pieces[place] += f" {pieces[place]}"
    return "".join(pieces)


def _swapped(text: str, rng: Random) -> str:
    pieces, places = _words(text)
    if len(places) > 1:
        one, other = rng.sample(places, 2)
        pieces[one], pieces[other] = pieces[other], pieces[one]
    return "".join(pieces)


def _number(text: str, rng: Random, change: Callable[[int], int]) -> str:
    found = list(re.finditer(r"\d{1,18}", text))
    if not found:
        return text
    one = rng.choice(found)
    return f"{text[: one.start()]}{change(int(one[0]))}{text[one.end() :]}"


def _digit(text: str, rng: Random) -> str:
    found = [place for place, letter in enumerate(text) if letter in "0123456789"]
    if not found:
        return text
    place = rng.choice(found)
    return f"{text[:place]}{(int(text[place]) + rng.randint(1, 9)) % 10}{text[place + 1 :]}"


def _letter(text: str, rng: Random) -> str:
    found = [place for place, letter in enumerate(text) if letter.isalpha()]
    if not found:
        return text
    place = rng.choice(found)
    return f"{text[:place]}{rng.choice('qzj')}{text[place + 1 :]}"


def _without_line(text: str, rng: Random) -> str:
    lines = text.splitlines(keepends=True)
    if len(lines) > 1:
        del lines[rng.randrange(len(lines))]
    return "".join(lines)


def _shuffled(text: str, rng: Random) -> str:
    lines = text.splitlines(keepends=True)
    rng.shuffle(lines)
    return "".join(lines)


def _reversed_sign(text: str, rng: Random) -> str:
    for one, other in (
        ("==", "!="),
        ("<", ">"),
        (">", "<"),
        ("+", "-"),
        ("-", "+"),
        ("and", "or"),
        ("not ", ""),
    ):
        if one in text:
            return text.replace(one, other, 1)
    return f"-{text}"


MUTATIONS: dict[str, Callable[[str, Random], str]] = {
    "dropped word": _dropped,
    "doubled word": _doubled,
    "words exchanged": _swapped,
    "number + 1": lambda text, rng: _number(text, rng, lambda value: value + 1),
    "number - 1": lambda text, rng: _number(text, rng, lambda value: value - 1),
    "number x 10": lambda text, rng: _number(text, rng, lambda value: value * 10),
    "digit": _digit,
    "letter": _letter,
    "sign": _reversed_sign,
    "first half": lambda text, rng: text[: len(text) // 2],
    "second half": lambda text, rng: text[len(text) // 2 :],
    "backwards": lambda text, rng: text[::-1],
    "dropped line": _without_line,
    "lines shuffled": _shuffled,
}
