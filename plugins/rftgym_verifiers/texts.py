"""Messages of verifiers, in any of its shapes, as messages of rftgym."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rftgym.errors import ContractError
from rftgym.types import Message, Role

ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "text": "user",
    "assistant": "assistant",
}


def field(message: Any, name: str) -> Any:
    """A message's field, be it a mapping or an object; None where it has none."""
    return message.get(name) if isinstance(message, dict) else getattr(message, name, None)


def text_of(content: Any) -> str:
    """The text of a message's content.

    Raises:
        ContractError: there is something else in it, say an image.
    """
    if content is None or isinstance(content, str):
        return content or ""
    parts = []
    for part in content:
        if field(part, "type") != "text":
            raise ContractError(
                f"a message holds a part of type {field(part, 'type')!r}; rftgym's policies read text"
            )
        parts.append(field(part, "text"))
    return "\n".join(parts)


def message_of(message: Any) -> Message:
    """One message.

    Raises:
        ContractError: of a role that rftgym's policies don't know.
    """
    role = field(message, "role")
    if role not in ROLES:
        raise ContractError(f"a message has the role {role!r}; rftgym's policies know {', '.join(ROLES)}")
    return Message(ROLES[role], text_of(field(message, "content")))


def messages_of(messages: Any) -> tuple[Message, ...]:
    """A prompt: a text, or messages."""
    if isinstance(messages, str):
        return (Message("user", messages),)
    return tuple(map(message_of, messages))


def news(whole: Sequence[Message], before: Sequence[Message]) -> tuple[Message, ...]:
    """What a prompt adds to the conversation so far.

    Raises:
        ContractError: it doesn't go on where the conversation was, or speaks for the policy.
    """
    if list(whole[: len(before)]) != list(before):
        raise ContractError(
            "the environment rewrites the conversation; what a policy has said stays as it was said in rftgym"
        )
    added = tuple(whole[len(before) :])
    if any(message.role == "assistant" for message in added):
        raise ContractError("the environment speaks in the policy's place")
    return added


def joined(messages: Iterable[Message]) -> str:
    """Several messages in a row as one observation."""
    return "\n\n".join(message.content for message in messages)
