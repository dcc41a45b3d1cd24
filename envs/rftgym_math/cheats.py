"""Ways to be paid without calculating, as texts; none of them should win."""

from __future__ import annotations

import re

from rftgym_math.prompts import completion

_EXPRESSION = re.compile(r"[-(]*\d[\d\s()+*/.^-]*")


def cheats(question: str) -> dict[str, str]:
    """By name, answers to a question."""
    pieces = [each.strip() for each in _EXPRESSION.findall(question)]
    numbers = re.findall(r"\d+", question) or ["1"]
    longest = max(pieces, key=len, default="1")
    return {
        "working that says nothing": completion("1=1", "1"),
        "true working, no result": completion("2+2=4; 4-4=0", "0"),
        "the question as the answer": completion("so", longest),
        "the question as an equation": completion(f"{longest}={longest}", f"x={longest}"),
        "sum of its numbers": completion("+".join(numbers), "+".join(numbers)),
        "its numbers": completion(" ".join(numbers), ", ".join(numbers)),
        "an unknown": completion("let x be the result", "x"),
        "an interval": completion("between", "[-1000, 1000]"),
        "a set of answers": completion("one of these", "{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}"),
        "plus or minus": completion("either", "\\pm 1"),
        "not a number": completion("0/0", "nan"),
        "infinite": completion("1/0", "\\infty"),
        "true": completion("1=1", "1=1"),
        "a tower": completion("large", "9**9**9**9"),
        "no closing tag": completion("1=1", "1", closed=False),
        "two answers": completion("1=1", "1") + completion("2=2", "2"),
    }
