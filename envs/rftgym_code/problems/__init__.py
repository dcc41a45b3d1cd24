"""The hand-written problems, by topic. Read by the build only; the environment reads what the build has written."""

from __future__ import annotations

from rftgym_code.problems import classes, dates, dicts, lists, matrices, numbers, parsing, recursion, strings
from rftgym_code.problems.problem import Problem

TOPICS: dict[str, tuple[Problem, ...]] = {
    "strings": strings.PROBLEMS,
    "lists": lists.PROBLEMS,
    "dicts": dicts.PROBLEMS,
    "numbers": numbers.PROBLEMS,
    "recursion": recursion.PROBLEMS,
    "dates": dates.PROBLEMS,
    "parsing": parsing.PROBLEMS,
    "matrices": matrices.PROBLEMS,
    "classes": classes.PROBLEMS,
}
