"""Between texts and what servers exchange: a completion becomes an action, an observation becomes messages."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from rftgym.errors import ContractError
from rftgym.types import Message, Role
from rftgym_openenv.wire import readable, shown

_JSON_TYPES = {"string": str, "integer": int, "number": (int, float), "boolean": bool}
_DECODER = json.JSONDecoder()
MOST_BRACES = 256
"""Places in a completion at which a JSON object is looked for, the last ones: each try may read to the end."""
_NOT_SAID = ("metadata", "done", "reward")


class ActionCodec:
    """How a completion becomes an action.

    Args:
        schema: JSON schema of an action; empty where it is not known.
        field: the action's field that gets the whole text; None: the only one that an action needs, where it is a text
            or a number, or the only text that it may have. Without any, the completion has to hold a JSON object.
    """

    def __init__(self, schema: Mapping[str, Any], field: str | None = None) -> None:
        properties = schema.get("properties")
        self.fields: dict[str, Any] = {
            name: about if isinstance(about, dict) else {}
            for name, about in (properties if isinstance(properties, dict) else {}).items()
            if name != "metadata"
        }
        required = schema.get("required")
        self.required = [name for name in self.fields if isinstance(required, list) and name in required]
        self.field = field if field is not None else self._only_field()

    def _only_field(self) -> str | None:
        if len(self.required) == 1 and self._type(self.required[0]) in _JSON_TYPES:
            return self.required[0]
        texts = [name for name in self.fields if self._type(name) == "string"]
        return texts[0] if len(texts) == 1 and set(self.required) <= set(texts) else None

    def _type(self, name: str) -> str | None:
        kind = self.fields[name].get("type") if name in self.fields else "string"
        return str(kind) if isinstance(kind, str) else None

    def action(self, text: str) -> dict[str, Any] | None:
        """The action that a text means; None where it means none."""
        if self.field is None:
            return last_object(text)
        kind = self._type(self.field) or "string"
        if kind == "string" or kind not in _JSON_TYPES:
            chosen = self.fields.get(self.field, {}).get("enum")
            return {self.field: text.strip() if chosen else text}
        try:
            value = json.loads(text.strip()[:40])
        except (ValueError, RecursionError):
            return None
        fits = isinstance(value, _JSON_TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))  # type: ignore[arg-type]
        return {self.field: value} if fits else None

    def instructions(self) -> str:
        """How to write an action, for a policy to read; "" where any text is one."""
        if self.field is not None and self._type(self.field) == "string":
            return ""
        if self.field is not None:
            return f"Answer with {self._about(self.field)} and nothing else."
        fields = "; ".join(f"{shown(name, 60)!r}: {self._about(name)}" for name in self.fields)
        return f"Answer with a JSON object{' of these fields: ' + fields if fields else ''}."

    def _about(self, name: str) -> str:
        about = self.fields.get(name, {})
        choices = about.get("enum")
        kind = (
            f"one of {json.dumps(choices)}"
            if isinstance(choices, list)
            else shown(about.get("type", "any value"), 40)
        )
        need = "" if name in self.required or name == self.field else " (may be left out)"
        said = f", {shown(about['description'])}" if isinstance(about.get("description"), str) else ""
        return f"{shown(kind)}{said}{need}"


def last_object(text: str) -> dict[str, Any] | None:
    """The last JSON object in a text that is no part of another one; None where there is none."""
    starts = [brace.start() for brace in re.finditer("{", text)][-MOST_BRACES:]
    found, end = None, 0
    for start in starts:
        if start < end:
            continue  # inside of the one that was found
        try:
            found, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
    return found


def messages_of(observation: Mapping[str, Any], field: str | None, most_chars: int) -> tuple[Message, ...]:
    """What an observation says.

    Its ``messages`` where it has them, or one message of the user's: the given field, or the only one that there is, or
    else all fields by name.

    Raises:
        ContractError: it is longer than allowed, or lacks the field.
    """
    given = _given_messages(observation.get("messages")) if field is None else None
    if given is None:
        text = _text(observation, field)
        given = (Message("user", readable(text)),) if text.strip() else ()
    length = sum(len(message.content) for message in given)
    if length > most_chars:
        raise ContractError(
            f"the server's observation has {length} characters; at most {most_chars} are taken in"
        )
    return given


def _given_messages(listed: object) -> tuple[Message, ...] | None:
    if not isinstance(listed, list):
        return None
    found = []
    for each in listed:
        role: Any = each.get("role") if isinstance(each, dict) else None
        content = each.get("content") if isinstance(each, dict) else None
        if role not in get_args(Role) or not isinstance(content, str):
            return None
        found.append(Message(role, readable(content)))
    return tuple(found)


def _text(observation: Mapping[str, Any], field: str | None) -> str:
    if field is not None:
        if field not in observation:
            known = ", ".join(shown(name, 40) for name in list(observation)[:20])
            raise ContractError(f"the server's observation has no field {field!r}; it has {known or 'none'}")
        return _plain(observation[field])
    said = {name: value for name, value in observation.items() if name not in _NOT_SAID and value is not None}
    texts = [value for value in said.values() if isinstance(value, str) and value.strip()]
    if len(texts) == 1 and len(said) == 1:
        return str(texts[0])
    return "\n".join(f"{name}: {_plain(value)}" for name, value in said.items())


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def joined(messages: Sequence[Message]) -> str:
    """Several messages as one text, for a place that takes only one."""
    return "\n\n".join(message.content for message in messages)
