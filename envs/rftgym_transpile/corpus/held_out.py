"""Which Java methods are held out: those of validation and test tasks, whatever their names and constants."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from rftgym_transpile.corpus.tasks import records

TOKEN: Final = re.compile(
    r"""//[^\n]*|/\*.*?\*/|\s+|(?P<text>"(?:\\.|[^"\\])*")|(?P<char>'(?:\\.|[^'\\])+')"""
    r"""|(?P<number>\d[\w.]*)|(?P<name>[A-Za-z_]\w*)|(?P<sign>->|[-+*/%&|^<>=!]=|&&|\|\||\+\+|--|.)""",
    re.DOTALL,
)
MODIFIERS: Final = frozenset({"public", "private", "protected", "static", "final"})
KEPT: Final = frozenset(
    re.findall(
        r"\w+",
        "int long short byte char boolean double float void var if else for while do switch case default break "
        "continue return throw throws try catch finally new class interface enum record extends implements "
        "instanceof this super null true false yield",
    )
)


def fingerprint(source: str) -> str:
    """The Java text with names numbered in the order in which they come and constants replaced by their kinds.

    Names of the library (those after a point, and those in capitals) stay. Modifiers and comments are left out.
    """
    names: dict[str, str] = {}
    found: list[str] = []
    for match in TOKEN.finditer(source):
        kind, text = match.lastgroup, match.group()
        if kind is None or text in MODIFIERS:
            continue
        if kind == "name" and text not in KEPT and not text[0].isupper() and found[-1:] != ["."]:
            text = names.setdefault(text, f"n{len(names)}")
        found.append({"text": "S", "char": "C", "number": "N"}.get(kind, text))
    return " ".join(found)


@lru_cache(maxsize=1)
def held_out_prints() -> frozenset[str]:
    """Fingerprints of the methods of validation and test tasks."""
    return frozenset(fingerprint(each["java"]) for each in records() if each["split"] != "train")


def is_held_out(source: str) -> bool:
    """Whether a Java text is, up to names and constants, the source of a validation or test task."""
    return fingerprint(source) in held_out_prints()
