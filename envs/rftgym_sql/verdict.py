"""What the judge says about an answer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal[
    "right",
    "wrong",
    "untouched",
    "missing",
    "format",
    "refused",
    "syntax",
    "name",
    "runtime",
    "timeout",
    "memory",
    "size",
    "crash",
]
"""right; wrong results; reads no table of the schema; no query in the answer; not one SELECT; something that is not
allowed (writing, files, settings, other functions); no SQL; unknown or ambiguous table, column or function; another
error while it runs; too many steps or seconds; too much memory; too many rows or too large values; the process died."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement of one answer.

    Attributes:
        kind: what the answer is.
        message: one line for a person.
        ran: it ran on every state and reads a table of the schema.
        states: for each database state, whether the result was right; empty where it did not run.
        partial: 0 to 1, share of states that are right beyond what one constant result would get.
    """

    kind: Kind
    message: str
    ran: bool = False
    states: tuple[bool, ...] = ()
    partial: float = 0.0

    @property
    def success(self) -> bool:
        """Right on every state."""
        return self.kind == "right"

    def as_json(self) -> dict[str, Any]:
        """As a dictionary of plain values, with "success"."""
        return {**asdict(self), "states": list(self.states), "success": self.success}
