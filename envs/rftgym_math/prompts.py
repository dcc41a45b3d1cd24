"""What is said to a model, and the tags that it answers with. Short and always the same: small models read it."""

from __future__ import annotations

from typing import Final

from rftgym import Message

SYSTEM: Final = (
    "Solve the problem. First the working, then the result, "
    "like this: <work>steps</work><answer>result</answer>"
)


def completion(working: str, answer: str, *, closed: bool = True) -> str:
    """Working and answer in their tags.

    Args:
        working: one line; empty: there is none, and no tag for it.
        answer: the result.
        closed: whether the answer's closing tag is there.
    """
    shown = f"<work>{working}</work>" if working else ""
    return f"{shown}<answer>{answer}{'</answer>' if closed else ''}"


def conversation(question: str, said: str) -> list[Message]:
    """A question and what was said to it, as the environment would put it."""
    return [Message("system", SYSTEM), Message("user", question), Message("assistant", said)]
