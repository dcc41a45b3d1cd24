"""Tool calls as text: rftgym's policies say text, verifiers' tool environments want structured calls.

The format is the one of the Hermes and Qwen chat templates: the tools stand in the system message, a call is JSON in
``<tool_call>`` tags, what a tool gives comes back in ``<tool_response>`` tags. A call that can't be read is left in the
text; the environment then sees an answer without a call.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from rftgym.types import Message
from rftgym_verifiers.texts import field, message_of, text_of

_CALL = re.compile(r"<tool_call>(.*?)</tool_call>", re.DOTALL)
MANUAL = """You may call these tools:
<tools>
{tools}
</tools>
To call one, write <tool_call>{{"name": NAME, "arguments": {{...}}}}</tool_call>.
Its result comes in <tool_response> tags."""


def manual(tool_defs: Iterable[Any]) -> str:
    """What a policy has to know of the tools; nothing where there are none."""
    lines = [
        json.dumps({name: field(tool, name) for name in ("name", "description", "parameters")})
        for tool in tool_defs
    ]
    return MANUAL.format(tools="\n".join(lines)) if lines else ""


def with_manual(messages: Sequence[Message], manual: str) -> list[Message]:
    """Messages with the manual in the system message, which is made where there is none."""
    if not manual:
        return list(messages)
    if messages and messages[0].role == "system":
        return [Message("system", f"{messages[0].content}\n\n{manual}"), *messages[1:]]
    return [Message("system", manual), *messages]


def plain(messages: Any) -> list[Message]:
    """A prompt's messages as text: calls in the assistant's, results of tools in the user's."""
    if isinstance(messages, str):
        return [Message("user", messages)]
    return [_plain(message) for message in messages]


def _plain(message: Any) -> Message:
    if field(message, "role") == "tool":
        return Message("user", f"<tool_response>\n{text_of(field(message, 'content'))}\n</tool_response>")
    said = message_of(message)
    made = field(message, "tool_calls")
    if said.role != "assistant" or not made:
        return said
    return Message("assistant", said.content + "".join(map(_call_text, made)))


def _call_text(call: Any) -> str:
    return f"<tool_call>{field(call, 'name')} {field(call, 'arguments')}</tool_call>"


def calls_in(text: str, prefix: str) -> tuple[str, list[dict[str, str]] | None]:
    """The calls in a completion, and the text around them; None where there are none that can be read.

    Args:
        prefix: of the calls' ids.
    """
    found = [call for each in _CALL.findall(text) if (call := _read(each)) is not None]
    if not found:
        return text, None
    made = [{"id": f"{prefix}-{number}", **call} for number, call in enumerate(found)]
    return _CALL.sub(lambda match: "" if _read(match[1]) else match[0], text).strip(), made


def _read(inside: str) -> dict[str, str] | None:
    try:
        call = json.loads(inside)
    except (ValueError, RecursionError):
        return None
    if not isinstance(call, dict) or not isinstance(call.get("name"), str):
        return None
    arguments = call.get("arguments", {})
    return {"name": call["name"], "arguments": json.dumps(arguments)} if isinstance(arguments, dict) else None
