"""Every sentence that the environment says to a model: short and fixed, so that small models can read them."""

from __future__ import annotations

import json
from typing import Final

from rftgym_tool_use.store import TOOLBOX

SYSTEM: Final = "\n".join(
    (
        "Answer the question. The numbers are in tables that only the tools can see.",
        "Tools:",
        *TOOLBOX.text().splitlines(),
        "Call one tool in a message, and the next message is its result. Like this:",
        '<tool>{"name":"lookup","arguments":{"table":"price","key":"melon"}}</tool>',
        "If a key is not in its table, the answer is unknown.",
        "When you know the answer, say only that, like this: <answer>42</answer>",
    )
)
NO_ACTION: Final = "Error: no call in <tool></tool> and no answer in <answer></answer>"
SEVERAL: Final = "Error: one call or one answer in a message, and not more"


def opening(tables: list[str], question: str) -> str:
    """The first user message.

    Args:
        tables: names of the tables that there are.
        question: of the task.
    """
    return f"Tables: {', '.join(tables)}\n{question}"


def call(name: str, **arguments: str) -> str:
    """A call as a model should write it: compact JSON in tags."""
    written = json.dumps({"name": name, "arguments": arguments}, separators=(",", ":"), ensure_ascii=False)
    return f"<tool>{written}</tool>"


def answer(text: str) -> str:
    """A final answer as a model should write it."""
    return f"<answer>{text}</answer>"


def error(message: str) -> str:
    """The user message after a call that was not made."""
    return f"Error: {message}"
