"""What the policy reads. The system message of a pair is the same for all of its tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rftgym_transpile.verdict import Verdict

NAMES = {"java": "Java", "python": "Python", "javascript": "JavaScript"}
_TASK = (
    "Translate {source} into {target} that does the same, with the same names. "
    "Answer with the code in one block:\n```{fence}\n...\n```\n"
)
_JAVA = (
    "int and long wrap around at 32 and 64 bits, / and % of integers round towards zero, a char counts in "
    "arithmetic. "
)
_JAVA_PYTHON = (
    "A char is a str of length 1, an array or List a list, a Set a set, a Map a dict, null or an empty Optional "
    "None, a record a tuple, an enum constant its name. Varargs are one list or *args. What Java changes in place "
    "changes in place. Where Java throws, raise the exception that Python has for it, or one of Java's name. The order "
    "of a HashMap or HashSet does not matter."
)
_PYTHON_JAVA = (
    "Write static methods, or the class. Integers go into int or long, whichever holds them; a str into String, a list "
    "into an array or List, a set into Set, a dict into Map, None into null. What Python changes in place changes "
    "in place. Where Python raises, throw the exception that Java has for it."
)
_JAVASCRIPT = (
    "undefined and null are None, an Array is a list, a Map or plain object a dict, a Set a set, a BigInt an int. "
    "Integers beyond 2**53 are BigInt. What is changed in place changes in place. Where one throws, the "
    "other does."
)


def system(source: str, target: str) -> str:
    """The system message of a pair of languages."""
    task = _TASK.format(source=NAMES[source], target=NAMES[target], fence=target)
    if "javascript" in (source, target):
        return task + _JAVASCRIPT
    return task + (_JAVA + _JAVA_PYTHON if source == "java" else _PYTHON_JAVA)


def problem(data: Mapping[str, Any]) -> str:
    """The user message of a task."""
    language = data["source_language"]
    return f"Translate {data['entry']}:\n```{language}\n{data['source'].strip(chr(10))}\n```"


def answer(code: str, target: str) -> str:
    """A completion in the format that is asked for."""
    return f"```{target}\n{code.strip(chr(10))}\n```"


def closing(verdict: Verdict) -> str:
    """What is said at the end of an episode; never an expected value."""
    if verdict.success:
        return f"Right: all {verdict.tests} tests passed."
    return f"Not right ({verdict.kind}): {verdict.message}"
