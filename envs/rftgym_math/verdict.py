"""What an answer is judged by, and what the judge finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

Kind = Literal[
    "right", "wrong", "missing", "syntax", "type", "form", "unit", "rule", "undefined", "too_long", "too_deep",
    "too_large", "undecided", "timeout", "memory", "crash",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Question:
    """What an answer is judged by.

    Attributes:
        answer: the accepted one; of a countdown, an example.
        units: that may stand with the number.
        variables: what is asked for, where it is more than one unknown: "y=2, x=1" is then (1,2).
        tolerance: a decimal as text; "" = answers must be equal.
        unevaluated: 7*6 is as good as 42.
        target: of a countdown; None: it is none.
        numbers: of a countdown.
        text: the question as it is posed, where no units were named: its own words may stand behind the number.
    """

    answer: str
    units: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    tolerance: str = ""
    unevaluated: bool = False
    target: int | None = None
    numbers: tuple[int, ...] = ()
    text: str = ""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Question:
        """From a task's data."""
        return cls(
            data["answer"],
            tuple(data.get("units", ())),
            tuple(data.get("variables", ())),
            data.get("tolerance", ""),
            data.get("unevaluated", False),
            data.get("target"),
            tuple(data.get("numbers", ())),
            data["question"] if data.get("any_words") else "",
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge found.

    Attributes:
        kind: "right", or why it is not: "wrong" (another value), "missing" (no answer), "syntax" (no mathematics),
            "type" (a list where a number is asked for and the like), "form" (a number that is not worked out, see
            `rftgym_math.reading.worked_out`), "unit", "rule" (of a countdown), "undefined" (it has no value),
            "too_long", "too_deep", "too_large", "undecided" (sympy does not know), "timeout", "memory" and "crash" (of
            the comparison in the sandbox).
        message: one line for a person; never says the accepted answer.
        sound: the answer is of the kind that was asked for: a number, a pair, an expression in the right unknowns.
        value: of a rational answer, as text; else "".
    """

    kind: Kind
    message: str = ""
    sound: bool = False
    value: str = ""

    @property
    def right(self) -> bool:
        """Whether the answer is right."""
        return self.kind == "right"

    def as_json(self) -> dict[str, Any]:
        """For `Response.info`."""
        return asdict(self)


def known_kind(name: str) -> Kind:
    """A kind by its name; "syntax" for any other name."""
    return name if name in get_args(Kind) else "syntax"  # type: ignore[return-value]  # just checked
