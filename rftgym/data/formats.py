"""What the fields of a row mean. Each format turns a row into messages; the fields that it does not use stay with it.

====================  ============================================================================================
text                  ``{"text"}``: one text without turns
instruction           ``{"instruction", "output"}`` and perhaps ``"input"``, ``"system"`` (Alpaca)
prompt-completion     ``{"prompt", "completion"}``, both texts or both lists of messages (TRL)
prompt-answer         ``{"prompt" or "question", "answer"}``: what reinforcement fine-tuning needs
sharegpt              ``{"conversations": [{"from", "value"}]}`` and perhaps ``"system"``
messages              ``{"messages": [{"role", "content"}]}`` (ChatML, OpenAI), or the same under ``"conversations"``
====================  ============================================================================================
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import NamedTuple

from rftgym.data.jsontext import kind_of, parsed
from rftgym.data.records import JSON, Refused
from rftgym.types import Message, Role

Row = Mapping[str, JSON]
Messages = list[Message]
ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}
SPEAKERS: Mapping[str, Role] = {
    **ROLES,
    "human": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bard": "assistant",
    "bing": "assistant",
    "model": "assistant",
}
TOOLS = frozenset(
    {
        "tool",
        "function",
        "function_call",
        "function_response",
        "tool_call",
        "tool_response",
        "observation",
        "ipython",
    }
)


class Format(NamedTuple):
    """A format.

    Attributes:
        fields: that a row of it must have.
        uses: further fields that it takes into the messages.
        messages: reads them; raises :class:`~rftgym.data.records.Refused` where they are not as they should be.
        keeps: of its fields, those that stay among the row's further fields.
    """

    name: str
    fields: tuple[str, ...]
    uses: tuple[str, ...]
    messages: Callable[[Row], Messages]
    keeps: tuple[str, ...] = ()


def format_of(row: Row) -> Format | None:
    """The first format, from the most particular to the most general, whose fields the row has."""
    return next((each for each in FORMATS if _has(row, each)), None)


def _has(row: Row, kind: Format) -> bool:
    if not all(name in row for name in kind.fields):
        return False
    if "conversations" in kind.fields:
        return kind.name == ("messages" if _by_roles(row["conversations"]) else "sharegpt")
    return True


def _by_roles(turns: JSON) -> bool:
    first = _listed(turns, "conversations")[:1] if isinstance(turns, list | str) else []
    return bool(first) and isinstance(first[0], dict) and "role" in first[0] and "from" not in first[0]


def further_fields(row: Row, kind: Format) -> dict[str, JSON]:
    """The fields that the format does not take into the messages."""
    taken = {*kind.fields, *kind.uses} - set(kind.keeps)
    return {name: value for name, value in row.items() if name not in taken}


def unknown(row: Row) -> str:
    """Why a row is of no format."""
    if not row:
        return "the row is empty"
    names = ", ".join(map(repr, list(row)[:8]))
    for kind in FORMATS:
        missing = [name for name in kind.fields if name not in row]
        if len(missing) == 1 and len(kind.fields) > 1:
            return f"no {missing[0]!r} beside {next(name for name in kind.fields if name in row)!r}"
    known = "; ".join(dict.fromkeys(" + ".join(each.fields) for each in FORMATS))
    return f"no known format: it has {names}, and a row needs one of: {known}"


# ---- texts and lists of messages


def _text(row: Row, name: str) -> str:
    value = row[name]
    if not isinstance(value, str):
        raise Refused(f"{name!r} must be text, not {kind_of(value)}")
    return value


def _opening(row: Row) -> Messages:
    """The system message of formats that have a field for it; an empty one is none."""
    text = row.get("system")
    if text is None or text == "":
        return []
    if not isinstance(text, str):
        raise Refused(f"'system' must be text, not {kind_of(text)}")
    return [Message("system", text)]


def _listed(value: JSON, name: str) -> list[JSON]:
    """A list, or in CSV the JSON text of one."""
    if isinstance(value, str):
        try:
            value = parsed(value)
        except Refused as refusal:
            raise Refused(f"{name!r} must be a list of messages or its JSON text: {refusal}") from None
    if not isinstance(value, list):
        raise Refused(f"{name!r} must be a list of messages, not {kind_of(value)}")
    if not value:
        raise Refused(f"{name!r} is empty")
    return value


def _turns(value: JSON, name: str, who: str, what: str, roles: Mapping[str, Role]) -> Messages:
    return [
        _turn(each, f"message {number} of {name!r}", who, what, roles)
        for number, each in enumerate(_listed(value, name), start=1)
    ]


def _turn(value: JSON, where: str, who: str, what: str, roles: Mapping[str, Role]) -> Message:
    if not isinstance(value, dict):
        raise Refused(f"{where} must be an object, not {kind_of(value)}")
    for name in (who, what):
        if name not in value:
            raise Refused(f"{where} has no {name!r}")
    said = value[who]
    if not isinstance(said, str):
        raise Refused(f"{where}: {who!r} must be text, not {kind_of(said)}")
    role = roles.get(said.strip().lower())
    if said.strip().lower() in TOOLS or value.get("tool_calls") or value.get("function_call"):
        raise Refused(
            f"{where} is a tool's or calls one, which is not supported: leave it out, or say it as text"
        )
    if role is None:
        raise Refused(f"{where} is from {said!r}; it must be one of {', '.join(roles)}")
    if value.get("weight", 1) != 1:
        raise Refused(
            f"{where} has weight {value['weight']!r}: every message of the assistant is learnt from, alike"
        )
    return Message(role, _content(value[what], where, what))


def _content(value: JSON, where: str, what: str) -> str:
    """A text, or OpenAI's list of parts where all of them are text."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        raise Refused(f"{where}: {what!r} must be text, not {kind_of(value)}")
    texts: list[str] = []
    for part in value:
        kind = part.get("type") if isinstance(part, dict) else None
        text = part.get("text") if isinstance(part, dict) else None
        if kind != "text" or not isinstance(text, str):
            raise Refused(f"{where} has a part of type {kind!r}; only parts of type 'text' can be read")
        texts.append(text)
    return "".join(texts)


# ---- the formats


def _plain_text(row: Row) -> Messages:
    return [Message("assistant", _text(row, "text"))]


def _instruction(row: Row) -> Messages:
    asked = _text(row, "instruction")
    given = row.get("input")
    if given is not None and not isinstance(given, str):
        raise Refused(f"'input' must be text, not {kind_of(given)}")
    if row.get("history"):
        raise Refused("'history' is not read: write the conversation as 'messages'")
    question = f"{asked}\n\n{given}" if given and given.strip() else asked
    return [*_opening(row), Message("user", question), Message("assistant", _text(row, "output"))]


def _prompt(row: Row, name: str) -> Messages:
    value = row[name]
    if isinstance(value, str):
        return [*_opening(row), Message("user", value)]
    return _turns(value, name, "role", "content", ROLES)


def _prompt_completion(row: Row) -> Messages:
    prompt, completion = row["prompt"], row["completion"]
    if isinstance(prompt, str) != isinstance(completion, str):
        raise Refused(
            f"'prompt' is {kind_of(prompt)} and 'completion' {kind_of(completion)}: give both as text, or both as lists"
        )
    if isinstance(completion, str):
        return [*_prompt(row, "prompt"), Message("assistant", completion)]
    answer = _turns(completion, "completion", "role", "content", ROLES)
    if answer[0].role != "assistant":
        raise Refused(f"'completion' begins with a message of the {answer[0].role}, not of the assistant")
    return [*_prompt(row, "prompt"), *answer]


def _prompt_answer(row: Row) -> Messages:
    name = "prompt" if "prompt" in row else "question"
    return [*_prompt(row, name), Message("assistant", answer_text(row["answer"]))]


def answer_text(answer: JSON) -> str:
    """An answer as the assistant would say it: the first of several, a value that is no text as JSON.

    Raises:
        Refused: there is none.
    """
    if isinstance(answer, list):
        if not answer:
            raise Refused("'answer' is an empty list")
        answer = answer[0]
    if answer is None:
        raise Refused("'answer' must be text, a number or a list of them, not null")
    return answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)


def _sharegpt(row: Row) -> Messages:
    return [*_opening(row), *_turns(row["conversations"], "conversations", "from", "value", SPEAKERS)]


def _messages(row: Row) -> Messages:
    name = "messages" if "messages" in row else "conversations"
    return _turns(row[name], name, "role", "content", ROLES)


FORMATS = (
    Format("messages", ("messages",), (), _messages),
    Format("messages", ("conversations",), (), _messages),
    Format("sharegpt", ("conversations",), ("system",), _sharegpt),
    Format("prompt-completion", ("prompt", "completion"), ("system",), _prompt_completion),
    Format("instruction", ("instruction", "output"), ("input", "system"), _instruction),
    Format("prompt-answer", ("prompt", "answer"), ("system",), _prompt_answer, keeps=("answer",)),
    Format("prompt-answer", ("question", "answer"), ("system",), _prompt_answer, keeps=("answer",)),
    Format("text", ("text",), (), _plain_text),
)
