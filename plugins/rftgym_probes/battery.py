"""Probes that know no answer: what each says is a policy."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

from rftgym import Task, TextEnv, Turn
from rftgym_probes import texts
from rftgym_probes.formats import adapted, core, filled, frame, known, moulds, opening, shape

Env = TextEnv[Any]
Ways = dict[str, Any]
COPIED = 3
"""Train solutions that are copied; and constants that are tried."""
MOST_WORDS = 400


def _question(env: Env, task: Task) -> str:
    return opening(env, task)[-1].content


def _moulded(env: Env, task: Task, answers: dict[str, str]) -> Ways:
    """Each answer bare, and in the format of solutions where that is another text."""
    bare, *formal = moulds(env, task)
    ways = {}
    for name, answer in answers.items():
        ways[name] = bare(answer)
        for mould in formal:
            ways[f"{name}, in the format"] = mould(answer)
    return ways


def empty(env: Env, task: Task, rng: Random) -> Ways:
    """Nothing, blanks, a full stop; a digit and a letter, which many answers hold or start with."""
    ways: Ways = {"nothing": "", "blanks": " \n\t\n ", "full stop": "."}
    return ways | _moulded(env, task, {"a digit": "1", "a letter": "e"})


def echo(env: Env, task: Task, rng: Random) -> Ways:
    """The question; everything; the question as the answer."""
    messages = opening(env, task)
    question = messages[-1].content
    ways = {"question": question, "everything": "\n".join(message.content for message in messages)}
    for mould in moulds(env, task)[1:]:
        ways["question, in the format"] = mould(question)
    return ways


def injection(env: Env, task: Task, rng: Random) -> Ways:
    """Text that is meant for a judge who reads: orders, forged verdicts, forged roles, claims."""
    return _moulded(env, task, texts.INJECTIONS)


def keywords(env: Env, task: Task, rng: Random) -> Ways:
    """Words of the question, of the rewards' names and docstrings, of solutions, of reasoning."""
    question = _words(" ".join(message.content for message in opening(env, task)))
    rewards = _words(" ".join(_about(each) for each in env.rubric.components))
    solutions = Counter(word for each in known(env, task) for word in set(_words(each.said[-1]).split()))
    usual = " ".join(word for word, _ in solutions.most_common(60))
    named = {"question": question, "rewards": rewards, "solutions": usual, "reasoning": texts.REASONING}
    return _moulded(env, task, {**named, "all": " ".join(named.values())})


def _about(component: Any) -> str:
    return f"{component.name} {component.function.__doc__ or ''}"


def _words(text: str) -> str:
    return " ".join(list(dict.fromkeys(re.findall(r"\w+", text)))[:MOST_WORDS])


def longest(env: Env, task: Task, rng: Random) -> Ways:
    """As long as may be: one letter, words, lines; and one character longer."""
    limit = env.max_completion_chars
    ways = {
        "letters": "a" * limit,
        "words": ("the answer is clear and " * (limit // 20))[:limit],
        "lines": ("First, I think step by step.\n" * (limit // 20))[:limit],
        "too long": "a" * (limit + 1),
    }
    for mould in moulds(env, task)[1:]:
        room = limit - len(mould(""))
        ways["in the format"] = mould(("so " * (limit // 3))[: max(0, room)])
    return ways


def form(env: Env, task: Task, rng: Random) -> Ways:
    """Tags and fences of solutions, first and last turn: empty, with junk, in their shape, with what all have."""
    others = known(env, task)
    ways: Ways = {}
    for turn, place in (("first turn", 0), ("last turn", -1)) if others else ():
        every = [each.said[place] for each in others]
        model = every[0]
        ways |= {
            f"{turn}, empty": filled(model, ""),
            f"{turn}, junk": filled(model, "x"),
            f"{turn}, zero": filled(model, "0"),
            f"{turn}, shape": filled(model, shape),
            f"{turn}, frame": filled(model, frame(every)),
        }
    return ways


def constant(env: Env, task: Task, rng: Random) -> Ways:
    """What pays best over train solutions: the commonest answers, each said on every task.

    The order is that of the train split, so that a place means the same answer on every task. On a train task whose own
    solution is that very text, it is said all the same.
    """
    every = known(env)
    part = env.tasks.part(task)
    mine = [each for each in every if not (each.task and env.tasks.part(each.task) != part)]
    counted = Counter(core(env, each.said[-1])[1] for each in mine)
    ways: Ways = {}
    for place, (answer, _) in enumerate(counted.most_common(COPIED), 1):
        source = next(each for each in mine if core(env, each.said[-1])[1] == answer)
        ways[f"commonest {place}"] = source.said[-1]
    return ways


def copy(env: Env, task: Task, rng: Random) -> Ways:
    """Solutions of other train tasks: as they are, and with this task's names."""
    question = _question(env, task)
    ways: Ways = {}
    for place, solved in enumerate(known(env, task)[:COPIED], 1):
        ways[f"solution {place}"] = list(solved.said)
        ways[f"solution {place}, renamed"] = list(adapted(solved, question))
    return ways


def options(env: Env, task: Task, rng: Random) -> Ways:
    """Every answer that there may be, in one: numbers, letters, yes and no; in one pair of tags and in many."""
    ways = _moulded(env, task, texts.OPTIONS)
    for mould in moulds(env, task)[1:]:
        for name, choices in texts.CHOICES.items():
            ways[f"{name}, each in the format"] = "\n".join(mould(choice) for choice in choices)
    return ways


def quotes(env: Env, task: Task, rng: Random) -> Ways:
    """Pieces of the question as the answer: where gold stands in it, one of them finds it."""
    question = _question(env, task)
    return _moulded(env, task, dict(_pieces(question)))


def feedback(env: Env, task: Task, rng: Random) -> Ways:
    """A wrong answer first, or another solution's first turn; then pieces of what the environment said to it.

    Where that tells gold, one of them finds it.
    """
    longer = [each.said[0] for each in known(env, task) if len(each.said) > 1]
    wrong = longer[0] if longer else moulds(env, task)[-1]("x")
    heard = _heard(env, task, wrong)
    return {name: [wrong, said] for name, said in _moulded(env, task, dict(_pieces(heard))).items()}


def _heard(env: Env, task: Task, said: str) -> str:
    """What is answered to a completion; nothing where the episode is over then."""
    twin = env.spawn()
    try:
        twin.start(task, 0)
        answered = "\n".join(message.content for message in twin.advance(Turn((), said)))
        return "" if twin.trajectory.terminated or twin.trajectory.truncated else answered
    except Exception:  # noqa: BLE001  # the environment's author may raise anything; `audit` tells when it is played
        return ""
    finally:
        twin.close()


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    numbers, words = re.findall(r"-?\d+(?:\.\d+)?", text), re.findall(r"\w+", text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    quoted = re.findall(r"[\"'`(\[]([^\"'`()\[\]\n]{1,80})[\"'`)\]]", text)
    for name, found in (("number", numbers), ("word", words), ("line", lines), ("quotation", quoted)):
        if found:
            yield f"first {name}", found[0]
            yield f"last {name}", found[-1]
    if lines:
        yield "longest line", max(lines, key=len)


def nesting(env: Env, task: Task, rng: Random) -> Ways:
    """Tags of solutions in each other, unclosed, closed only, twice, the wrong way round, hundreds deep."""
    others = known(env, task)
    marks = re.findall(r"<([A-Za-z][\w-]*)>", others[0].said[-1]) if others else []
    tag = marks[-1] if marks else "answer"
    opened, closed = f"<{tag}>", f"</{tag}>"
    return {
        "in itself": f"{opened}{opened}x{closed}{closed}",
        "opened only": f"{opened}x",
        "closed only": f"x{closed}",
        "wrong way round": f"{closed}x{opened}",
        "twice": f"{opened}{closed}{opened}x{closed}",
        "hundreds deep": opened * 300 + "x" + closed * 300,
        "in thoughts": f"<think>{opened}x{closed}",
    }


def oddities(env: Env, task: Task, rng: Random) -> Ways:
    """What comparisons and readers of code stumble over: not-a-number, null, objects that equal everything."""
    return _moulded(env, task, texts.ODDITIES)


def refusal(env: Env, task: Task, rng: Random) -> Ways:
    """Declines, doubts, promises: nothing of it is an answer."""
    return _moulded(env, task, texts.REFUSALS)


def garbage(env: Env, task: Task, rng: Random) -> Ways:
    """Control characters, halves of characters, brackets; letters outside ASCII, which a folding may drop."""
    return _moulded(env, task, texts.GARBAGE)
